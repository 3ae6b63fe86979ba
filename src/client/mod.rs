//! The load: connections that send, check every byte that comes back, and measure the server that echoes them.
//!
//! One coordinating thread leads a run through its phases (`run`); load threads (`driver`) serve their share of
//! the flows, each with its own epoll instance, buffer and histogram, and share nothing but a phase number.
//!
//! | module | holds |
//! |---|---|
//! | `config` | what is asked of a run, and its bounds |
//! | `ledger`, `schedule`, `pattern`, `stopwatch` | one flow's bytes; when it may send; what; how long it takes. Pure: no system calls |
//! | `flow`, `connect`, `driver`, `outcome` | one connection; establishing them; a thread that serves its share; what it leaves behind |
//! | `phase`, `crew` | how coordinator and threads talk |
//! | `observe`, `stats_tail` | the server, seen from outside |
//! | `series`, `progress` | the window second by second, for the record and for whoever waits |
//! | `fault` | what voids a run |
//! | `assemble`, `summary`, `report` | the record, its derived values, its rendering for people |

mod assemble;
mod config;
mod connect;
mod crew;
mod driver;
mod fault;
mod flow;
mod ledger;
mod observe;
mod outcome;
mod pattern;
mod phase;
mod progress;
mod provenance;
mod report;
mod run;
mod schedule;
mod series;
mod stats_tail;
mod stopwatch;
mod summary;

pub use config::{
    CONNECTIONS_MAX, ClientConfig, ConfigError, DEPTH_MAX, PAYLOAD_MAX, RATE_MAX, in_flight_bytes_default,
};
pub use fault::Fault;
pub use report::render;
pub use run::run;
