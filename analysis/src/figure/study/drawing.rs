//! From a recording to its figures.

use uring_echo::record::Mode;

use super::drawn::{Chapter, Drawn, Origin};
use super::{about, cells, distributions, effects, open, reading, scale, victims};
use crate::chart::{Better, Sheet};
use crate::figure::input::{About, Compared, MODES, title};
use crate::figure::{Figure, Source, beside, curves, grid};
use crate::grid::Comparison;
use crate::metric;
use crate::recording::{Recording, Run};
use crate::values::{ExperimentValues, GridValues};

/// A recording on the way to its figures.
struct Drawing<'a> {
    recording: &'a Recording,
    values: &'a ExperimentValues,
    grid: &'a GridValues,
    about: About,
    origin: &'a Origin,
    figures: Vec<Drawn>,
}

/// The figures of `recording` and its `values`, those beside the `published` ratios among them.
pub(super) fn chapter(
    recording: &Recording,
    values: &ExperimentValues,
    published: &[Compared],
    origin: &Origin,
) -> Chapter {
    let grid = &values.grid;
    let about = about::about(recording, grid);
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
    for mode in MODES {
        if grid.rows().any(|row| row.cell.factors.mode == mode) {
            drawing.of_mode(mode);
        }
    }
    Chapter { name: recording.experiment().to_owned(), figures: drawing.figures }
}

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
            self.add(&format!("ratios-{what}{suffix}"), sheet, reading::HEAT, |run| {
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
            self.add(&format!("beside-2023{suffix}"), sheet, reading::PAIRS, |run| {
                cells::is_one_of(run, comparison)
            });
        }
    }

    /// Figures of what payload and connections do not tell apart.
    fn of_factors(&mut self) {
        for (what, sheet) in victims::figures(self.grid, &self.about) {
            self.add(&what, sheet, reading::VICTIMS, |_| true);
        }
        for (what, sheet) in open::loads(self.recording, self.grid, &self.about) {
            self.add(&what, sheet, reading::LOAD, |run| open::is_open(&run.entry.factors));
        }
        for (what, sheet) in open::tails(self.recording, self.grid, &self.merged()) {
            self.add(&what, sheet, reading::LOAD, |run| open::is_open(&run.entry.factors));
        }
        for (what, sheet, keys) in scale::figures(self.recording, self.grid, &self.about) {
            self.add(&what, sheet, reading::SCALE, |run| keys.contains(&run.entry.cell));
        }
    }

    /// What is said of percentiles of all repetitions together.
    fn merged(&self) -> About {
        self.about(format!("Histograms of {} merged.", about::repetitions(self.grid)))
    }

    fn about(&self, interval: String) -> About {
        About { interval, ..self.about.clone() }
    }

    fn effects(&mut self) {
        let comparisons = self.grid.comparisons();
        for (what, sheet) in effects::figures(self.recording, self.values, &self.about) {
            self.add(what, sheet, reading::EFFECTS, |run| {
                comparisons.iter().any(|comparison| cells::is_one_of(run, comparison))
            });
        }
    }

    fn of_mode(&mut self, mode: Mode) {
        let is_in = |run: &Run| run.entry.factors.mode == mode;
        let shown = [
            ("throughput", metric::MESSAGES, grid::Shown::responses(), reading::BARS),
            ("cpu", metric::CPU, grid::Shown::cpu(), reading::COST),
            ("syscalls", metric::SYSCALLS, grid::Shown::syscalls(), reading::COST),
        ];
        for (what, metric, shown, how_to_read) in shown {
            let measured = cells::measured(self.grid, metric);
            let sheet = grid::by_payload(mode, &measured, &shown, &self.about);
            self.add(&self.name(mode, what), sheet, how_to_read, is_in);
        }
        self.distributions(mode);
    }

    fn distributions(&mut self, mode: Mode) {
        let keys = distributions::telling(self.grid, mode);
        let is_in = |run: &Run| keys.contains(&run.entry.cell);
        let title = |what: &str| format!("{}: {what}", title(mode));
        let latency = distributions::latency(self.recording, self.grid, &keys);
        if !latency.is_empty() {
            let sheet = curves::percentiles(&title("latency by percentile"), &latency, &self.merged());
            self.add(&self.name(mode, "latency"), sheet, reading::TAIL, is_in);
        }
        let pooled = self.about(format!("Connections of {} together.", about::repetitions(self.grid)));
        let shares = distributions::shares(self.recording, self.grid, &keys);
        if !shares.is_empty() {
            let sheet = curves::connections(&title("what each connection got"), &shares, &pooled);
            self.add(&self.name(mode, "connections"), sheet, reading::SHARES, is_in);
        }
        let first = self.about("The first repetition that counts.".to_owned());
        let seconds = distributions::seconds(self.recording, self.grid, &keys);
        if !seconds.is_empty() {
            let sheet = curves::seconds(&title("second by second"), &seconds, &first);
            self.add(&self.name(mode, "seconds"), sheet, reading::SECONDS, is_in);
        }
    }
}
