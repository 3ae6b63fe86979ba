//! The load: connections that send, check every byte that comes back, and measure the server that echoes them.
//!
//! One coordinating thread leads a run through its phases (`run`); load threads (`threads::driver`) serve their share
//! of the flows, each with its own epoll instance, buffer and histogram, and share nothing but a phase number.
//!
//! | module | holds |
//! |---|---|
//! | `config`, `fault` | what is asked of a run, and its bounds; what voids it |
//! | `load` | the bytes: what they are (`pattern`), when they may go (`schedule`, `ledger`) or should (`arrivals`), over what (`flow`), how long they take (`stopwatch`); put together for each kind of load (`pace`, `open_loop`); the `phase` of a run |
//! | `threads` | who does it: what a thread is to do (`job`), its loop (`work`, `connect`, `driver`), what it leaves (`outcome`); how the coordinator and the threads talk (`control`, `crew`) |
//! | `watch` | what is seen meanwhile: the server from outside (`observe`, `stats_tail`), the window second by second (`series`, `progress`), whether the client was there to see it (`stalls`) |
//! | `account` | what is left: the record (`evidence`, `assemble`, `provenance`), its derived values (`summary`), whether the window is what was asked for (`window`) and an open loop kept its pace (`pacing`), the rendering for people (`report`) |
//! | `run`, `quantity` | the coordinator; quantities for people |
//!
//! Imports point down: `run` names all of them, `account` and `watch` name `threads`, which names `load`.

mod account;
mod config;
mod fault;
mod load;
mod quantity;
mod run;
#[cfg(test)]
mod testing;
mod threads;
mod watch;

pub use account::report::render;
pub use config::{
    BATCH_MAX, CONNECTIONS_MAX, ClientConfig, ConfigError, DEPTH_MAX, IN_FLIGHT_MAX, PAYLOAD_MAX, RATE_MAX,
    THREADS_MAX, UNANSWERED_MAX, in_flight_bytes_default,
};
pub use fault::Fault;
pub use run::{descriptors_needed, run};
