//! A document as it was read: every value keeps its place in the text until it has passed.

use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::Spanned;
use uring_echo::client::CONNECTIONS_MAX;
use uring_echo::record::{HogKind, Mode, Verify};

use super::check::{List, name, not_empty, prose, within};
use super::engines::{RawEngine, RawVariant, comparison, engines, variants};
use super::error::Source;
use super::in_flight::Level;
use super::{Ceiling, Cell, Comparison, Control, EngineLevel, Size, Spec, SpecError, Table};
use crate::clock::Clock;
use crate::judge::gate::{self, NoiseLimit, Per, SaturationLimits};
use crate::vm::kernel;

pub(super) const CONNECTIONS: RangeInclusive<usize> = 1..=CONNECTIONS_MAX;
const REPETITIONS: RangeInclusive<u32> = 1..=1000;
const SHARE: RangeInclusive<f64> = 0.0..=1.0;

/// A document, once the size and a grid are laid over it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpec {
    id: Spanned<String>,
    title: Spanned<String>,
    question: Spanned<String>,
    figure: Option<Spanned<String>>,
    #[serde(default)]
    table: Table,
    engines: List<RawEngine>,
    variants: Option<List<RawVariant>>,
    #[serde(default)]
    ratios: Vec<Spanned<String>>,
    pub(super) modes: List<Mode>,
    pub(super) payload_bytes: List<usize>,
    pub(super) connections: List<usize>,
    pub(super) depth: Option<List<u32>>,
    pub(super) batch_bytes: Option<List<usize>>,
    pub(super) in_flight_bytes: Option<List<Level>>,
    pub(super) load: Option<List<f64>>,
    pub(super) rate_per_s: Option<List<u64>>,
    pub(super) hogs: Option<List<RawHogs>>,
    pub(super) idle: Option<List<usize>>,
    repetitions: Spanned<u32>,
    pub(super) warmup_s: Spanned<f64>,
    pub(super) window_s: Spanned<f64>,
    pub(super) verify: Verify,
    #[serde(default)]
    pub(super) client_args: Vec<String>,
    #[serde(default)]
    pub(super) mode: RawModes,
    control: Option<RawControl>,
    calibration: Option<RawCalibration>,
    ceiling: Option<RawCeiling>,
    #[serde(default)]
    clock: Clock,
    kernels: Option<List<String>>,
    #[serde(default)]
    conformance: bool,
    #[serde(default)]
    count_syscalls: bool,
    noise: Option<Vec<RawNoise>>,
    server_busy_share_min: Option<Spanned<f64>>,
    client_busy_share_max: Option<Spanned<f64>>,
}

/// `[mode.stream]` and `[mode.req-res]`: what differs from the values that hold for every mode.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawModes {
    pub(super) stream: Option<RawMode>,
    pub(super) req_res: Option<RawMode>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMode {
    pub(super) warmup_s: Option<Spanned<f64>>,
    pub(super) window_s: Option<Spanned<f64>>,
    pub(super) verify: Option<Verify>,
    pub(super) client_args: Option<Vec<String>>,
}

