//! Two TCP echo servers that do the same work through epoll and through io_uring, and the client that measures them.
//!
//! Read in this order:
//!
//! | module | holds |
//! |---|---|
//! | [`cli`] | arguments to validated configurations |
//! | [`probe`] | what this kernel offers to the two servers |
//! | [`server`] | the twins [`server::epoll`] and [`server::uring`], and what they share: the connection's phases and ledger, the budget, the listener, the counters |
//! | [`client`] | the load: pattern, schedule, one flow a connection, the driver |
//! | [`record`] | the document that a run leaves behind |
//! | [`refusal`] | why the kernel refused a ring, and the remedy |
//! | [`measure`] | histograms, fairness, counters, what machine this is |
//! | [`sys`] | system calls; the only `unsafe` |
//! | [`slab`], [`token`], [`units`], [`kernel_version`] | slots with generations, what a completion is about, quantities, releases |
//! | [`cpu_list`], [`hash`], [`random`], [`table`], [`words`] | lists of CPUs, SHA-256 in hexadecimal, numbers that a seed brings back, columns of text, words that depend on a number |
//!
//! Imports point down this table. Server and client never import each other; `tests/tidy.rs` holds that.

pub mod cli;
pub mod client;
pub mod cpu_list;
pub mod hash;
pub mod kernel_version;
pub mod measure;
pub mod probe;
pub mod random;
pub mod record;
pub mod refusal;
pub mod server;
pub mod slab;
pub mod sys;
pub mod table;
pub mod token;
pub mod units;
pub mod words;
