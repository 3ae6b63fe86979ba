//! What a nanosecond of a recording is: time, or an instruction.
//!
//! In a guest whose emulator advances the clock by one nanosecond for each instruction it executes, every time that anybody
//! reads is a count. Such a count means nothing beside a time, and neighbours of the machine do not disturb it.

use std::env;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What counts as a nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// A nanosecond.
    #[default]
    Time,
    /// An instruction of the guest, whoever executes it.
    Instructions,
}

impl Clock {
    /// The variable that tells every process of a guest: what boots it puts it on the kernel's command line.
    pub const VARIABLE: &'static str = "URING_ECHO_CLOCK";

    /// The word for it in [`VARIABLE`](Self::VARIABLE).
    pub const COUNTS: &'static str = "instructions";

    /// The clock of the machine that this process runs on.
    pub fn here() -> Self {
        match env::var(Self::VARIABLE) {
            Ok(word) if word == Self::COUNTS => Self::Instructions,
            _ => Self::Time,
        }
    }

    /// Whether it is time.
    pub fn is_time(&self) -> bool {
        *self == Self::Time
    }
}
