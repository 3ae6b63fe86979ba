//! A server's stats file, read as it grows.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::client::fault::Fault;
use crate::measure::counters::{Counters, Settings, StatsLine};
use crate::sys::clock;
use crate::units::Nanos;

/// How long a server may take to write a line it owes. An iteration over ten thousand connections that all have work takes
/// seconds when the core is shared.
const LINE_LIMIT: Nanos = Nanos::from_secs(10);

/// How often the file is looked at meanwhile.
const LOOK_PERIOD: Duration = Duration::from_millis(1);

/// The counters at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    /// CLOCK_MONOTONIC when they were read.
    pub(crate) at: Nanos,
    /// The counters.
    pub(crate) counters: Counters,
}

/// The reading end of a stats file.
#[derive(Debug)]
pub(crate) struct StatsTail {
    path: PathBuf,
    file: File,
    /// Read and not yet a whole line.
    pending: Vec<u8>,
}

impl StatsTail {
    /// Opens the file and reads the last `start` line in it: who writes it, and with which settings.
    ///
    /// # Errors
    /// When there is no such file, or no such line within [`LINE_LIMIT`].
    pub(crate) fn open(path: &Path) -> Result<(Self, u32, Settings), Fault> {
        let observe = |cause: String| Fault::Observe { path: path.into(), cause };
        let file =
            File::open(path).map_err(|error| observe(format!("{error}; start the server with --stats")))?;
        let mut tail = Self { path: path.into(), file, pending: Vec::new() };
        let deadline = clock::monotonic() + LINE_LIMIT;
        let mut start = None;
        loop {
            match tail.next_line()? {
                Some(StatsLine::Start { pid, settings }) => start = Some((pid, settings)),
                Some(_) => {}
                None if start.is_some() => break,
                None if clock::monotonic() > deadline => {
                    return Err(observe(
                        "no start line in it; is it the file of a uring-echo server?".into(),
                    ));
                }
                None => thread::sleep(LOOK_PERIOD),
            }
        }
        let (pid, settings) = start.expect("the loop ends with a start line");
        Ok((tail, pid, settings))
    }

    /// The snapshot that the server writes in answer to a request made just before.
    ///
    /// # Errors
    /// When it does not, within [`LINE_LIMIT`].
    pub(crate) fn await_snapshot(&mut self) -> Result<Snapshot, Fault> {
        let deadline = clock::monotonic() + LINE_LIMIT;
        loop {
            match self.next_line()? {
                Some(StatsLine::Snapshot { at_ns, counters, .. }) => {
                    return Ok(Snapshot { at: at_ns, counters });
                }
                Some(_) => {}
                None if clock::monotonic() > deadline => {
                    let limit_s = LINE_LIMIT.as_secs_f64();
                    return Err(self.fault(format!(
                        "no snapshot within {limit_s} s of SIGUSR1; does the server still run?"
                    )));
                }
                None => thread::sleep(LOOK_PERIOD),
            }
        }
    }

    fn next_line(&mut self) -> Result<Option<StatsLine>, Fault> {
        let line = self.next_raw_line().map_err(|error| self.fault(error.to_string()))?;
        let parsed = line.map(|line| serde_json::from_slice(&line)).transpose();
        parsed.map_err(|error| self.fault(format!("{error}; it was written by another version")))
    }

    fn next_raw_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if !self.pending.contains(&b'\n') {
            self.file.read_to_end(&mut self.pending)?;
        }
        let end = self.pending.iter().position(|&byte| byte == b'\n');
        Ok(end.map(|end| self.pending.drain(..=end).collect()))
    }

    fn fault(&self, cause: String) -> Fault {
        Fault::Observe { path: self.path.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const START: &str = r#"{"kind":"start","pid":7,"settings":{"engine":"epoll"}}"#;

    #[test]
    fn the_last_start_line_counts() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, r#"{{"kind":"start","pid":1,"settings":{{}}}}"#).unwrap();
        writeln!(file, "{START}").unwrap();
        let (_, pid, settings) = StatsTail::open(file.path()).unwrap();
        assert_eq!((pid, settings["engine"].as_str()), (7, "epoll"));
    }

    #[test]
    fn a_line_is_taken_only_when_it_is_whole() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{START}").unwrap();
        let (mut tail, ..) = StatsTail::open(file.path()).unwrap();
        let counters = serde_json::to_string(&Counters { syscalls: 5, ..Counters::default() }).unwrap();
        write!(file, r#"{{"kind":"snapshot","at_ns":9,"connections":1,"#).unwrap();
        assert!(tail.next_line().unwrap().is_none());
        writeln!(file, r#""counters":{counters}}}"#).unwrap();
        let snapshot = tail.await_snapshot().unwrap();
        assert_eq!((snapshot.at, snapshot.counters.syscalls), (Nanos(9), 5));
    }

    #[test]
    fn a_file_that_is_not_there_asks_for_the_servers_flag() {
        let fault = StatsTail::open(Path::new("/nonexistent/stats")).unwrap_err();
        assert!(fault.reason().contains("--stats"), "{fault}");
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "hello").unwrap();
        assert_eq!(StatsTail::open(file.path()).unwrap_err().word(), "observe");
    }
}
