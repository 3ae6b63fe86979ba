//! From TOML text to a checked [`Spec`]: every value keeps its place in the text until it has passed.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use uring_echo::record::{Mode, Verify};

use super::error::Source;
use super::{Comparison, Engine, EngineLevel, Spec, SpecError, Workload};

const PAYLOAD_BYTES: RangeInclusive<usize> = 1..=64 << 20;
/// One client address has this many ports to connect from, less those that are reserved.
const CONNECTIONS: RangeInclusive<usize> = 1..=60_000;
const REPETITIONS: RangeInclusive<u32> = 1..=1000;
const WARMUP_S: RangeInclusive<f64> = 0.0..=600.0;
const WINDOW_S: RangeInclusive<f64> = 0.05..=3600.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpec {
    id: Spanned<String>,
    title: Spanned<String>,
    question: Spanned<String>,
    engines: Spanned<Vec<Spanned<RawEngine>>>,
    #[serde(default)]
    ratios: Vec<Spanned<String>>,
    modes: Spanned<Vec<Spanned<Mode>>>,
    payload_bytes: Spanned<Vec<Spanned<usize>>>,
    connections: Spanned<Vec<Spanned<usize>>>,
    repetitions: Spanned<u32>,
    warmup_s: Spanned<f64>,
    window_s: Spanned<f64>,
    verify: Verify,
    #[serde(default)]
    client_args: Vec<String>,
    #[serde(default)]
    mode: RawModes,
}

/// `[mode.stream]` and `[mode.req-res]`: what differs from the values that hold for every mode.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawModes {
    stream: Option<RawMode>,
    req_res: Option<RawMode>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMode {
    warmup_s: Option<Spanned<f64>>,
    window_s: Option<Spanned<f64>>,
    verify: Option<Verify>,
    client_args: Option<Vec<String>>,
}

