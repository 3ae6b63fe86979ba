//! The write-up of the measurements, compiled to PDF with an embedded Typst.
//!
//! The text is in `paper/main.typ` and `paper/sections/`. Each number in it that was measured comes from `values.json` and
//! each figure from a folder of SVG files; the `analysis` computes both. One that is missing ends the build by name.
//!
//! The same text, values and figures give the same bytes: fonts are built in, and there is no date, network or package.

// A reader that went away ends no work: see `uring_echo::cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod compile;
pub mod inputs;
pub mod text;
pub mod values;
mod world;
