//! Why the kernel refused a ring, and what its owner can do about it.
//!
//! io_uring answers with bare error numbers that mean different things at different steps: EPERM is a sysctl, a
//! seccomp filter or a security module, EINVAL an old kernel, EMFILE a limit that bounds a table and not only
//! open files. This module turns number, step and situation into one line, without asking the kernel anything,
//! so that every case can be tested on any machine. Sources: io_uring_setup(2), io_uring_register(2), and the
//! kernel's admin-guide/sysctl/kernel for `io_uring_disabled`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel_version::KernelVersion;
use crate::measure::host::Host;
use crate::sys::Errno;

/// A table of direct descriptors has at most this many entries (IORING_MAX_FIXED_FILES).
const DIRECT_DESCRIPTORS_MAX: u32 = 1 << 20;

/// The first release with io_uring.
const FIRST_RELEASE: KernelVersion = KernelVersion::new(5, 1);

/// What was asked of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A ring with the setup flags that the server always uses.
    Ring,
    /// A table of so many direct descriptors.
    DirectDescriptors {
        /// Entries asked for.
        count: u32,
    },
    /// A provided buffer ring.
    BufferRing,
    /// The registration of the ring's own descriptor.
    RingFd,
    /// A ring without any option.
    AnyRing,
    /// Anything else, by name.
    Feature {
        /// As a user of this program knows it.
        name: &'static str,
        /// The first release that has it.
        since: KernelVersion,
    },
}

impl Request {
    /// The first release that grants this request.
    pub const fn since(self) -> KernelVersion {
        match self {
            Self::AnyRing => FIRST_RELEASE,
            Self::Ring => KernelVersion::new(6, 1),
            Self::DirectDescriptors { .. } | Self::BufferRing => KernelVersion::new(5, 19),
            Self::RingFd => KernelVersion::new(5, 18),
            Self::Feature { since, .. } => since,
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyRing => write!(f, "an io_uring"),
            Self::Ring => write!(f, "an io_uring with COOP_TASKRUN, SINGLE_ISSUER and DEFER_TASKRUN"),
            Self::DirectDescriptors { count } => write!(f, "an io_uring table of {count} direct descriptors"),
            Self::BufferRing => write!(f, "an io_uring provided buffer ring"),
            Self::RingFd => write!(f, "the registration of the io_uring's own descriptor"),
            Self::Feature { name, .. } => write!(f, "{name}"),
        }
    }
}

/// What is known of the machine that refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// Kernel release.
    pub release: Option<KernelVersion>,
    /// `kernel.io_uring_disabled`: 0 allowed, 1 for the privileged, 2 for nobody. `None` before Linux 6.6.
    pub disabled: Option<u8>,
    /// Whether a seccomp filter watches this process.
    pub filtered: bool,
    /// Soft limit of open descriptors; `None` is unlimited or unknown.
    pub nofile: Option<u64>,
    /// Soft limit of locked memory in bytes; `None` is unlimited or unknown.
    pub memlock_bytes: Option<u64>,
}

impl From<&Host> for Situation {
    fn from(host: &Host) -> Self {
        let sysctl = host.sysctls.get("kernel.io_uring_disabled").and_then(|value| value.value());
        Self {
            release: host.kernel.release.value().and_then(|release| release.parse().ok()),
            disabled: sysctl.and_then(|text| text.parse().ok()),
            filtered: host.virtualisation.seccomp_mode.value().is_some_and(|&mode| mode != 0),
            nofile: host.limits.nofile.value().and_then(|limit| limit.soft),
            memlock_bytes: host.limits.memlock_bytes.value().and_then(|limit| limit.soft),
        }
    }
}

/// A refusal, explained in one line: `cannot have <request>: <cause> (<errno>); <remedy>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("cannot have {request}: {cause} ({error}); {remedy}")]
pub struct Refusal {
    /// What was asked.
    pub request: String,
    /// The most likely reason.
    pub cause: String,
    /// What the kernel answered, in words.
    pub error: String,
    /// What to do.
    pub remedy: String,
}

