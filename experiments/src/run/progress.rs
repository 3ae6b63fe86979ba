//! What the user sees while runs go on: a bar with the time left on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use uring_echo::cli::output;

use crate::plan::Run;
use crate::plan::estimate;
use crate::recording::manifest::{Attempt, Status};
use crate::report::format;

/// Progress through a list of runs.
#[derive(Debug)]
pub struct Progress {
    /// `None` where standard error is no terminal.
    bar: Option<ProgressBar>,
    run_count: usize,
    done_count: usize,
    left: Pace,
    done: Pace,
    started: Instant,
    /// Cost of each engine in each cell so far, a line for the current one.
    figures: BTreeMap<String, Vec<String>>,
}

/// Time that runs take: their load, which is certain, and the rest, which is estimated.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    load: Duration,
    overhead: Duration,
}

impl Pace {
    fn add(&mut self, run: &Run) {
        self.load += run.load_time();
        self.overhead += estimate::overhead(run);
    }

    fn subtract(&mut self, run: &Run) {
        self.load = self.load.saturating_sub(run.load_time());
        self.overhead = self.overhead.saturating_sub(estimate::overhead(run));
    }
}

impl Progress {
    /// Progress through `missing`, what is not done of `run_count` runs.
    pub fn new(run_count: usize, missing: &[&Run]) -> Self {
        let done_count = run_count - missing.len();
        let mut left = Pace::default();
        missing.iter().for_each(|run| left.add(run));
        Self {
            bar: std::io::stderr().is_terminal().then(|| bar(run_count, done_count)),
            run_count,
            done_count,
            left,
            done: Pace::default(),
            started: Instant::now(),
            figures: BTreeMap::new(),
        }
    }

    /// Shows that `run` begins, with what its cell gave so far.
    pub fn begin(&self, run: &Run) {
        if let Some(bar) = &self.bar {
            self.tick(Duration::ZERO);
            let figures = self.figures.get(&run.cell.factors.key()).map(|figures| figures.join(", "));
            bar.set_message(format!("{run}\n  {}", figures.unwrap_or_default()));
        }
    }

    /// Shows the time left, `elapsed` into the current run.
    pub fn tick(&self, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(format::duration(self.time_left().saturating_sub(elapsed)) + " left");
        }
    }

    /// Shows `attempt` at `run`, which does not stand or may not, and what comes of that. [`end`](Self::end) shows the one that
    /// does.
    pub fn passed(&self, run: &Run, attempt: &Attempt, and_so: &str) {
        self.say(&format!("run {} ({run}): {}; {and_so}", run.number, outcome(attempt)));
    }

    /// Takes note of what `run` cost its server, in nanoseconds a message.
    pub fn note(&mut self, run: &Run, cpu_ns_per_message: Option<f64>) {
        let Some(cost) = cpu_ns_per_message else { return };
        let figure = format!("{} {cost:.0} ns/msg", run.engine.name);
        self.figures.entry(run.cell.factors.key()).or_default().push(figure);
    }

    /// Shows how `run` ended, in a line that stays when it is not simply valid. `attempt` is the one that stands.
    pub fn end(&mut self, run: &Run, attempt: &Attempt) {
        self.done_count += 1;
        self.left.subtract(run);
        self.done.add(run);
        match &self.bar {
            Some(bar) => {
                if attempt.status != Status::Valid || !attempt.flags.is_empty() {
                    bar.println(format!("run {} ({run}): {}", run.number, outcome(attempt)));
                }
                bar.inc(1);
            }
            None => output::note(format_args!(
                "{:>4}/{}  {run}: {}; {} left",
                self.done_count,
                self.run_count,
                outcome(attempt),
                format::duration(self.time_left())
            )),
        }
    }

    /// Shows a line that stays.
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => output::note(line),
        }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// The load that is left, and what is estimated beyond it, corrected by what the runs done took beyond theirs.
    fn time_left(&self) -> Duration {
        let spent = self.started.elapsed().saturating_sub(self.done.load);
        let correction = match self.done.overhead {
            Duration::ZERO => 1.0,
            estimated => spent.as_secs_f64() / estimated.as_secs_f64(),
        };
        self.left.load + self.left.overhead.mul_f64(correction)
    }
}

fn outcome(attempt: &Attempt) -> String {
    let word = match attempt.status {
        Status::Planned => "not run",
        Status::Valid if attempt.flags.is_empty() => "valid",
        Status::Valid => "noisy",
        Status::Invalid => "invalid",
        Status::Failed => "failed",
    };
    let details: Vec<_> = attempt.reasons.iter().chain(&attempt.flags).map(String::as_str).collect();
    if details.is_empty() { word.into() } else { format!("{word}: {}", details.join("; ")) }
}

fn bar(run_count: usize, done_count: usize) -> ProgressBar {
    // Drawing costs time on the client's core; four times a second is enough for a person.
    const DRAWS_PER_S: u8 = 4;
    let style = ProgressStyle::with_template("{bar:24.cyan} {pos}/{len}  {prefix}  {msg}");
    ProgressBar::with_draw_target(Some(run_count as u64), ProgressDrawTarget::stderr_with_hz(DRAWS_PER_S))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_position(done_count as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_says_why_it_is_not_simply_valid() {
        let attempt = Attempt { status: Status::Valid, ..Attempt::default() };
        assert_eq!(outcome(&attempt), "valid");
        let noisy = Attempt { flags: vec!["noise.steal_ns: 0.1 > 0.02".into()], ..attempt.clone() };
        assert_eq!(outcome(&noisy), "noisy: noise.steal_ns: 0.1 > 0.02");
        let failed = Attempt { status: Status::Failed, reasons: vec!["client-hung".into()], ..attempt };
        assert_eq!(outcome(&failed), "failed: client-hung");
    }
}
