//! What a server on epoll watches besides its connections.

use std::os::fd::AsFd;

use crate::server::shell::error::StartError;
use crate::server::shell::lifecycle::Lifecycle;
use crate::server::shell::listener::Listener;
use crate::sys::epoll::{Epoll, Interest};
use crate::token::{Op, Token};

/// An epoll instance that tells of a filling backlog and of signals, by their tokens.
///
/// # Errors
/// When the kernel has no descriptor or no memory for it.
pub(in crate::server) fn open(listener: &Listener, lifecycle: &Lifecycle) -> Result<Epoll, StartError> {
    let epoll =
        Epoll::new().map_err(|errno| StartError::resource("cannot create an epoll instance", errno))?;
    for (fd, op, interest) in [
        (listener.as_fd(), Op::Listener, Interest::READ_EDGE),
        // Level-triggered: signals of one kind coalesce, so one left unread would raise no second edge.
        (lifecycle.as_fd(), Op::Signal, Interest::READ),
    ] {
        epoll
            .add(fd, Token::global(op).to_bits(), interest)
            .map_err(|errno| StartError::resource("cannot watch a descriptor with epoll", errno))?;
    }
    Ok(epoll)
}
