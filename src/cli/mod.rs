//! Arguments to validated configurations.

pub mod client;
