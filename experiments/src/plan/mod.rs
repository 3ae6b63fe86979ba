//! Which runs, and in which order.
//!
//! The order is random, so that no level is always measured early, late or after the same other. Within a repetition
//! every cell comes once, and its engines right after each other: what drifts over minutes hits both sides of a ratio.
//! Controls and ceilings are scattered among them, so that they see the same machine. A variant and what it is a variant of
//! are a pair by themselves: many variants of one server are not all measured near one run of it.

pub mod estimate;
pub mod preflight;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uring_echo::random::SplitMix64;
use uring_echo::record::Mode;

use crate::spec::factors::Factors;
use crate::spec::{Cell, EngineLevel, Spec};

/// What a run is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// To have the machine warm. Never in a figure.
    Priming,
    /// To know the capacity that offered load is a share of.
    Calibration,
    /// To know what the client can offer at most.
    Ceiling,
    /// To know how much the same engine differs from itself.
    Control,
    /// To count the system calls of a server that does not: counting makes them dearer, so it is timed in other runs.
    Counted,
    /// For the figures.
    Measured,
}

/// Side of a control pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// One of the two.
    A,
    /// The other.
    B,
}

/// One server process under one load.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Position in the order, counted from 1.
    pub number: usize,
    /// What it is made for.
    pub role: Role,
    /// Side of a control pair.
    pub arm: Option<Arm>,
    /// Repetition, counted from 1.
    pub repetition: u32,
    /// The server.
    pub engine: EngineLevel,
    /// The load.
    pub cell: Cell,
    /// Size of what is added to the environment of both ends.
    pub environment_bytes: usize,
}

/// The stack begins somewhere else for another environment; a page covers every alignment.
/// Source: Mytkowicz et al., ASPLOS 2009.
const ENVIRONMENT_BYTES_MAX: usize = 4096;

/// `stream 256 B x 512, uring, repetition 2`.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, arm, repetition, engine, cell, .. } = self;
        write!(f, "{}, {}, ", cell.factors, engine.name)?;
        match (role, arm) {
            (Role::Measured, _) => write!(f, "repetition {repetition}"),
            (Role::Control, Some(Arm::A)) => write!(f, "control {repetition}a"),
            (Role::Control, _) => write!(f, "control {repetition}b"),
            (Role::Priming, _) => write!(f, "priming"),
            (Role::Calibration, _) => write!(f, "calibration {repetition}"),
            (Role::Ceiling, _) => write!(f, "ceiling {repetition}"),
            (Role::Counted, _) => write!(f, "system calls"),
        }
    }
}

impl Run {
    /// Time the load is on.
    pub fn load_time(&self) -> Duration {
        self.cell.timing.warmup + self.cell.timing.window
    }
}

/// Every run of `spec` in the order of `seed`.
pub fn plan(spec: &Spec, seed: u64) -> Vec<Run> {
    let mut random = SplitMix64::new(seed);
    let mut runs = priming(spec);
    for repetition in 1..=spec.calibrations {
        runs.extend(in_random_order(calibrations(spec, repetition), &mut random));
    }
    for repetition in 1..=rounds(spec) {
        let mut groups = Vec::new();
        if repetition <= spec.repetitions {
            groups.extend(spec.cells.iter().flat_map(|cell| measured(spec, repetition, cell)));
        }
        groups.extend(ceilings(spec, repetition));
        groups.extend(controls(spec, repetition));
        runs.extend(in_random_order(groups, &mut random));
    }
    runs.extend(in_random_order(counted(spec), &mut random));
    for (index, run) in runs.iter_mut().enumerate() {
        run.number = index + 1;
        run.environment_bytes = random.below(ENVIRONMENT_BYTES_MAX);
    }
    runs
}

/// Rounds of the grid; controls and ceilings that are asked for more often than there are repetitions get their own.
fn rounds(spec: &Spec) -> u32 {
    let ceilings = spec.ceiling.as_ref().map_or(0, |ceiling| ceiling.repetitions);
    let controls = spec.control.as_ref().map_or(0, |control| control.pairs.div_ceil(pairs_per_round(spec)));
    spec.repetitions.max(ceilings).max(controls)
}

fn pairs_per_round(spec: &Spec) -> u32 {
    let pairs = spec.control.as_ref().map_or(0, |control| control.pairs);
    pairs.div_ceil(spec.repetitions).max(1)
}

fn in_random_order(mut groups: Vec<Vec<Run>>, random: &mut SplitMix64) -> Vec<Run> {
    random.shuffle(&mut groups);
    for group in &mut groups {
        random.shuffle(group);
    }
    groups.concat()
}

fn run(role: Role, repetition: u32, engine: &EngineLevel, cell: &Cell) -> Run {
    let (engine, cell) = (engine.clone(), cell.clone());
    Run { number: 0, role, arm: None, repetition, engine, cell, environment_bytes: 0 }
}

fn engines_of(spec: &Spec, role: Role, repetition: u32, cell: &Cell) -> Vec<Run> {
    spec.engines.iter().map(|engine| run(role, repetition, engine, cell)).collect()
}

