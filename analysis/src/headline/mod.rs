//! The headline numbers: io_uring against epoll, a row for each comparison and mode of an experiment.

mod row;
mod table;

pub(crate) use row::{rows, with_interval};
pub(crate) use table::table;
