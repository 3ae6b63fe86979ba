//! The cross of the factors, and how each of its cells is run.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use uring_echo::client::{CONNECTIONS_MAX, DEPTH_MAX, IN_FLIGHT_MAX, PAYLOAD_MAX, RATE_MAX};
use uring_echo::record::{HogKind, Mode};

use super::check::{List, levels, not_empty, optional, within};
use super::error::Source;
use super::in_flight::{InFlight, Level};
use super::raw::{CONNECTIONS, RawHogs, RawSpec};
use super::{Cell, SpecError, Timing};
use crate::spec::factors::Factors;

// What the client refuses is refused here: once the experiment has begun it would cost its runs.
const PAYLOAD_BYTES: RangeInclusive<usize> = 1..=PAYLOAD_MAX.0;
const IN_FLIGHT_BYTES: RangeInclusive<usize> = 1..=IN_FLIGHT_MAX.0;
const DEPTH: RangeInclusive<u32> = 1..=DEPTH_MAX;
const LOAD: RangeInclusive<f64> = 0.01..=2.0;
const RATE_PER_S: RangeInclusive<u64> = 1..=RATE_MAX;
const IDLE: RangeInclusive<usize> = 0..=*CONNECTIONS.end();
const WARMUP_S: RangeInclusive<f64> = 0.0..=600.0;
const WINDOW_S: RangeInclusive<f64> = 0.05..=3600.0;

/// Every combination that `raw` lists.
pub(super) fn cells(source: Source<'_>, raw: &RawSpec) -> Result<Vec<Cell>, SpecError> {
    let mut cells = Vec::new();
    for mode in modes(source, raw)? {
        let timing = timing(source, raw, mode)?;
        let factors = factors(source, raw, mode)?;
        cells.extend(factors.into_iter().map(|factors| Cell { factors, timing: timing.clone() }));
    }
    Ok(cells)
}

fn modes(source: Source<'_>, raw: &RawSpec) -> Result<Vec<Mode>, SpecError> {
    not_empty(source, "modes", &raw.modes)?;
    let mut modes = Vec::new();
    for entry in raw.modes.get_ref() {
        let mode = *entry.get_ref();
        if modes.contains(&mode) {
            return Err(source.fault("modes", &entry.span(), format!("'{mode}' is listed twice")));
        }
        modes.push(mode);
    }
    Ok(modes)
}

fn factors(source: Source<'_>, raw: &RawSpec, mode: Mode) -> Result<Vec<Factors>, SpecError> {
    fits_mode(source, "depth", raw.depth.as_ref(), mode, Mode::ReqRes)?;
    fits_mode(source, "load", raw.load.as_ref(), mode, Mode::ReqRes)?;
    fits_mode(source, "rate_per_s", raw.rate_per_s.as_ref(), mode, Mode::ReqRes)?;
    fits_mode(source, "batch_bytes", raw.batch_bytes.as_ref(), mode, Mode::Stream)?;
    fits_mode(source, "in_flight_bytes", raw.in_flight_bytes.as_ref(), mode, Mode::Stream)?;
    if let (Some(_), Some(rate)) = (&raw.load, &raw.rate_per_s) {
        let reason = "the load is given already, as a share of capacity: keep one of the two";
        return Err(source.fault("rate_per_s", &rate.span(), reason));
    }
    let payloads = levels(source, "payload_bytes", &raw.payload_bytes, &PAYLOAD_BYTES)?;
    let connections = levels(source, "connections", &raw.connections, &CONNECTIONS)?;
    let depths = optional(source, "depth", raw.depth.as_ref(), &DEPTH)?;
    let batches = optional(source, "batch_bytes", raw.batch_bytes.as_ref(), &PAYLOAD_BYTES)?;
    let loads = optional(source, "load", raw.load.as_ref(), &LOAD)?;
    let rates = optional(source, "rate_per_s", raw.rate_per_s.as_ref(), &RATE_PER_S)?;
    let idle = optional(source, "idle", raw.idle.as_ref(), &IDLE)?;

    let cells = vec![Factors::new(mode, 0, 0)];
    let cells = cross(cells, &payloads, |cell, &payload| cell.payload_bytes = payload);
    let cells = cross(cells, &connections, |cell, &count| cell.connections = count);
    let cells = cross(cells, &depths, |cell, &depth| cell.depth = depth);
    let cells = cross(cells, &batches, |cell, &batch| cell.batch_bytes = batch);
    let cells = cross(cells, &in_flight(source, raw.in_flight_bytes.as_ref())?, |cell, &level| {
        cell.in_flight_bytes = level;
    });
    let cells = cross(cells, &loads, |cell, &load| cell.load = load.map(Into::into));
    let cells = cross(cells, &rates, |cell, &rate| cell.rate_per_s = rate);
    let cells = cross(cells, &hogs(source, raw.hogs.as_ref())?, |cell, &(kind, count)| {
        (cell.hog_kind, cell.hogs) = (kind, count);
    });
    let cells = cross(cells, &idle, |cell, &idle| cell.idle = idle.unwrap_or(0));
    fits_one_client(source, raw, &cells)?;
    Ok(cells)
}