/// What belongs together in `round` of `cell`: all engines or, where there are variants, each of them with what it is a
/// variant of, and those engines that are not variants. Every group has a repetition of its own, which tells what pairs up.
fn measured(spec: &Spec, round: u32, cell: &Cell) -> Vec<Vec<Run>> {
    let plain: Vec<&EngineLevel> = spec.plain_engines().collect();
    let variants: Vec<Vec<&EngineLevel>> = spec.variants().map(Vec::from).collect();
    // A single one is measured beside its variants already.
    let is_measured = plain.len() == 1 && variants.iter().any(|pair| pair[1].name == plain[0].name);
    let groups: Vec<Vec<&EngineLevel>> =
        (!is_measured).then_some(plain).into_iter().chain(variants).collect();
    let first = (round - 1) * groups.len() as u32 + 1;
    let runs = |(repetition, group): (u32, Vec<&EngineLevel>)| {
        group.into_iter().map(|engine| run(Role::Measured, repetition, engine, cell)).collect()
    };
    (first..).zip(groups).map(runs).collect()
}

/// One run for each program, of the cell in the middle of the grid.
fn priming(spec: &Spec) -> Vec<Run> {
    let Some(cell) = spec.cells.get(spec.cells.len() / 2) else { return Vec::new() };
    let cell = closed(cell);
    let mut primed: Vec<&str> = Vec::new();
    let mut runs = Vec::new();
    for level in &spec.engines {
        if !primed.contains(&level.engine.as_str()) {
            primed.push(&level.engine);
            runs.push(run(Role::Priming, 1, level, &cell));
        }
    }
    runs
}

/// The cells that a share of load refers to, each with every engine.
fn calibrations(spec: &Spec, repetition: u32) -> Vec<Vec<Run>> {
    let mut cells: Vec<Cell> = Vec::new();
    for cell in spec.cells.iter().filter(|cell| cell.factors.load.is_some()) {
        let cell = closed(cell);
        if !cells.iter().any(|other| other.factors == cell.factors) {
            cells.push(cell);
        }
    }
    cells.iter().map(|cell| engines_of(spec, Role::Calibration, repetition, cell)).collect()
}

fn closed(cell: &Cell) -> Cell {
    Cell { factors: cell.factors.closed(), timing: cell.timing.clone() }
}

/// Each payload of the streams against a server that discards.
fn ceilings(spec: &Spec, repetition: u32) -> Vec<Vec<Run>> {
    let Some(ceiling) = spec.ceiling.as_ref().filter(|ceiling| repetition <= ceiling.repetitions) else {
        return Vec::new();
    };
    let discard = EngineLevel::named("discard").expect("the table has it");
    let mut runs: Vec<Run> = Vec::new();
    for cell in spec.cells.iter().filter(|cell| cell.factors.mode == Mode::Stream) {
        let factors = Factors::new(Mode::Stream, cell.factors.payload_bytes, ceiling.connections);
        if !runs.iter().any(|run| run.cell.factors == factors) {
            let cell = Cell { factors, timing: cell.timing.clone() };
            runs.push(run(Role::Ceiling, repetition, &discard, &cell));
        }
    }
    runs.into_iter().map(|run| vec![run]).collect()
}

/// Each cell with each engine that does not count its system calls, once: their number hardly differs from run to run.
fn counted(spec: &Spec) -> Vec<Vec<Run>> {
    const WARMUP_MAX: Duration = Duration::from_millis(300);
    const WINDOW_MAX: Duration = Duration::from_millis(500);
    if !spec.count_syscalls {
        return Vec::new();
    }
    let engines = || spec.engines.iter().filter(|engine| !engine.program.counts());
    let counted = |cell: &Cell| {
        let mut cell = cell.clone();
        cell.timing.warmup = cell.timing.warmup.min(WARMUP_MAX);
        cell.timing.window = cell.timing.window.min(WINDOW_MAX);
        engines().map(move |engine| vec![run(Role::Counted, 1, engine, &cell)]).collect::<Vec<_>>()
    };
    spec.cells.iter().flat_map(counted).collect()
}

/// The pairs of this round, of the first engine.
fn controls(spec: &Spec, round: u32) -> Vec<Vec<Run>> {
    let (Some(control), Some(engine)) = (&spec.control, spec.engines.first()) else { return Vec::new() };
    let per_round = pairs_per_round(spec);
    let first = (round - 1) * per_round + 1;
    let mut groups = Vec::new();
    for cell in controlled(&spec.cells, control.cells) {
        for pair in first..(first + per_round).min(control.pairs + 1) {
            let arm = |arm| Run { arm: Some(arm), ..run(Role::Control, pair, engine, cell) };
            groups.push(vec![arm(Arm::A), arm(Arm::B)]);
        }
    }
    groups
}

/// `count` cells of each depth of queues, since one says nothing of the noise of another.
fn controlled(cells: &[Cell], count: usize) -> Vec<&Cell> {
    let depths: BTreeSet<_> = cells.iter().map(|cell| cell.factors.in_flight_bytes).collect();
    let of_depth =
        |depth| -> Vec<&Cell> { cells.iter().filter(|cell| cell.factors.in_flight_bytes == depth).collect() };
    depths
        .into_iter()
        .flat_map(|depth| spread(&of_depth(depth), count).copied().collect::<Vec<_>>())
        .collect()
}

/// `count` of `items`, evenly spread; all of them when there are no more.
fn spread<T>(items: &[T], count: usize) -> impl Iterator<Item = &T> {
    let count = count.min(items.len());
    (0..count).map(move |index| &items[(2 * index + 1) * items.len() / (2 * count)])
}

#[cfg(test)]
mod tests;
