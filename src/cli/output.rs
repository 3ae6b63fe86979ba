//! Text for standard output, and lines for standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};

/// What a shell reports of a command whose arguments make no sense.
pub const USAGE_ERROR: u8 = 2;

/// Writes all of `text` to `out`.
///
/// A reader that has seen enough, such as `head`, closes the pipe: that is no error.
///
/// # Errors
/// When it cannot be written, for instance because the disk is full; `what` says to the user what is lost.
pub fn write(out: &mut impl Write, text: &[u8], what: &str) -> Result<()> {
    unless_unread(out.write_all(text).and_then(|()| out.flush()), what)
}

fn unless_unread(written: io::Result<()>, what: &str) -> Result<()> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).with_context(|| format!("cannot write {what}"))
        }
        _ => Ok(()),
    }
}

/// Prints what clap has to `tell`, and returns the exit code for it: help goes to standard output, a usage error to standard
/// error.
///
/// # Errors
/// As [`write()`], for help alone: a usage error that nobody reads is one all the same.
pub fn tell(tell: &clap::Error) -> Result<ExitCode> {
    let printed = tell.print().and_then(|()| io::stdout().flush());
    if tell.use_stderr() {
        return Ok(ExitCode::from(USAGE_ERROR));
    }
    unless_unread(printed, "the help").map(|()| ExitCode::SUCCESS)
}

/// As [`write()`], for standard output.
///
/// # Errors
/// As there.
pub fn say(text: &str, what: &str) -> Result<()> {
    write(&mut io::stdout().lock(), text.as_bytes(), what)
}

/// Writes `line` to standard error.
///
/// What stands there accompanies the work and is not its result: a terminal that was closed or a disk that is full ends
/// no measurement. `eprintln!` would panic.
pub fn note(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_error() {
        write(&mut Failing(ErrorKind::BrokenPipe), b"text", "the report").unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error_that_names_what_is_lost() {
        let error = write(&mut Failing(ErrorKind::StorageFull), b"text", "the report").unwrap_err();
        assert_eq!(error.to_string(), "cannot write the report");
    }

    #[test]
    fn text_arrives_whole() {
        let mut out = Vec::new();
        write(&mut out, b"text", "the report").unwrap();
        assert_eq!(out, b"text");
    }
}
