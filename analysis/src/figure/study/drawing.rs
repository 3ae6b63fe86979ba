//! From a recording to its figures.

use experiments::spec::Table;
use experiments::spec::factors::Factors;
use experiments::spec::in_flight::InFlight;
use experiments::spec::workload::Workload;
use uring_echo::record::Mode;

use super::drawn::{Chapter, Drawn, Origin};
use super::{
    ablation, about, cells, distributions, effects, open, published, reading, scale, side_by_side, victims,
};
use crate::chart::{Better, Role, Sheet};
use crate::figure::input::{About, Compared, suffix, title};
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

/// The figures of `recording` and its `values`, those beside the `ratios_of_2023` among them.
pub(super) fn chapter(
    recording: &Recording,
    values: &ExperimentValues,
    ratios_of_2023: &[Compared],
    origin: &Origin,
) -> Chapter {
    let grid = &values.grid;
    let about = about::about(recording, grid);
    let mut drawing = Drawing { recording, values, grid, about, origin, figures: Vec::new() };
    if !values.clock.is_time() {
        drawing.instructions();
        return Chapter { name: recording.experiment().to_owned(), figures: drawing.figures };
    }
    if recording.manifest.table == Table::Ablation {
        drawing.ablation();
        return Chapter { name: recording.experiment().to_owned(), figures: drawing.figures };
    }
    drawing.of_factors();
    if !cells::is_plain(grid) {
        return Chapter { name: recording.experiment().to_owned(), figures: drawing.figures };
    }
    if let Some(sheet) = side_by_side::figure(values, &drawing.about) {
        drawing.add("side-by-side", sheet, reading::SIDE_BY_SIDE, |_| true);
    }
    for comparison in &grid.asked() {
        drawing.ratios(comparison);
        if grid.servers.programs_of(comparison) == published::PROGRAMS {
            drawing.beside(comparison, ratios_of_2023);
        }
    }
    if grid.engines.len() > Role::DIFFERENT {
        return Chapter { name: recording.experiment().to_owned(), figures: drawing.figures };
    }
    drawing.effects();
    for workload in grid.workloads() {
        drawing.of_workload(workload);
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

    /// Name of a figure of `workload`: without the mode where the experiment has only one.
    fn name(&self, workload: Workload, what: &str) -> String {
        let mode = workload.mode;
        let several = self.grid.rows().any(|row| row.cell.factors.mode != mode);
        let name = if several { format!("{mode}-{what}") } else { what.to_owned() };
        name + &suffix(workload.in_flight)
    }

    /// What tells figures of `comparison` apart from those of another one, in their stem and in their title.
    fn of_pair(&self, comparison: &Comparison) -> (String, About) {
        let is_only_one = self.grid.asked().len() == 1;
        let suffix =
            if is_only_one { String::new() } else { format!("-{}-{}", comparison.of, comparison.to) };
        let pair = Some((comparison.of.clone(), comparison.to.clone()));
        (suffix, About { pair, ..self.about.clone() })
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
        let is_published =
            |own: &Compared| published.iter().any(|theirs| theirs.at == beside::published_as(&own.at));
        let ours: Vec<Compared> = ours.into_iter().filter(is_published).collect();
        let ours = like_the_study(ours);
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

    /// The only figure of many variants: engines side by side could not be told apart.
    fn ablation(&mut self) {
        if let Some(sheet) = ablation::figure(self.values, &self.about) {
            self.add("cpu", sheet, reading::ABLATION, |_| true);
        }
    }

    /// Counts have figures of their own: under the names of times they would be taken for some.
    fn instructions(&mut self) {
        let measured = cells::measured(self.grid, metric::CPU);
        for workload in self.grid.workloads() {
            let sheet = grid::by_payload(workload, &measured, &grid::Shown::instructions(), &self.about);
            let is_in = |run: &Run| run.entry.factors.workload() == workload;
            self.add(&self.name(workload, "count"), sheet, reading::INSTRUCTIONS, is_in);
        }
    }

    fn effects(&mut self) {
        let comparisons = self.grid.comparisons();
        for (what, sheet) in effects::figures(self.recording, self.values, &self.about) {
            self.add(what, sheet, reading::EFFECTS, |run| {
                comparisons.iter().any(|comparison| cells::is_one_of(run, comparison))
            });
        }
    }

    fn of_workload(&mut self, workload: Workload) {
        let is_in = |run: &Run| run.entry.factors.workload() == workload;
        let shown = [
            ("throughput", metric::MESSAGES, grid::Shown::responses(), reading::BARS),
            ("cpu", metric::CPU, grid::Shown::cpu(), reading::COST),
            ("syscalls", metric::SYSCALLS, grid::Shown::syscalls(), reading::COST),
        ];
        for (what, metric, shown, how_to_read) in shown {
            let measured = cells::measured(self.grid, metric);
            let sheet = grid::by_payload(workload, &measured, &shown, &self.about);
            self.add(&self.name(workload, what), sheet, how_to_read, is_in);
        }
        self.distributions(workload);
    }

    fn distributions(&mut self, workload: Workload) {
        let keys = distributions::telling(self.grid, workload);
        let is_in = |run: &Run| keys.contains(&run.entry.cell);
        let title = |what: &str| format!("{}: {what}", title(workload));
        let latency = distributions::latency(self.recording, self.grid, &keys);
        if !latency.is_empty() {
            let sheet = curves::percentiles(&title("latency by percentile"), &latency, &self.merged());
            self.add(&self.name(workload, "latency"), sheet, reading::TAIL, is_in);
        }
        let pooled = self.about(format!("Connections of {} together.", about::repetitions(self.grid)));
        let shares = distributions::shares(self.recording, self.grid, &keys);
        if !shares.is_empty() {
            let sheet = curves::connections(&title("what each connection got"), &shares, &pooled);
            self.add(&self.name(workload, "connections"), sheet, reading::SHARES, is_in);
        }
        let first = self.about("The first repetition that counts.".to_owned());
        let seconds = distributions::seconds(self.recording, self.grid, &keys);
        if !seconds.is_empty() {
            let sheet = curves::seconds(&title("second by second"), &seconds, &first);
            self.add(&self.name(workload, "seconds"), sheet, reading::SECONDS, is_in);
        }
    }
}

/// The cells of `ours` that are loaded as the study loaded its servers: the streams of which as much is on its way as the
/// sockets take, if there are any, and everything else if there are none.
fn like_the_study(ours: Vec<Compared>) -> Vec<Compared> {
    let is_unbounded = |at: &Factors| at.in_flight_bytes == Some(InFlight::Unbounded);
    if !ours.iter().any(|own| is_unbounded(&own.at)) {
        return ours;
    }
    ours.into_iter().filter(|own| own.at.mode == Mode::ReqRes || is_unbounded(&own.at)).collect()
}
