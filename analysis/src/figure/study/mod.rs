//! Every figure of a study: from its recordings to the plain numbers that figures take.

mod cells;
mod distributions;
mod effects;
mod open;
mod published;
mod scale;

use experiments::spec::Size;
use uring_echo::record::Mode;

use super::input::{About, Compared, Workload};
use super::{Figure, Source, beside, curves, grid};
use crate::chart::{Better, Sheet};
use crate::grid::Comparison;
use crate::metric;
use crate::recording::{Recording, Run};
use crate::study::Study;
use crate::values::{ExperimentValues, GridValues};

/// What drew the figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Revision of the program; `None` if the build did not say.
    pub revision: Option<String>,
    /// What to run to get the figures again.
    pub command: String,
}

/// A figure, the part of the report that it belongs to, and how to read it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The figure.
    pub figure: Figure,
    /// How to read it.
    pub how_to_read: &'static str,
}

/// The figures of one experiment, or of the study of 2023.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// The experiment, or `published`.
    pub name: String,
    /// Its figures, in the order of the report.
    pub figures: Vec<Drawn>,
}

/// Every figure of `study`, experiments first.
///
/// # Errors
/// When the published results that this program was built with are damaged.
pub fn chapters(study: &Study, origin: &Origin) -> anyhow::Result<Vec<Chapter>> {
    let published = published::runs()?;
    let known = super::published::compared(&published);
    let of = |recording: &Recording| {
        let values = study.values.experiments.get(recording.experiment())?;
        Some(chapter(recording, values, &known, origin))
    };
    let mut chapters: Vec<Chapter> = study.recordings.iter().filter_map(of).collect();
    chapters.push(published::chapter(&published, origin));
    Ok(chapters)
}

/// A recording on the way to its figures.
struct Drawing<'a> {
    recording: &'a Recording,
    values: &'a ExperimentValues,
    grid: &'a GridValues,
    about: About,
    origin: &'a Origin,
    figures: Vec<Drawn>,
}

fn chapter(
    recording: &Recording,
    values: &ExperimentValues,
    published: &[Compared],
    origin: &Origin,
) -> Chapter {
    let grid = &values.grid;
    let about = About { quick: is_quick(recording), interval: interval(grid), variants: None };
    let mut drawing = Drawing { recording, values, grid, about, origin, figures: Vec::new() };
    drawing.of_factors();
    if !cells::is_plain(grid) {
        return Chapter { name: recording.experiment().to_owned(), figures: drawing.figures };
    }
    for comparison in grid.comparisons().iter().filter(|comparison| comparison.is_of_engines()) {
        drawing.ratios(comparison);
        drawing.beside(comparison, published);
    }
    drawing.effects();
    for mode in [Mode::Stream, Mode::ReqRes] {
        if grid.rows().any(|row| row.cell.factors.mode == mode) {
            drawing.of_mode(mode);
        }
    }
    Chapter { name: recording.experiment().to_owned(), figures: drawing.figures }
}

/// Whether the recording is too short or too small for claims.
fn is_quick(recording: &Recording) -> bool {
    recording.manifest.size == Size::Quick
}

/// On how many repetitions figures stand, where that differs the fewest and the most.
fn repetitions(grid: &GridValues) -> String {
    let counts = grid.rows().flat_map(|row| row.engines.values().map(|engine| engine.runs));
    let counts: Vec<usize> = counts.filter(|count| *count > 0).collect();
    match (counts.iter().min(), counts.iter().max()) {
        (Some(1), Some(1)) => "1 repetition".to_owned(),
        (Some(least), Some(most)) if least == most => format!("{most} repetitions"),
        (Some(least), Some(most)) => format!("{least} to {most} repetitions"),
        _ => "no repetition".to_owned(),
    }
}

/// What an interval is and on how many repetitions it stands.
fn interval(grid: &GridValues) -> String {
    format!("Medians of {}; intervals: 95 % bootstrap.", repetitions(grid))
}