/// A name alone, `"uring"`, or a table, `{ name = "uring-32", engine = "uring", args = ["--buffers", "32"] }`.
struct RawEngine {
    name: String,
    engine: Engine,
    args: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEngineTable {
    name: String,
    engine: Engine,
    #[serde(default)]
    args: Vec<String>,
}

impl<'de> Deserialize<'de> for RawEngine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = RawEngine;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an engine, or a table with name, engine and args")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RawEngine, E> {
                let engine = Engine::deserialize(serde::de::value::StrDeserializer::<E>::new(name))?;
                Ok(RawEngine { name: name.into(), engine, args: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawEngine, A::Error> {
                let RawEngineTable { name, engine, args } =
                    RawEngineTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawEngine { name, engine, args })
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}

pub(super) fn parse(file: &str, text: &str) -> Result<Spec, SpecError> {
    let source = Source { file, text };
    let raw: RawSpec = toml::from_str(text).map_err(|error| source.toml_fault(&error))?;
    let engines = engines(source, &raw.engines)?;
    Ok(Spec {
        comparisons: raw
            .ratios
            .iter()
            .map(|ratio| comparison(source, ratio, &engines))
            .collect::<Result<_, _>>()?,
        engines,
        workloads: workloads(source, &raw)?,
        id: name(source, "id", raw.id.get_ref(), &raw.id.span())?,
        title: prose(source, "title", &raw.title)?,
        question: prose(source, "question", &raw.question)?,
        payload_bytes: levels(source, "payload_bytes", &raw.payload_bytes, &PAYLOAD_BYTES)?,
        connections: levels(source, "connections", &raw.connections, &CONNECTIONS)?,
        repetitions: within(source, "repetitions", &raw.repetitions, &REPETITIONS)?,
    })
}

fn engines(
    source: Source<'_>,
    raw: &Spanned<Vec<Spanned<RawEngine>>>,
) -> Result<Vec<EngineLevel>, SpecError> {
    not_empty(source, "engines", raw)?;
    let mut levels: Vec<EngineLevel> = Vec::new();
    for entry in raw.get_ref() {
        let RawEngine { name: given, engine, args } = entry.get_ref();
        let name = name(source, "engines", given, &entry.span())?;
        if levels.iter().any(|level| level.name == name) {
            return Err(source.fault("engines", &entry.span(), format!("'{name}' is listed twice")));
        }
        levels.push(EngineLevel { name, engine: *engine, args: args.clone() });
    }
    Ok(levels)
}

fn comparison(
    source: Source<'_>,
    ratio: &Spanned<String>,
    engines: &[EngineLevel],
) -> Result<Comparison, SpecError> {
    let fault = |reason: String| source.fault("ratios", &ratio.span(), reason);
    let (of, to) = ratio
        .get_ref()
        .split_once('/')
        .ok_or_else(|| fault(format!("'{}' is not of the form \"uring/epoll\"", ratio.get_ref())))?;
    let position = |name: &str| {
        engines.iter().position(|level| level.name == name).ok_or_else(|| {
            let known: Vec<_> = engines.iter().map(|level| level.name.as_str()).collect();
            fault(format!("'{name}' is not among the engines, which are {}", known.join(", ")))
        })
    };
    let comparison = Comparison { of: position(of)?, to: position(to)? };
    if comparison.of == comparison.to {
        return Err(fault(format!("'{of}' compared with itself is always 1")));
    }
    Ok(comparison)
}

fn workloads(source: Source<'_>, raw: &RawSpec) -> Result<Vec<Workload>, SpecError> {
    not_empty(source, "modes", &raw.modes)?;
    let mut workloads: Vec<Workload> = Vec::new();
    for entry in raw.modes.get_ref() {
        let workload = workload(source, raw, *entry.get_ref())?;
        if workloads.iter().any(|other| other.mode == workload.mode) {
            return Err(source.fault("modes", &entry.span(), format!("'{}' is listed twice", workload.mode)));
        }
        workloads.push(workload);
    }
    Ok(workloads)
}

fn workload(source: Source<'_>, raw: &RawSpec, mode: Mode) -> Result<Workload, SpecError> {
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
    Ok(Workload {
        mode,
        warmup: time("warmup_s", own.warmup_s.as_ref(), &raw.warmup_s, &WARMUP_S)?,
        window: time("window_s", own.window_s.as_ref(), &raw.window_s, &WINDOW_S)?,
        verify: own.verify.unwrap_or(raw.verify),
        client_args: own.client_args.unwrap_or_else(|| raw.client_args.clone()),
    })
}

fn name(source: Source<'_>, key: &str, name: &str, span: &Range<usize>) -> Result<String, SpecError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(allowed) {
        let reason =
            format!("'{name}' must be lower-case letters, digits and '-': it names folders and rows");
        return Err(source.fault(key, span, reason));
    }
    Ok(name.into())
}

fn prose(source: Source<'_>, key: &str, text: &Spanned<String>) -> Result<String, SpecError> {
    let words: Vec<_> = text.get_ref().split_whitespace().collect();
    if words.is_empty() {
        return Err(source.fault(key, &text.span(), "is empty"));
    }
    Ok(words.join(" "))
}

fn levels(
    source: Source<'_>,
    key: &str,
    raw: &Spanned<Vec<Spanned<usize>>>,
    range: &RangeInclusive<usize>,
) -> Result<Vec<usize>, SpecError> {
    not_empty(source, key, raw)?;
    let mut levels = Vec::new();
    for entry in raw.get_ref() {
        let level = within(source, key, entry, range)?;
        if levels.contains(&level) {
            return Err(source.fault(key, &entry.span(), format!("{level} is listed twice")));
        }
        levels.push(level);
    }
    Ok(levels)
}

fn not_empty<T>(source: Source<'_>, key: &str, list: &Spanned<Vec<T>>) -> Result<(), SpecError> {
    if list.get_ref().is_empty() {
        return Err(source.fault(key, &list.span(), "lists nothing, so there would be nothing to run"));
    }
    Ok(())
}

fn within<T: PartialOrd + Copy + fmt::Display>(
    source: Source<'_>,
    key: &str,
    value: &Spanned<T>,
    range: &RangeInclusive<T>,
) -> Result<T, SpecError> {
    if range.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    let (value, span) = (value.get_ref(), value.span());
    Err(source.fault(key, &span, format!("{value} is outside {} to {}", range.start(), range.end())))
}