/// `{ kind = "reading", connections = 4 }`; without a kind there are none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHogs {
    pub(super) kind: Option<HogKind>,
    pub(super) connections: Spanned<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawControl {
    cells: Spanned<usize>,
    pairs: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalibration {
    repetitions: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCeiling {
    connections: Spanned<usize>,
    repetitions: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNoise {
    field: Spanned<String>,
    max: Spanned<f64>,
    #[serde(default)]
    per: Per,
}

/// The specification that `raw` describes, with these `cells`.
pub(super) fn spec(
    source: Source<'_>,
    size: Size,
    raw: &RawSpec,
    cells: Vec<Cell>,
) -> Result<Spec, SpecError> {
    let (engines, comparisons) = compared(source, raw)?;
    let stem = |figure: &Spanned<String>| name(source, "figure", figure.get_ref(), &figure.span());
    Ok(Spec {
        id: name(source, "id", raw.id.get_ref(), &raw.id.span())?,
        title: prose(source, "title", &raw.title)?,
        question: prose(source, "question", &raw.question)?,
        figure: raw.figure.as_ref().map(stem).transpose()?,
        table: raw.table,
        size,
        comparisons,
        engines,
        repetitions: within(source, "repetitions", &raw.repetitions, &REPETITIONS)?,
        control: raw.control.as_ref().map(|control| self::control(source, control)).transpose()?,
        calibrations: calibrations(source, raw, &cells)?,
        ceiling: raw.ceiling.as_ref().map(|ceiling| self::ceiling(source, ceiling)).transpose()?,
        clock: raw.clock,
        kernels: kernels(source, raw.kernels.as_ref())?,
        conformance: raw.conformance,
        count_syscalls: raw.count_syscalls,
        noise: noise(source, raw.noise.as_deref())?,
        saturation: saturation(source, raw)?,
        cells,
    })
}

/// The engines, and what is compared: as asked for, and each variant with what it is a variant of.
fn compared(source: Source<'_>, raw: &RawSpec) -> Result<(Vec<EngineLevel>, Vec<Comparison>), SpecError> {
    let mut all = engines(source, &raw.engines)?;
    all.extend(variants(source, raw.variants.as_ref(), &all)?);
    let asked = raw.ratios.iter().map(|ratio| comparison(source, ratio, &all));
    let mut comparisons = asked.collect::<Result<Vec<_>, _>>()?;
    for (of, variant) in all.iter().enumerate() {
        let to = all.iter().position(|level| Some(&level.name) == variant.variant_of.as_ref());
        comparisons.extend(to.map(|to| Comparison { of, to }).filter(|own| !comparisons.contains(own)));
    }
    Ok((all, comparisons))
}

fn control(source: Source<'_>, raw: &RawControl) -> Result<Control, SpecError> {
    Ok(Control {
        cells: within(source, "control.cells", &raw.cells, &(1..=100))?,
        pairs: within(source, "control.pairs", &raw.pairs, &REPETITIONS)?,
    })
}

fn ceiling(source: Source<'_>, raw: &RawCeiling) -> Result<Ceiling, SpecError> {
    Ok(Ceiling {
        connections: within(source, "ceiling.connections", &raw.connections, &CONNECTIONS)?,
        repetitions: within(source, "ceiling.repetitions", &raw.repetitions, &REPETITIONS)?,
    })
}

/// How often capacity is measured: as often as the file says, and not at all when no load is a share of it.
fn calibrations(source: Source<'_>, raw: &RawSpec, cells: &[Cell]) -> Result<u32, SpecError> {
    let is_needed = cells.iter().any(|cell| cell.factors.load.is_some());
    match (&raw.calibration, &raw.load) {
        (Some(calibration), _) if is_needed => {
            within(source, "calibration.repetitions", &calibration.repetitions, &REPETITIONS)
        }
        (None, Some(load)) => {
            let reason = "is a share of a capacity that nothing measures: add [calibration] repetitions = 3";
            Err(source.fault("load", &load.span(), reason))
        }
        _ => Ok(0),
    }
}

/// Where the kernels of a guest come from; one, if the file says nothing.
fn kernels(source: Source<'_>, raw: Option<&List<String>>) -> Result<Vec<kernel::Source>, SpecError> {
    let Some(raw) = raw else { return Ok(vec![kernel::Source::default()]) };
    not_empty(source, "kernels", raw)?;
    let parsed = raw.get_ref().iter().map(|entry| {
        let fault = |reason: String| source.fault("kernels", &entry.span(), reason);
        entry.get_ref().parse().map_err(fault)
    });
    parsed.collect()
}

fn noise(source: Source<'_>, raw: Option<&[RawNoise]>) -> Result<Vec<NoiseLimit>, SpecError> {
    let Some(raw) = raw else { return Ok(gate::default_limits()) };
    let limit = |entry: &RawNoise| {
        let field = entry.field.get_ref();
        if field.split('.').any(str::is_empty) {
            let reason = format!("'{field}' is not the path of a record's field, such as noise.steal_ns");
            return Err(source.fault("noise.field", &entry.field.span(), reason));
        }
        let max = within(source, "noise.max", &entry.max, &(0.0..=f64::MAX))?;
        Ok(NoiseLimit { field: field.clone(), max, per: entry.per })
    };
    raw.iter().map(limit).collect()
}

fn saturation(source: Source<'_>, raw: &RawSpec) -> Result<SaturationLimits, SpecError> {
    let default = SaturationLimits::default();
    let share = |key: &str, given: Option<&Spanned<f64>>, default: f64| match given {
        Some(given) => within(source, key, given, &SHARE),
        None => Ok(default),
    };
    let (server, client) = (raw.server_busy_share_min.as_ref(), raw.client_busy_share_max.as_ref());
    Ok(SaturationLimits {
        server_busy_share_min: share("server_busy_share_min", server, default.server_busy_share_min)?,
        client_busy_share_max: share("client_busy_share_max", client, default.client_busy_share_max)?,
    })
}
