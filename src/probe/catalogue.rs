//! What is asked of the kernel, why, and since when it should answer. One row a feature.
//!
//! Sources of the releases: io_uring_setup(2), io_uring_enter(2), io_uring_register(2), io_uring_prep_recv(3),
//! epoll_ctl(2), epoll_wait(2), and for what they do not name the kernel's history.

use super::trials::{self, Miss};
use super::{Kind, Need};
use crate::kernel_version::KernelVersion;
use crate::sys::uring_probe::SETUP_CQSIZE;

/// How to find out.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// A flag of io_uring_setup(2), with the flags it cannot go without.
    Setup {
        /// The bit in question.
        flag: u32,
        /// What has to be set beside it.
        with: u32,
    },
    /// A bit of what io_uring_setup(2) reports.
    Reported(u32),
    /// The number of an operation.
    Operation(u8),
    /// Something registered with a ring, tried.
    Registration(fn() -> Result<(), Miss>),
    /// A variant of an operation, tried on a connection.
    Variant(fn() -> Result<(), Miss>),
    /// A part of epoll, tried.
    Epoll(fn() -> Result<(), Miss>),
}

impl Check {
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Setup { .. } => Kind::SetupFlag,
            Self::Reported(_) => Kind::RingFeature,
            Self::Operation(_) => Kind::Operation,
            Self::Registration(_) => Kind::Registration,
            Self::Variant(_) => Kind::Variant,
            Self::Epoll(_) => Kind::Epoll,
        }
    }
}

/// One row.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) since: KernelVersion,
    pub(super) need: Need,
    pub(super) purpose: &'static str,
    pub(super) check: Check,
}

const fn row(
    name: &'static str,
    (major, minor): (u16, u16),
    need: Need,
    check: Check,
    purpose: &'static str,
) -> Row {
    Row { name, since: KernelVersion::new(major, minor), need, purpose, check }
}

const fn setup(flag: u32) -> Check {
    Check::Setup { flag, with: 0 }
}

const COOP_TASKRUN: u32 = 1 << 8;
const SINGLE_ISSUER: u32 = 1 << 12;

use Check::{Epoll, Operation, Registration, Reported, Setup, Variant};
use Need::{Default, Information, Option};

