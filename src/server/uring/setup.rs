//! Setting up the io_uring engine's ring: step by step, so that a refusal names its step.

use super::reserve::RESERVE;
use super::strategy::{Apart, Strategy};
use crate::kernel_version::KernelVersion;
use crate::probe;
use crate::refusal::{Refusal, Request};
use crate::server::shell::config::{Files, RingFd, Setup, UringConfig, Wait, Zerocopy};
use crate::server::shell::error::StartError;
use crate::sys::Errno;
use crate::sys::buf_ring::BufRing;
use crate::sys::groups::Groups;
use crate::sys::private::PrivateBuffers;
use crate::sys::queues::SetupFlags;
use crate::sys::ring::Ring;
use crate::sys::ring_wait::WaitMode;
use crate::units::Nanos;

/// Submission queue entries. Completions are reaped only while there is room for what they lead to.
const SQ_ENTRIES: u32 = 256;

/// A ring with its buffers and its table of direct descriptors registered, as `config` asks.
///
/// # Errors
/// With cause and remedy, when the kernel refuses one of the steps.
pub(super) fn set_up<S: Strategy>(config: &UringConfig) -> Result<Ring, StartError> {
    let connections = config.common.connections_max;
    let (buffers, private, groups) = memory::<S>(config, 1 << 16)?;
    let buffers = S::lend(buffers);
    // Doubled, so that the completions of one iteration and of the next fit.
    let completions = 2 * connections * S::OPERATIONS_PER_CONNECTION;
    let cq_entries = u32::try_from(completions.max(1024)).unwrap_or(u32::MAX);
    require_wait(config.wait)?;
    let mut ring =
        Ring::new(setup_flags(config.setup), wait_mode(config), SQ_ENTRIES, cq_entries, buffers, private)
            .map_err(|error| Refusal::here(Errno::of(&error), setup_request(config)))?;
    ring.groups = groups;
    if S::SEGMENTS_MAX > 1 {
        ring.allow_vectors(S::SEGMENTS_MAX)
            .map_err(|error| StartError::memory("cannot map the segments of sends", &error))?;
    }
    register_options(&mut ring, config)?;
    if !S::PRIVATE {
        ring.register_buffers().map_err(|error| Refusal::here(Errno::of(&error), Request::BufferRing))?;
    }
    if S::apart(config) == Apart::Reserve {
        ring.open_group(RESERVE).map_err(|errno| Refusal::here(errno, Request::BufferRing))?;
    }
    if config.files == Some(Files::Direct) {
        let count = u32::try_from(connections).unwrap_or(u32::MAX);
        ring.register_files(count)
            .map_err(|error| Refusal::here(Errno::of(&error), Request::DirectDescriptors { count }))?;
    }
    Ok(ring)
}

/// Registers what `config` asks for beyond what every ring has.
fn register_options(ring: &mut Ring, config: &UringConfig) -> Result<(), StartError> {
    if config.ring_fd == RingFd::Registered {
        ring.register_ring_fd().map_err(|errno| Refusal::here(errno, Request::RingFd))?;
    }
    if config.napi > Nanos(0) {
        ring.register_napi(config.napi).map_err(|error| Refusal::here(Errno::of(&error), NAPI))?;
    }
    if config.send_kind == Zerocopy::ZeroCopyRegistered {
        ring.register_memory().map_err(|error| {
            let remedy = "lower --max-connections or --buffer-bytes, or raise the limit (ulimit -l)";
            StartError::new("cannot register the buffers", error, remedy)
        })?;
    }
    Ok(())
}

/// Refuses a wait that this kernel would take for a plain one: it ignores what it does not know.
fn require_wait(wait: Wait) -> Result<(), StartError> {
    match wait {
        Wait::MinWait => {
            probe::obstacle("IORING_FEAT_MIN_TIMEOUT").map_or(Ok(()), |refusal| Err(refusal.into()))
        }
        Wait::Plain | Wait::Region => Ok(()),
    }
}

const fn wait_mode(config: &UringConfig) -> WaitMode {
    match config.wait {
        Wait::Plain => WaitMode::Plain,
        Wait::MinWait => WaitMode::Batch { count: config.min_wait_count, span: config.min_wait },
        Wait::Region => WaitMode::Region,
    }
}

/// What `--napi-us` asks for.
const NAPI: Request = Request::Feature {
    name: "busy polling of the network card (--napi-us)",
    since: KernelVersion::new(6, 9),
};

/// The buffers that all connections share, `shared_max` at most, those that belong to one each, and the groups beside them.
pub(super) type Memory = (BufRing, PrivateBuffers, Groups);

