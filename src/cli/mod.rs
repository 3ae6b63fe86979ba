//! Arguments to validated configurations.

pub mod generate;
pub mod probe;
