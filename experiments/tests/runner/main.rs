//! The programs of this package, as a user starts them.
//!
//! One test program for all of it: most of these tests wait, for runs to end or to be ended, and so wait together.

mod announced;
mod bench;
mod converted;
mod doctor;
mod interrupted;
mod list;
mod narrow;
mod planted;
mod quick;
mod reader_gone;
mod recordings;
mod resumed;
mod spec;
mod variants;