/// Maps what the strategy receives into: there is only ever one of shared and private buffers.
///
/// # Errors
/// When they cannot be mapped, or are more than the kernel can number.
pub(super) fn memory<S: Strategy>(config: &UringConfig, shared_max: usize) -> Result<Memory, StartError> {
    let (size, connections) = (config.common.buffer_bytes, config.common.connections_max);
    let shared = S::shared(config).min(shared_max);
    let (shared, private) = if S::PRIVATE { (0, connections) } else { (shared, 0) };
    let groups = match S::apart(config) {
        Apart::Nothing => Ok(Groups::none()),
        Apart::Reserve => Groups::new(shared, 1, connections, size),
        Apart::Each(count) => Groups::new(shared, connections, count, size),
    };
    let buffers = BufRing::new(config.buffers, shared, size);
    let (buffers, groups) = buffers
        .and_then(|buffers| Ok((buffers, groups?)))
        .map_err(|error| StartError::memory("cannot map the provided buffers", &error))?;
    let private = PrivateBuffers::new(private, size)
        .map_err(|error| StartError::memory("cannot map the buffers of the connections", &error))?;
    Ok((buffers, private, groups))
}

/// Whether `config` makes sense with the strategy.
///
/// # Errors
/// With the reason and the remedy, of what was asked for and does not go together.
pub(super) fn check<S: Strategy>(config: &UringConfig) -> Result<(), StartError> {
    let contradiction = |option, why| Err(StartError::contradiction(S::NAME, option, why));
    let (unshared, why) = S::UNSHARED;
    if let Some(option) = config.shared_asked.filter(|option| unshared.contains(option)) {
        return contradiction(option, why);
    }
    if let (Some(why), true) = (S::COPIES, config.send_kind != Zerocopy::Copy) {
        return contradiction("--send-kind zero-copy", why);
    }
    let defers = matches!(config.setup, Setup::Defer | Setup::DeferNoSqarray);
    if let (Some(why), false) = (S::DEFERRED, defers) {
        let operation = format!("cannot serve with --strategy {} and this --setup", S::NAME);
        return Err(StartError::new(operation, why, "choose --setup defer or --strategy alternate"));
    }
    if config.skip_success && !S::MAY_SKIP_SUCCESS {
        let operation = format!("cannot serve with --strategy {} and --skip-success on", S::NAME);
        let remedy = "leave it out or choose --strategy private-linked, where the receive that follows tells";
        let why = "only its completion tells that a send is done with its buffer";
        return Err(StartError::new(operation, why, remedy));
    }
    S::check(config)
}

fn setup_flags(setup: Setup) -> SetupFlags {
    SetupFlags {
        single_issuer: !matches!(setup, Setup::Plain | Setup::Sqpoll),
        coop_taskrun: !matches!(setup, Setup::Plain | Setup::Sqpoll),
        defer_taskrun: matches!(setup, Setup::Defer | Setup::DeferNoSqarray),
        no_sqarray: setup == Setup::DeferNoSqarray,
        sqpoll: setup == Setup::Sqpoll,
    }
}

/// What a ring set up this way needs of the kernel.
fn setup_request(config: &UringConfig) -> Request {
    if config.wait == Wait::Region {
        return Request::Feature {
            name: "a registered region for waits (--wait region)",
            since: KernelVersion::new(6, 13),
        };
    }
    match config.setup {
        Setup::Defer => Request::Ring,
        Setup::DeferNoSqarray => Request::Feature {
            name: "an io_uring with NO_SQARRAY (--setup defer-no-sqarray)",
            since: KernelVersion::new(6, 6),
        },
        Setup::Coop => Request::Feature {
            name: "an io_uring with SINGLE_ISSUER and COOP_TASKRUN (--setup coop)",
            since: KernelVersion::new(6, 0),
        },
        Setup::Sqpoll => Request::Feature {
            name: "an io_uring with SUBMIT_ALL and SQPOLL (--setup sqpoll)",
            since: KernelVersion::new(5, 18),
        },
        Setup::Plain => Request::Feature {
            name: "an io_uring with SUBMIT_ALL (--setup plain)",
            since: KernelVersion::new(5, 18),
        },
    }
}

/// Whether a connection has to be shut down before its descriptor is closed.
///
/// Before Linux 6.13 a closed direct descriptor keeps its socket until every older operation of the ring has ended, so
/// one idle connection would hold back the end of stream of all that close after it (liburing#1192).
pub(super) fn needs_shutdown_before_close(config: &UringConfig) -> bool {
    config.files == Some(Files::Direct)
        && KernelVersion::running().is_none_or(|release| release < KernelVersion::new(6, 13))
}
