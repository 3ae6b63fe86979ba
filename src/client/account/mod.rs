//! What is left of a run: its record, the values derived from it, whether to believe it, its rendering for people.

pub(crate) mod assemble;
pub(crate) mod evidence;
mod pacing;
mod provenance;
pub(crate) mod report;
mod summary;
mod window;
