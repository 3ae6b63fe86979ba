//! What may happen next, and what is owed. Pure: nothing here knows of a system call.

pub mod budget;
pub mod connection;
pub mod queue;
