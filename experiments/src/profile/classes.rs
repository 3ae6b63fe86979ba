//! What the time of a core is charged to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a sample is charged to, in the order of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Class {
    /// Bytes between process and kernel.
    Copy,
    /// The sending half of TCP.
    TcpSend,
    /// The receiving half.
    TcpReceive,
    /// IP, its filters, and the device that loops back.
    IpAndDevice,
    /// Buffers of the network and the memory that they are of.
    SkbAndMemory,
    /// Spinning, and taking and leaving locks.
    Locks,
    /// From a system call or a request to the protocol.
    SocketLayer,
    /// Going into the kernel and out.
    SyscallEntry,
    /// Ready lists and waiting on them.
    Epoll,
    /// Taking requests from the ring and issuing them.
    UringSubmit,
    /// Posting completions and waiting for them.
    UringComplete,
    /// Provided buffers.
    UringBuffers,
    /// What io_uring put off until the task is about to wait.
    UringTaskWork,
    /// Waking whoever waits, and choosing who runs.
    WakeupsAndScheduling,
    /// Beginning and ending soft interrupts.
    SoftirqEntry,
    /// Hard interrupts and the clock.
    InterruptsAndTimers,
    /// The process itself.
    UserCode,
    /// The core in the context of others, outside of interrupts.
    OtherProcesses,
    /// Functions that no rule knows.
    Unclassified,
    /// Nothing to do. No cost.
    Idle,
}

impl Class {
    /// All of them with their names, in order.
    pub const NAMED: [(Self, &'static str); 20] = [
        (Self::Copy, "copy"),
        (Self::TcpSend, "tcp send"),
        (Self::TcpReceive, "tcp receive"),
        (Self::IpAndDevice, "ip and loopback device"),
        (Self::SkbAndMemory, "skb and memory"),
        (Self::Locks, "locks"),
        (Self::SocketLayer, "socket layer"),
        (Self::SyscallEntry, "system call entry and exit"),
        (Self::Epoll, "epoll"),
        (Self::UringSubmit, "io_uring submit"),
        (Self::UringComplete, "io_uring complete"),
        (Self::UringBuffers, "io_uring buffers"),
        (Self::UringTaskWork, "io_uring task work"),
        (Self::WakeupsAndScheduling, "wake-ups and scheduling"),
        (Self::SoftirqEntry, "softirq entry"),
        (Self::InterruptsAndTimers, "interrupts and timers"),
        (Self::UserCode, "user code"),
        (Self::OtherProcesses, "other processes"),
        (Self::Unclassified, "unclassified"),
        (Self::Idle, "idle"),
    ];

    /// Those that are a cost, in order.
    pub fn costs() -> impl Iterator<Item = Self> {
        Self::NAMED.into_iter().map(|(class, _)| class).filter(|class| *class != Self::Idle)
    }

    /// Its name in tables and in the rules.
    pub fn name(self) -> &'static str {
        Self::NAMED[self as usize].1
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<Class> for String {
    fn from(class: Class) -> Self {
        class.name().into()
    }
}

impl TryFrom<String> for Class {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = Self::NAMED.into_iter().find(|(_, own)| *own == name);
        found.map(|(class, _)| class).ok_or_else(|| format!("no class is called '{name}'"))
    }
}
