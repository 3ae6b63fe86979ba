//! What the user sees while runs go on: a bar with the time left on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::format;
use crate::plan::{OVERHEAD_PER_RUN, Run};

/// Progress through a list of runs.
#[derive(Debug)]
pub struct Progress {
    /// `None` where standard error is no terminal.
    bar: Option<ProgressBar>,
    run_count: usize,
    done_count: usize,
    /// Load time of the runs that are not done.
    load_left: Duration,
    load_done: Duration,
    started: Instant,
}

impl Progress {
    /// Progress through `runs`, of which none is done.
    pub fn new(runs: &[Run<'_>]) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:24.cyan} {pos}/{len}  {prefix} left  {msg}");
            ProgressBar::new(runs.len() as u64)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            run_count: runs.len(),
            done_count: 0,
            load_left: runs.iter().map(Run::load_time).sum(),
            load_done: Duration::ZERO,
            started: Instant::now(),
        }
    }

    /// Shows that `run` begins.
    pub fn begin(&self, run: &Run<'_>) {
        if let Some(bar) = &self.bar {
            bar.set_message(format::run(run));
            self.tick(Duration::ZERO);
        }
    }

    /// Shows the time left, `elapsed` into the current run.
    pub fn tick(&self, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(format::duration(self.left().saturating_sub(elapsed)));
            bar.tick();
        }
    }

    /// Shows how `run` ended.
    pub fn end(&mut self, run: &Run<'_>, outcome: &str) {
        self.done_count += 1;
        self.load_left = self.load_left.saturating_sub(run.load_time());
        self.load_done += run.load_time();
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => eprintln!(
                "{:>4}/{}  {}: {outcome}; {} left",
                self.done_count,
                self.run_count,
                format::run(run),
                format::duration(self.left())
            ),
        }
    }

    /// Shows a line that stays.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// The load that is left, and for each run left what the runs done spent beyond their load.
    fn left(&self) -> Duration {
        let left_count = u32::try_from(self.run_count - self.done_count).unwrap_or(u32::MAX);
        let overhead = match u32::try_from(self.done_count) {
            Ok(done_count @ 1..) => self.started.elapsed().saturating_sub(self.load_done) / done_count,
            _ => OVERHEAD_PER_RUN,
        };
        self.load_left + overhead * left_count
    }
}
