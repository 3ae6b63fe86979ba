//! One run: its place, what was recorded, and whether it counts.

use experiments::judge::agreement::Planned;
use experiments::plan::Role;
use experiments::recording::manifest::RunEntry;
use experiments::recording::{MANIFEST, RECORDS, Recording as Files};
use uring_echo::record::RunRecord;

use crate::statistics::Latency;
use crate::validity::Standing;

/// A run of the manifest.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// What the manifest says of it.
    pub(crate) entry: RunEntry,
    /// Whether it counts.
    pub(crate) standing: Standing,
    /// Why it does not count, or what it was flagged for.
    pub(crate) reasons: Vec<String>,
    /// What it measured. `None` when it left nothing, or nothing readable.
    pub(crate) record: Option<RunRecord>,
    /// Distribution of its latency. `None` when none was recorded, or none readable.
    pub(crate) latency: Option<Latency>,
    /// What is not as it was recorded.
    pub(crate) damage: Vec<String>,
    /// Where its record is, or what says that it has none.
    pub(super) file: &'static str,
}

impl Run {
    /// Reads the run of `entry` from `files`; `earlier` are the runs before it.
    pub(super) fn read(files: &Files, entry: &RunEntry, earlier: &[Self]) -> Self {
        let mut run = Self::planned(entry);
        if let Some(twin) = earlier.iter().find(|other| other.is_same_as(&run)) {
            run.spoil(format!("the same measurement as run {}; this one is left out", twin.entry.number));
            return run;
        }
        match entry.attempt.record.as_ref().map(|entry| files.record_of(entry)).transpose() {
            Ok(record) => run.record = record,
            Err(error) => run.spoil(format!("{}; the run is left out", told(&error))),
        }
        run.check_record();
        run.read_latency();
        run
    }

    fn planned(entry: &RunEntry) -> Self {
        let attempt = &entry.attempt;
        let file = attempt.record.as_ref().map_or(MANIFEST, |_| RECORDS);
        Self {
            entry: entry.clone(),
            standing: Standing::of(attempt),
            reasons: [&attempt.reasons[..], &attempt.flags[..]].concat(),
            record: None,
            latency: None,
            damage: Vec::new(),
            file,
        }
    }

    /// Whether a figure stands on it.
    pub(crate) fn counts(&self) -> bool {
        self.entry.role == Role::Measured && self.standing.counts()
    }

    /// Whether both are the same measurement, which is made once. Runs of other roles may be made often.
    fn is_same_as(&self, other: &Self) -> bool {
        let measurement = |run: &Self| {
            let RunEntry { role, arm, repetition, engine, cell, .. } = run.entry.clone();
            (role, arm, repetition, engine, cell)
        };
        matches!(self.entry.role, Role::Measured | Role::Control) && measurement(self) == measurement(other)
    }

    /// Holds the record to what the manifest says of it.
    fn check_record(&mut self) {
        let Some(record) = &self.record else {
            if self.standing.counts() {
                self.spoil("it is called valid and has no record; the run is left out".into());
            }
            return;
        };
        let disagreements = Planned::of(&self.entry.factors).disagreements(record);
        let fault = if !disagreements.is_empty() {
            Some("its settings are not those of its cell")
        } else if !self.standing.counts() {
            None
        } else if !record.is_valid() {
            Some("its record says why it is invalid, the manifest calls it valid")
        } else if record.summary.is_none() {
            Some("it has no summary, so it ended before its window did")
        } else if record.totals.window.received_messages == 0 && !self.may_starve() {
            Some("no message came back in its window, so nothing was measured per message")
        } else {
            None
        };
        if let Some(fault) = fault {
            self.spoil(format!("{fault}; the run is left out"));
        }
    }

    /// Whether it is a result that no message came back: none does from a server that discards, and beside hogs that is what starving is.
    fn may_starve(&self) -> bool {
        self.entry.role == Role::Ceiling || self.entry.factors.hogs > 0
    }

    fn read_latency(&mut self) {
        let Some(latency) = self.record.as_ref().and_then(|record| record.latency.as_ref()) else { return };
        match Latency::decode(&latency.histogram_v2_deflate_base64, latency.count) {
            Ok(latency) => self.latency = Some(latency),
            Err(error) => self.say(format!("{error}; its latency is left out")),
        }
    }

    fn spoil(&mut self, what: String) {
        self.standing = Standing::Damaged;
        self.say(what);
    }

    /// All records are in one file, so each damage names its run.
    fn say(&mut self, what: String) {
        self.damage.push(format!("run {}: {what}", self.entry.number));
    }
}

/// `error` with its causes, without those that its text tells already.
fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}