/// How a heat map reads.
const READ_HEAT: &str = "A cell is io_uring divided by epoll. Orange: io_uring is better; blue: epoll is; the stronger, the \
                         larger the factor. Only bold cells claim a difference.";
const READ_BARS: &str = "Each group is a number of connections, each panel a size of message. Taller is better. Where the \
                         client was the limit, throughput says little of the server: compare CPU time.";
const READ_COST: &str = "Lower is better. The axis is logarithmic: equal distances are equal factors. Intervals that do not \
                         overlap differ.";
const READ_PAIRS: &str = "Each row is a cell, each marker a ratio of io_uring to epoll. Two markers on the same side of the \
                          line agree about who is faster.";
const READ_TAIL: &str = "Each further nine takes the same room, so the right half is the slowest hundredth of the messages. \
                         Lower is better.";
const READ_SHARES: &str = "A connection at 1 got its fair share. A steep curve at 1 is fair; a flat or stepped one means that \
                           some got more than others.";
const READ_SECONDS: &str = "One repetition, second by second. A slope is drift, a hole is a stall.";

const READ_VICTIMS: &str = "Left, how long connections that behave well wait beside each kind of hog, lower is better; right, \
                            what they get, higher is better. Compare a server's row with its row without hogs.";
const READ_LOAD: &str = "Solid: from when a message should have been sent, which is what a user feels; dashed: from when it was \
                         sent, which hides the wait before. Where they part, the server no longer keeps up.";
const READ_SCALE: &str = "Each panel is another quantity; lower is better. A level line means that one more connection changes \
                          nothing for the others. Memory is that of the process, without the kernel's socket buffers.";
const READ_EFFECTS: &str = "Each row is one server divided by another in the same cells, with its interval. Left of the line the \
                            first has the smaller value, right of it the larger.";

