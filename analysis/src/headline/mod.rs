//! The headline numbers: io_uring against epoll, a row for each comparison and mode of an experiment.

mod row;
mod table;

pub use row::{Row, rows, verdict, with_interval};
pub use table::table;
