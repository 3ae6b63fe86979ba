//! The ways a boot goes wrong. Each says what happened and what to look at.

use std::path::Path;

use guest::record::Ended;

/// How many lines of the console an error quotes.
const TAIL_LINES: usize = 15;

/// Why there is no good verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The emulator could not be started.
    #[error(
        "no qemu: cannot start {program}: {cause}; install it (Debian: apt-get install qemu-system-x86) or pass --qemu PROGRAM"
    )]
    NoQemu {
        /// What was to be started.
        program: String,
        /// Why it was not.
        cause: String,
    },
    /// The emulator gave up by itself, before or while the guest ran.
    #[error("qemu failed: {status}: {messages}")]
    QemuFailed {
        /// How it exited.
        status: String,
        /// What it wrote.
        messages: String,
    },
    /// The guest's first process never reported.
    #[error("the guest did not boot within its time; a larger --boot-timeout-s may help\n{tail}")]
    BootTimedOut {
        /// The console's end.
        tail: String,
    },
    /// The guest booted and was not done in time.
    #[error(
        "the guest was not done within its time: {done} of {wanted} steps were over; a larger --timeout-s may help\n{tail}"
    )]
    TimedOut {
        /// Steps reported.
        done: usize,
        /// Steps asked for.
        wanted: usize,
        /// The console's end.
        tail: String,
    },
    /// The guest's memory ran out, while it booted or while it worked.
    #[error("the guest ran out of memory; a larger --memory-mib may help\n{said}\n{tail}")]
    OutOfMemory {
        /// The kernel's own lines, indented.
        said: String,
        /// The console's end.
        tail: String,
    },
    /// The guest's kernel panicked.
    #[error("the guest panicked: {line}{hint}\n{tail}")]
    Panicked {
        /// The kernel's own words.
        line: String,
        /// What may help.
        hint: &'static str,
        /// The console's end.
        tail: String,
    },
    /// The guest went off without reporting an end.
    #[error("the guest went off before its report was complete{hint}\n{tail}")]
    Incomplete {
        /// What may help.
        hint: &'static str,
        /// The console's end.
        tail: String,
    },
    /// The second serial line holds something else than a report.
    #[error("line {line} of the guest's report makes no sense: {cause}: {excerpt:?}\n{tail}")]
    Garbage {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
        /// Its beginning.
        excerpt: String,
        /// The console's end.
        tail: String,
    },
    /// The report is well formed and is about something else than what was asked for.
    #[error("the guest was asked to run {wanted:?} and reports on {found:?}\n{tail}")]
    WrongSteps {
        /// Steps asked for.
        wanted: Vec<String>,
        /// Steps reported.
        found: Vec<String>,
        /// The console's end.
        tail: String,
    },
    /// A step ended badly.
    #[error("step {name} failed: {ended}{hint}\n{tail}")]
    StepFailed {
        /// Which.
        name: String,
        /// How.
        ended: Ended,
        /// What may help.
        hint: &'static str,
        /// The end of the step's output.
        tail: String,
    },
    /// A step did its work and what it found is not what was to be expected of this kernel.
    #[error("step {name}: {complaint}\n{tail}")]
    Unexpected {
        /// Which.
        name: String,
        /// What differs.
        complaint: String,
        /// The end of the step's output.
        tail: String,
    },
    /// The suite passed without running anything.
    #[error("step {name} ran no test: do the arguments name one?\n{tail}")]
    NothingTested {
        /// Which.
        name: String,
        /// The end of the step's output.
        tail: String,
    },
}

/// The last lines of `text`, indented, and where to read all of it.
pub(crate) fn tail(title: &str, text: &str, path: &Path) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return format!("{title}: empty");
    }
    let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    let quoted: Vec<String> = last.iter().map(|line| format!("    {line}")).collect();
    format!("{title}, last lines (all of it: {}):\n{}", path.display(), quoted.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_quotes_the_last_lines_and_says_where_the_rest_is() {
        let text: String = (1..=40).map(|n| format!("line {n}\r\n")).collect();
        let tail = tail("console", &text, Path::new("run/console.log"));
        assert!(
            tail.starts_with("console, last lines (all of it: run/console.log):\n    line 26\n"),
            "{tail}"
        );
        assert!(tail.ends_with("    line 40"), "{tail}");
    }

    #[test]
    fn a_silent_console_is_said_to_be_empty() {
        assert_eq!(tail("console", "\r\n", Path::new("c")), "console: empty");
    }
}