impl Drawing<'_> {
    fn add(&mut self, what: &str, sheet: Sheet, how_to_read: &'static str, is_in: impl Fn(&Run) -> bool) {
        let runs = self.recording.counted().filter(|run| is_in(run));
        let run_ids = runs.filter_map(|run| run.record.as_ref()).map(|record| record.run_id.clone());
        let source = Source {
            experiment: self.recording.experiment().to_owned(),
            recordings: vec![self.recording.manifest.recording.clone()],
            run_ids: run_ids.collect(),
            revision: self.origin.revision.clone(),
            command: self.origin.command.clone(),
        };
        let stem = format!("{}-{what}", self.recording.experiment());
        self.figures.push(Drawn { figure: Figure { stem, sheet, source }, how_to_read });
    }

    /// Name of a figure of `mode`: without it where the experiment has only one.
    fn name(&self, mode: Mode, what: &str) -> String {
        let several = self.grid.rows().any(|row| row.cell.factors.mode != mode);
        if several { format!("{mode}-{what}") } else { what.to_owned() }
    }

    /// What tells figures of `comparison` apart from those of another one, in their stem and in their title.
    fn of_pair(&self, comparison: &Comparison) -> (String, About) {
        if !cells::has_variants(self.grid) {
            return (String::new(), self.about.clone());
        }
        let variants = Some((comparison.of.clone(), comparison.to.clone()));
        let suffix = format!("-{}-{}", comparison.of, comparison.to);
        (suffix, About { variants, ..self.about.clone() })
    }

    fn ratios(&mut self, comparison: &Comparison) {
        let shown = [
            ("cpu", "Server CPU time per message", metric::CPU, Better::Lower),
            ("throughput", "Messages per second", metric::MESSAGES, Better::Higher),
        ];
        let (suffix, about) = self.of_pair(comparison);
        for (what, title, metric, better) in shown {
            let compared = cells::compared(self.grid, comparison, metric);
            let sheet = grid::ratios(title, better, &compared, &about);
            self.add(&format!("ratios-{what}{suffix}"), sheet, READ_HEAT, |run| {
                cells::is_one_of(run, comparison)
            });
        }
    }

    /// Beside what was published, as far as it was measured there as well.
    fn beside(&mut self, comparison: &Comparison, published: &[Compared]) {
        let ours = cells::compared(self.grid, comparison, metric::MESSAGES);
        let is_published = |own: &Compared| published.iter().any(|theirs| theirs.at == own.at);
        let ours: Vec<Compared> = ours.into_iter().filter(is_published).collect();
        if !ours.is_empty() {
            let (suffix, about) = self.of_pair(comparison);
            let sheet = beside::pairs("Responses per second", published, &ours, &about);
            self.add(&format!("beside-2023{suffix}"), sheet, READ_PAIRS, |run| {
                cells::is_one_of(run, comparison)
            });
        }
    }

    /// Figures of what payload and connections do not tell apart.
    fn of_factors(&mut self) {
        for (what, sheet) in open::victims(self.grid, &self.about) {
            self.add(&what, sheet, READ_VICTIMS, |_| true);
        }
        for (what, sheet) in open::loads(self.recording, self.grid, &self.about) {
            self.add(&what, sheet, READ_LOAD, |run| open::is_open(&run.place.cell));
        }
        for (what, sheet) in open::tails(self.recording, self.grid, &self.merged()) {
            self.add(&what, sheet, READ_LOAD, |run| open::is_open(&run.place.cell));
        }
        for (what, sheet, keys) in scale::figures(self.recording, self.grid, &self.about) {
            self.add(&what, sheet, READ_SCALE, |run| keys.contains(&run.place.cell.key));
        }
    }

    /// What is said of percentiles of all repetitions together.
    fn merged(&self) -> About {
        let interval = format!("Histograms of {} merged.", repetitions(self.grid));
        About { interval, ..self.about.clone() }
    }

    fn effects(&mut self) {
        let comparisons = self.grid.comparisons();
        for (what, sheet) in effects::figures(self.recording, self.values, &self.about) {
            self.add(what, sheet, READ_EFFECTS, |run| {
                comparisons.iter().any(|comparison| cells::is_one_of(run, comparison))
            });
        }
    }

    fn of_mode(&mut self, mode: Mode) {
        let workload = cells::workload(mode);
        let is_in = |run: &Run| run.place.cell.factors.mode == mode;
        let shown = [
            ("throughput", metric::MESSAGES, grid::Shown::responses(), READ_BARS),
            ("cpu", metric::CPU, grid::Shown::cpu(), READ_COST),
            ("syscalls", metric::SYSCALLS, grid::Shown::syscalls(), READ_COST),
        ];
        for (what, metric, shown, how_to_read) in shown {
            let measured = cells::measured(self.grid, metric);
            let sheet = grid::by_payload(workload, &measured, &shown, &self.about);
            self.add(&self.name(mode, what), sheet, how_to_read, is_in);
        }
        self.distributions(mode, workload);
    }

    fn distributions(&mut self, mode: Mode, workload: Workload) {
        let keys = distributions::telling(self.grid, mode);
        let is_in = |run: &Run| keys.contains(&run.place.cell.key);
        let title = |what: &str| format!("{}: {what}", workload.title());
        let latency = distributions::latency(self.recording, self.grid, &keys);
        if !latency.is_empty() {
            let sheet = curves::percentiles(&title("latency by percentile"), &latency, &self.merged());
            self.add(&self.name(mode, "latency"), sheet, READ_TAIL, is_in);
        }
        let together = format!("Connections of {} together.", repetitions(self.grid));
        let pooled = About { interval: together, ..self.about.clone() };
        let shares = distributions::shares(self.recording, self.grid, &keys);
        if !shares.is_empty() {
            let sheet = curves::connections(&title("what each connection got"), &shares, &pooled);
            self.add(&self.name(mode, "connections"), sheet, READ_SHARES, is_in);
        }
        let first = About { interval: "The first repetition that counts.".to_owned(), ..self.about.clone() };
        let seconds = distributions::seconds(self.recording, self.grid, &keys);
        if !seconds.is_empty() {
            let sheet = curves::seconds(&title("second by second"), &seconds, &first);
            self.add(&self.name(mode, "seconds"), sheet, READ_SECONDS, is_in);
        }
    }
}
