//! What the program says of a kernel, of a run and of itself.

mod probe;
mod record;
mod revision;