impl Refusal {
    /// Explains why this machine answered `errno` to `request`.
    pub fn here(errno: Errno, request: Request) -> Self {
        Self::explain(errno, request, &Situation::from(&Host::capture()))
    }

    /// Explains why a machine in `situation` answered `errno` to `request`.
    pub fn explain(errno: Errno, request: Request, situation: &Situation) -> Self {
        let (cause, remedy) = match errno.0 {
            libc::EPERM | libc::EACCES => forbidden(situation),
            libc::ENOSYS => absent(situation),
            libc::EINVAL | libc::EOPNOTSUPP | libc::ENOTTY => unknown(request, situation),
            libc::ENOMEM => out_of_memory(situation),
            libc::EMFILE => out_of_descriptors(request, situation),
            libc::ENFILE => (
                "every descriptor that the system may open is in use".to_owned(),
                "raise it with 'sysctl fs.file-max=N' or stop what holds them".to_owned(),
            ),
            _ => (
                "the kernel gave no reason that this program knows".to_owned(),
                "'uring-echo probe' lists what this kernel grants".to_owned(),
            ),
        };
        Self { request: request.to_string(), cause, error: errno.to_string(), remedy }
    }
}

fn forbidden(situation: &Situation) -> (String, String) {
    match (situation.disabled, situation.filtered) {
        (Some(2), _) => (
            "kernel.io_uring_disabled=2 denies it to every process".to_owned(),
            "allow it with 'sysctl kernel.io_uring_disabled=0'".to_owned(),
        ),
        (Some(1), _) => (
            "kernel.io_uring_disabled=1 denies it to processes without CAP_SYS_ADMIN that are not in the group \
             kernel.io_uring_group"
                .to_owned(),
            "join that group or allow it with 'sysctl kernel.io_uring_disabled=0'".to_owned(),
        ),
        (_, true) => (
            "a seccomp filter refuses it, as container runtimes do by default".to_owned(),
            "allow io_uring_setup, io_uring_enter and io_uring_register in the container's seccomp profile"
                .to_owned(),
        ),
        (_, false) => (
            "no sysctl and no seccomp filter denies it, so a security module does".to_owned(),
            "look for the denial in the kernel log and the audit log".to_owned(),
        ),
    }
}

fn absent(situation: &Situation) -> (String, String) {
    let cause = match (situation.filtered, situation.release) {
        (true, _) => "a seccomp filter or a sandbox hides it, or the kernel was built without it".to_owned(),
        (false, Some(release)) if release >= FIRST_RELEASE => {
            format!("this Linux {release} was built without it, or a sandbox stands in for the kernel")
        }
        (false, _) => format!("the kernel is older than {FIRST_RELEASE}"),
    };
    (cause, "run Linux 6.1 or newer with CONFIG_IO_URING=y, outside of a sandbox".to_owned())
}

fn unknown(request: Request, situation: &Situation) -> (String, String) {
    let since = request.since();
    match situation.release {
        Some(release) if release >= since => (
            format!("Linux {release} should know it, which came with {since}, and does not"),
            "'uring-echo probe' lists what this kernel grants".to_owned(),
        ),
        Some(release) => (
            format!("Linux {release} is too old, it came with {since}"),
            format!("run Linux {since} or newer"),
        ),
        None => (
            format!("this kernel is too old, it came with Linux {since}"),
            format!("run Linux {since} or newer"),
        ),
    }
}

fn out_of_memory(situation: &Situation) -> (String, String) {
    // Since 5.12 rings are charged to the memory control group instead of RLIMIT_MEMLOCK.
    let charged_as_locked = situation.release.is_some_and(|release| release < KernelVersion::new(5, 12));
    match situation.memlock_bytes {
        Some(limit) if charged_as_locked => (
            format!("locked memory is limited to {limit} bytes, and before Linux 5.12 rings count as locked"),
            "raise the limit with 'ulimit -l unlimited' or LimitMEMLOCK=infinity, or run Linux 6.1 or newer"
                .to_owned(),
        ),
        _ => (
            "the system or this process's control group is out of memory".to_owned(),
            "free memory, raise the group's memory.max, or ask for fewer connections or buffers".to_owned(),
        ),
    }
}

