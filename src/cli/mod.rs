//! Arguments to validated configurations.

pub mod generate;
mod output;
pub mod probe;
