//! The system calls: everything `unsafe` in this project, wrapped so that callers need none.
//!
//! Wrappers add no policy. They turn integers into types, −1 into [`Errno`], and state the kernel's contract;
//! what to do about a result is decided by the caller.

#![allow(unsafe_code)]

pub mod affinity;
pub mod buf_ring;
pub mod calls;
mod chains;
pub mod clock;
mod completion;
pub mod cpu_time;
pub mod direct;
pub mod epoll;
pub mod epoll_probe;
pub mod errno;
#[cfg(test)]
pub(crate) mod fake_kernel;
pub mod groups;
pub mod limits;
pub mod map;
pub mod multishot;
pub mod nop_ring;
pub mod offload;
pub mod private;
pub mod process;
pub mod queues;
pub mod readiness;
pub mod ring;
pub mod ring_wait;
pub mod scheduling;
pub mod signal;
pub mod socket;
pub mod syscall_counter;
pub mod uring_probe;
mod vectors;

pub use errno::Errno;