fn out_of_descriptors(request: Request, situation: &Situation) -> (String, String) {
    match (request, situation.nofile) {
        (Request::DirectDescriptors { count }, _) if count > DIRECT_DESCRIPTORS_MAX => (
            format!("the kernel's maximum is {DIRECT_DESCRIPTORS_MAX}"),
            "ask for fewer with --max-connections".to_owned(),
        ),
        (Request::DirectDescriptors { count }, Some(limit)) => (
            format!("RLIMIT_NOFILE, now {limit}, bounds such a table as well"),
            format!("raise it with 'ulimit -n {count}' or LimitNOFILE={count}, or lower --max-connections"),
        ),
        (_, limit) => (
            limit.map_or_else(
                || "this process may open no more descriptors".to_owned(),
                |limit| {
                    format!("this process holds all of the {limit} descriptors that RLIMIT_NOFILE allows")
                },
            ),
            "raise it with 'ulimit -n' or LimitNOFILE=".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::host::{Known, Limit};

    const INCREMENTAL: Request =
        Request::Feature { name: "an incremental buffer ring", since: KernelVersion::new(6, 12) };

    fn modern() -> Situation {
        Situation {
            release: Some(KernelVersion::new(6, 12)),
            disabled: Some(0),
            filtered: false,
            nofile: Some(1024),
            memlock_bytes: Some(8 << 20),
        }
    }

    fn line(errno: i32, request: Request, situation: &Situation) -> String {
        Refusal::explain(Errno(errno), request, situation).to_string()
    }

    #[test]
    fn a_sysctl_that_forbids_io_uring_is_named_with_its_cure() {
        for disabled in [1, 2] {
            let situation = Situation { disabled: Some(disabled), ..modern() };
            let line = line(libc::EPERM, Request::Ring, &situation);
            assert!(line.contains(&format!("kernel.io_uring_disabled={disabled} denies")), "{line}");
            assert!(line.contains("'sysctl kernel.io_uring_disabled=0'"), "{line}");
        }
    }

    #[test]
    fn the_group_that_may_use_io_uring_is_mentioned_only_where_it_helps() {
        let at =
            |disabled| line(libc::EPERM, Request::Ring, &Situation { disabled: Some(disabled), ..modern() });
        assert!(at(1).contains("kernel.io_uring_group"));
        assert!(!at(2).contains("kernel.io_uring_group"));
    }

    #[test]
    fn a_container_is_blamed_when_no_sysctl_forbids() {
        let line = line(libc::EPERM, Request::Ring, &Situation { filtered: true, ..modern() });
        assert!(line.contains("seccomp filter refuses it"), "{line}");
        assert!(line.contains("seccomp profile"), "{line}");
    }

    #[test]
    fn a_security_module_is_what_remains() {
        let line = line(libc::EACCES, Request::Ring, &modern());
        assert!(line.contains("a security module does") && line.contains("audit log"), "{line}");
    }

    #[test]
    fn a_kernel_built_without_io_uring_is_told_from_an_old_one_and_from_a_sandbox() {
        let absent = |situation| line(libc::ENOSYS, Request::AnyRing, &situation);
        let built_without = absent(modern());
        assert!(built_without.contains("Linux 6.12 was built without it"), "{built_without}");
        assert!(built_without.contains("CONFIG_IO_URING=y"), "{built_without}");
        let old = absent(Situation { release: Some(KernelVersion::new(4, 19)), ..modern() });
        assert!(old.contains("older than 5.1") && !old.contains("seccomp"), "{old}");
        let sandboxed = absent(Situation { filtered: true, ..modern() });
        assert!(sandboxed.contains("seccomp filter"), "{sandboxed}");
    }

    #[test]
    fn an_old_kernel_is_told_which_release_it_lacks() {
        let old = Situation { release: Some(KernelVersion::new(5, 15)), ..modern() };
        let line = line(libc::EINVAL, Request::Ring, &old);
        assert!(line.contains("Linux 5.15 is too old, it came with 6.1"), "{line}");
        assert!(line.ends_with("run Linux 6.1 or newer"), "{line}");
    }

    #[test]
    fn a_feature_is_refused_under_its_own_name_and_release() {
        let old = Situation { release: Some(KernelVersion::new(6, 1)), ..modern() };
        let line = line(libc::EINVAL, INCREMENTAL, &old);
        assert!(line.starts_with("cannot have an incremental buffer ring: Linux 6.1 is too old"), "{line}");
        assert!(line.contains("6.12"), "{line}");
    }

    #[test]
    fn a_device_control_that_is_not_known_came_with_a_later_release() {
        let old = Situation { release: Some(KernelVersion::new(6, 1)), ..modern() };
        let line = line(libc::ENOTTY, INCREMENTAL, &old);
        assert!(line.contains("Linux 6.1 is too old, it came with 6.12"), "{line}");
    }

    #[test]
    fn a_new_kernel_is_not_called_old() {
        let line = line(libc::EINVAL, Request::Ring, &modern());
        assert!(!line.contains("too old") && line.contains("uring-echo probe"), "{line}");
    }

    #[test]
    fn locked_memory_is_blamed_only_where_rings_count_as_locked() {
        let old = Situation { release: Some(KernelVersion::new(5, 10)), ..modern() };
        let old = line(libc::ENOMEM, Request::Ring, &old);
        assert!(old.contains("limited to 8388608 bytes") && old.contains("ulimit -l"), "{old}");
        let new = line(libc::ENOMEM, Request::Ring, &modern());
        assert!(!new.contains("ulimit -l") && new.contains("memory.max"), "{new}");
    }

    #[test]
    fn a_table_larger_than_the_descriptor_limit_names_the_limit_to_set() {
        let line = line(libc::EMFILE, Request::DirectDescriptors { count: 16384 }, &modern());
        assert!(line.contains("RLIMIT_NOFILE, now 1024"), "{line}");
        assert!(line.contains("'ulimit -n 16384'") && line.contains("--max-connections"), "{line}");
    }

    #[test]
    fn a_table_larger_than_the_kernel_allows_cannot_be_cured_by_a_limit() {
        let line = line(libc::EMFILE, Request::DirectDescriptors { count: 1 << 21 }, &modern());
        assert!(line.contains("maximum is 1048576") && !line.contains("ulimit"), "{line}");
    }

    #[test]
    fn a_process_or_a_system_without_descriptors_is_told_which_it_is() {
        let process = line(libc::EMFILE, Request::Ring, &modern());
        assert!(process.contains("all of the 1024 descriptors"), "{process}");
        let system = line(libc::ENFILE, Request::Ring, &modern());
        assert!(system.contains("fs.file-max"), "{system}");
    }

    #[test]
    fn a_refusal_is_one_line_that_ends_with_the_remedy_whatever_the_number() {
        for errno in 1..=133 {
            let refusal = Refusal::explain(Errno(errno), Request::RingFd, &modern());
            let line = refusal.to_string();
            assert!(!line.contains('\n') && line.contains("os error"), "{line}");
            assert!(line.ends_with(&refusal.remedy) && !refusal.remedy.is_empty(), "{line}");
        }
    }

    #[test]
    fn the_situation_is_read_from_the_description_of_a_host() {
        let mut host = Host::capture();
        host.kernel.release = Known::Value("6.1.0-37-amd64".to_owned());
        host.virtualisation.seccomp_mode = Known::Value(2);
        host.sysctls.insert("kernel.io_uring_disabled".to_owned(), Known::Value("1".to_owned()));
        host.limits.nofile = Known::Value(Limit { soft: Some(1024), hard: None });
        host.limits.memlock_bytes = Known::unavailable("no such line");
        let expected = Situation {
            release: Some(KernelVersion::new(6, 1)),
            disabled: Some(1),
            filtered: true,
            nofile: Some(1024),
            memlock_bytes: None,
        };
        assert_eq!(Situation::from(&host), expected);
    }
}
