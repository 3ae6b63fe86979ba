//! The load: connections that send, check every byte that comes back, and measure the server that echoes them.
//!
//! One coordinating thread leads a run through its phases (`run`); load threads (`driver`) serve their share of
//! the flows, each with its own epoll instance, buffer and histogram, and share nothing but a phase number.
//!
//! | module | holds |
//! |---|---|
//! | `config` | what is asked of a run, and its bounds |
//! | `ledger`, `schedule`, `arrivals`, `pattern`, `random`, `stopwatch` | one flow's bytes; when it may send, and when it should in an open loop; what; how long it takes. Pure: no system calls |
//! | `flow`, `connect`, `driver`, `outcome` | one connection; establishing them; a thread that serves its share; what it leaves behind |
//! | `pace`, `open_loop`, `group` | what the flows of a driver do: closed loop, open loop, hogs, idle; which threads do what |
//! | `phase`, `crew` | how coordinator and threads talk |
//! | `observe`, `stats_tail` | the server, seen from outside |
//! | `series`, `progress` | the window second by second, for the record and for whoever waits |
//! | `fault` | what voids a run |
//! | `assemble`, `summary`, `pacing`, `report` | the record, its derived values, whether an open loop kept its pace, the rendering for people |

mod arrivals;
mod assemble;
mod config;
mod connect;
mod crew;
mod driver;
mod fault;
mod flow;
mod group;
mod ledger;
mod observe;
mod open_loop;
mod outcome;
mod pace;
mod pacing;
mod pattern;
mod phase;
mod progress;
mod provenance;
mod random;
mod report;
mod run;
mod schedule;
mod series;
mod stats_tail;
mod stopwatch;
mod summary;
#[cfg(test)]
mod testing;

pub use config::{
    CONNECTIONS_MAX, ClientConfig, ConfigError, DEPTH_MAX, PAYLOAD_MAX, RATE_MAX, in_flight_bytes_default,
};
pub use fault::Fault;
pub use report::render;
pub use run::run;