/// A client has ports for so many connections, whatever they are for.
fn fits_one_client(source: Source<'_>, raw: &RawSpec, cells: &[Factors]) -> Result<(), SpecError> {
    let Some(cell) = cells.iter().find(|cell| cell.sockets() > CONNECTIONS_MAX) else { return Ok(()) };
    let reason = format!(
        "{cell} has {} connections with its hogs and idle ones, and a client makes {CONNECTIONS_MAX} at most",
        cell.sockets()
    );
    Err(source.fault("connections", &raw.connections.span(), reason))
}

fn cross<L>(cells: Vec<Factors>, levels: &[L], set: impl Fn(&mut Factors, &L)) -> Vec<Factors> {
    let with = |cell: &Factors, level: &L| {
        let mut cell = cell.clone();
        set(&mut cell, level);
        cell
    };
    cells.iter().flat_map(|cell| levels.iter().map(|level| with(cell, level)).collect::<Vec<_>>()).collect()
}

/// What one mode alone understands must not be given for another.
fn fits_mode<T>(
    source: Source<'_>,
    key: &str,
    given: Option<&List<T>>,
    mode: Mode,
    only: Mode,
) -> Result<(), SpecError> {
    match given {
        Some(given) if mode != only => {
            let reason =
                format!("means nothing in {mode}: give it for {only} alone, in a [[grid]] of its own");
            Err(source.fault(key, &given.span(), reason))
        }
        _ => Ok(()),
    }
}

fn in_flight(source: Source<'_>, raw: Option<&List<Level>>) -> Result<Vec<Option<InFlight>>, SpecError> {
    const KEY: &str = "in_flight_bytes";
    let Some(raw) = raw else { return Ok(vec![None]) };
    not_empty(source, KEY, raw)?;
    let mut levels = Vec::new();
    for entry in raw.get_ref() {
        let Level(level) = *entry.get_ref();
        if let Some(InFlight::AtMost(bytes)) = level {
            within(source, KEY, &Spanned::new(entry.span(), bytes), &IN_FLIGHT_BYTES)?;
        }
        if levels.contains(&level) {
            return Err(source.fault(KEY, &entry.span(), "is listed twice"));
        }
        levels.push(level);
    }
    Ok(levels)
}

fn hogs(source: Source<'_>, raw: Option<&List<RawHogs>>) -> Result<Vec<(Option<HogKind>, usize)>, SpecError> {
    let Some(raw) = raw else { return Ok(vec![(None, 0)]) };
    not_empty(source, "hogs", raw)?;
    let mut levels = Vec::new();
    for entry in raw.get_ref() {
        let RawHogs { kind, connections } = entry.get_ref();
        let least = usize::from(kind.is_some());
        let most = if kind.is_some() { *CONNECTIONS.end() } else { 0 };
        let level = (*kind, within(source, "hogs.connections", connections, &(least..=most))?);
        if levels.contains(&level) {
            return Err(source.fault("hogs", &entry.span(), "is listed twice"));
        }
        levels.push(level);
    }
    Ok(levels)
}

fn timing(source: Source<'_>, raw: &RawSpec, mode: Mode) -> Result<Timing, SpecError> {
    let own = match mode {
        Mode::Stream => raw.mode.stream.clone(),
        Mode::ReqRes => raw.mode.req_res.clone(),
    }
    .unwrap_or_default();
    let time = |key: &str, own: Option<&Spanned<f64>>, common: &Spanned<f64>, range| {
        let seconds = match own {
            Some(own) => within(source, &format!("mode.{mode}.{key}"), own, range)?,
            None => within(source, key, common, range)?,
        };
        Ok(Duration::from_secs_f64(seconds))
    };
    Ok(Timing {
        warmup: time("warmup_s", own.warmup_s.as_ref(), &raw.warmup_s, &WARMUP_S)?,
        window: time("window_s", own.window_s.as_ref(), &raw.window_s, &WINDOW_S)?,
        verify: own.verify.unwrap_or(raw.verify),
        client_args: own.client_args.unwrap_or_else(|| raw.client_args.clone()),
    })
}
