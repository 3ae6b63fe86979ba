//! Why a server did not start or had to stop: operation, cause and remedy in one line.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::refusal::Refusal;
use crate::sys::Errno;

/// A server that could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system refused something that any server needs.
    #[error("{operation}: {cause}; {remedy}")]
    System {
        /// What was tried.
        operation: String,
        /// What the system said.
        cause: String,
        /// What to do about it.
        remedy: String,
    },
    /// The kernel refused a ring or something of it.
    #[error(transparent)]
    Ring(#[from] Refusal),
}

impl StartError {
    /// An error of these three parts.
    pub fn new(operation: impl Into<String>, cause: impl ToString, remedy: impl Into<String>) -> Self {
        Self::System { operation: operation.into(), cause: cause.to_string(), remedy: remedy.into() }
    }

    /// `option` does not go with `strategy`.
    pub fn contradiction(strategy: &str, option: &str, why: &str) -> Self {
        let operation = format!("cannot serve with --strategy {strategy} and {option}");
        Self::new(operation, why, "leave it out or choose --strategy alternate")
    }

    /// Listening failed.
    pub fn listen(addr: SocketAddr, error: &io::Error) -> Self {
        let remedy = match error.raw_os_error() {
            Some(libc::EADDRINUSE) => "stop the process that listens there or choose another --listen port",
            Some(libc::EACCES) => "choose a --listen port above 1023 or run with CAP_NET_BIND_SERVICE",
            Some(libc::EADDRNOTAVAIL) => "choose a --listen address of this machine",
            _ => "choose another --listen address or free the resource named",
        };
        Self::new(format!("cannot listen on {addr}"), error, remedy)
    }

    /// Pinning failed.
    pub fn pin(cpu: usize, error: &io::Error) -> Self {
        Self::new(format!("cannot run on CPU {cpu}"), error, "choose a --cpu that this process may run on")
    }

    /// The memory of all connections cannot be had.
    pub fn memory(operation: &str, error: &io::Error) -> Self {
        Self::new(
            operation,
            error,
            "lower --max-connections or --buffer-bytes, or allow more memory (ulimit -v, sysctl vm.overcommit_memory)",
        )
    }

    /// The stats file cannot be opened.
    pub fn stats(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("cannot append to {}", path.display()), error, "choose a writable --stats file")
    }

    /// A resource that every server needs was refused.
    pub fn resource(operation: &str, error: impl ToString) -> Self {
        Self::new(operation, error, "free descriptors or memory and start again")
    }
}

/// A server that had to give up while serving: the kernel refused what it had granted before.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed while serving: {errno}; connections are lost, start the server again")]
pub struct ServeError {
    operation: &'static str,
    errno: Errno,
}

impl ServeError {
    /// `operation` failed for good with `errno`.
    pub const fn new(operation: &'static str, errno: Errno) -> Self {
        Self { operation, errno }
    }
}
