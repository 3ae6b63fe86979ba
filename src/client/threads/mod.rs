//! The threads that drive the connections: what each is to do, how it does it, how it is led, what it leaves behind.

mod connect;
pub(crate) mod control;
pub(crate) mod crew;
mod driver;
pub(crate) mod job;
pub(crate) mod outcome;
mod work;