/// Every row, in the order of the table.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("IORING_SETUP_CQSIZE", (5, 5), Default, setup(SETUP_CQSIZE),
        "a completion queue with room for all that is in flight"),
    row("IORING_SETUP_CLAMP", (5, 6), Default, setup(1 << 4),
        "queues larger than the kernel's maximum are cut to it"),
    row("IORING_SETUP_SUBMIT_ALL", (5, 18), Default, setup(1 << 7),
        "one SQE that fails does not hold back those behind it"),
    row("IORING_SETUP_COOP_TASKRUN", (5, 19), Default, setup(COOP_TASKRUN),
        "a completion does not interrupt the server"),
    row("IORING_SETUP_TASKRUN_FLAG", (5, 19), Information, Setup { flag: 1 << 9, with: COOP_TASKRUN },
        "a flag tells that completions wait to be run"),
    row("IORING_SETUP_SINGLE_ISSUER", (6, 0), Default, setup(SINGLE_ISSUER),
        "the kernel counts on a single submitting thread"),
    row("IORING_SETUP_DEFER_TASKRUN", (6, 1), Default, Setup { flag: 1 << 13, with: SINGLE_ISSUER },
        "completions are run when the server waits for them"),
    row("IORING_SETUP_NO_SQARRAY", (6, 6), Option, setup(1 << 16),
        "one indirection less for each SQE"),
    row("IORING_SETUP_SQPOLL", (5, 11), Information, setup(1 << 1),
        "a kernel thread submits, which takes a core of its own"),

    row("IORING_FEAT_NODROP", (5, 5), Default, Reported(1 << 1),
        "a full completion queue loses nothing"),
    row("IORING_FEAT_FAST_POLL", (5, 7), Default, Reported(1 << 5),
        "a receive waits for data without a thread"),
    row("IORING_FEAT_EXT_ARG", (5, 11), Default, Reported(1 << 8),
        "waiting with a deadline"),
    row("IORING_FEAT_CQE_SKIP", (5, 17), Information, Reported(1 << 11),
        "no CQE for an operation that succeeds"),
    row("IORING_FEAT_LINKED_FILE", (5, 17), Information, Reported(1 << 12),
        "a linked operation on the descriptor that the one before it made"),
    row("IORING_FEAT_REG_REG_RING", (6, 3), Information, Reported(1 << 13),
        "registrations through the registered ring descriptor"),
    row("IORING_FEAT_RECVSEND_BUNDLE", (6, 10), Information, Reported(1 << 14),
        "several provided buffers in one receive or send"),
    row("IORING_FEAT_MIN_TIMEOUT", (6, 12), Information, Reported(1 << 15),
        "waiting a little for a larger batch"),
    row("IORING_FEAT_NO_IOWAIT", (6, 15), Information, Reported(1 << 17),
        "waiting is not accounted as waiting for a disk"),

    row("IORING_OP_ACCEPT", (5, 5), Default, Operation(13), "accepting connections"),
    row("IORING_OP_RECV", (5, 6), Default, Operation(27), "receiving"),
    row("IORING_OP_SEND", (5, 6), Default, Operation(26), "sending"),
    row("IORING_OP_CLOSE", (5, 6), Default, Operation(19), "closing a direct descriptor"),
    row("IORING_OP_ASYNC_CANCEL", (5, 5), Default, Operation(14), "an orderly end"),
    row("IORING_OP_SHUTDOWN", (5, 11), Information, Operation(34), "half-closing a direct descriptor"),
    row("IORING_OP_POLL_ADD", (5, 1), Default, Operation(6), "a signal ends the wait"),
    row("IORING_OP_SENDMSG", (5, 3), Information, Operation(9), "sending from several buffers"),
    row("IORING_OP_SEND_ZC", (6, 0), Information, Operation(47),
        "sending without a copy, which loopback makes all the same"),
    row("IORING_OP_EPOLL_WAIT", (6, 15), Information, Operation(59), "epoll inside a ring"),

    row("registered ring descriptor", (5, 18), Default, Registration(trials::own_descriptor),
        "no descriptor look-up for each io_uring_enter"),
    row("table of direct descriptors", (5, 19), Default, Registration(trials::direct_descriptors),
        "no descriptor look-up for each operation"),
    row("provided buffer ring", (5, 19), Default, Registration(trials::buffer_ring),
        "a buffer is chosen when the data is there"),
    row("synchronous cancellation", (6, 0), Information, Registration(trials::synchronous_cancellation),
        "cancelling without an SQE"),

    row("multishot accept, direct", (5, 19), Default, Variant(trials::accept_multishot),
        "one SQE accepts every connection"),
    row("receive into a provided buffer", (5, 19), Default, Variant(trials::recv_provided),
        "the receive of the default settings"),
    row("cancellation of everything", (5, 19), Default, Variant(trials::cancel_all), "an orderly end"),
    row("receive, poll first", (5, 19), Option, Variant(trials::recv_poll_first),
        "skips a receive that would find nothing"),
    row("socket-not-empty flag", (5, 19), Default, Variant(trials::socket_nonempty),
        "a connection with more waiting queues for its next buffer"),
    row("multishot receive", (6, 0), Information, Variant(trials::recv_multishot),
        "one SQE receives until it ends"),
    row("receive bundle", (6, 10), Information, Variant(trials::recv_bundle),
        "one CQE for several buffers"),
    row("incremental buffers", (6, 12), Information, Variant(trials::incremental_buffers),
        "small messages share a buffer"),
    row("multishot receive, length limit", (6, 17), Information, Variant(trials::recv_multishot_len),
        "bounds each completion"),
    row("multishot receive, total limit", (6, 17), Information, Variant(trials::recv_multishot_total),
        "ends when the budget is spent, so that nobody starves"),

    row("epoll instance", (2, 6), Default, Epoll(trials::epoll_instance), "the epoll server's readiness"),
    row("EPOLLEXCLUSIVE", (4, 5), Information, Epoll(trials::epoll_exclusive),
        "wakes one of several threads; the server has one"),
    row("epoll_pwait2", (5, 11), Information, Epoll(trials::epoll_pwait2),
        "a timeout finer than a millisecond"),
    row("epoll busy poll", (6, 9), Option, Epoll(trials::epoll_busy_poll),
        "a wait polls the network card before it sleeps"),
];

/// The setup flags of the default settings.
pub(super) fn default_setup() -> u32 {
    let flags = ROWS.iter().filter_map(|row| match row.check {
        Setup { flag, .. } if row.need == Default => Some(flag),
        _ => None,
    });
    flags.fold(0, |all, flag| all | flag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_feature_is_asked_for_once() {
        let names: HashSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn the_default_settings_need_nothing_newer_than_6_1() {
        for row in ROWS.iter().filter(|row| row.need == Default) {
            assert!(row.since <= KernelVersion::new(6, 1), "{}", row.name);
        }
    }

    #[test]
    fn the_default_setup_is_six_flags() {
        // CQSIZE 8, CLAMP 10, SUBMIT_ALL 80, COOP_TASKRUN 100, SINGLE_ISSUER 1000, DEFER_TASKRUN 2000.
        assert_eq!(default_setup(), 0x3198);
    }

    #[test]
    fn rows_of_a_kind_stand_together() {
        let mut kinds: Vec<Kind> = ROWS.iter().map(|row| row.check.kind()).collect();
        kinds.dedup();
        assert_eq!(kinds.len(), kinds.iter().collect::<HashSet<_>>().len());
    }
}
