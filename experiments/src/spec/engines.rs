//! The engine factor: which servers, set how, and which of them are compared.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::check::{List, name, not_empty};
use super::error::Source;
use super::{Comparison, Engine, EngineLevel, SpecError};

/// A name alone, `"uring"`, or a table, `{ name = "uring-32", engine = "uring", args = ["--buffers", "32"] }`.
pub(super) struct RawEngine {
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

/// From a level of `engines`, one thing different: `{ of = "uring", name = "coop", args = ["--setup", "coop"] }` is
/// `uring-coop`, beside `uring`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVariant {
    of: String,
    name: String,
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

pub(super) fn engines(source: Source<'_>, raw: &List<RawEngine>) -> Result<Vec<EngineLevel>, SpecError> {
    not_empty(source, "engines", raw)?;
    let mut levels: Vec<EngineLevel> = Vec::new();
    for entry in raw.get_ref() {
        let RawEngine { name: given, engine, args } = entry.get_ref();
        let name = name(source, "engines", given, &entry.span())?;
        if levels.iter().any(|level| level.name == name) {
            return Err(source.fault("engines", &entry.span(), format!("'{name}' is listed twice")));
        }
        levels.push(EngineLevel { name, engine: *engine, args: args.clone(), variant_of: None });
    }
    Ok(levels)
}

/// The levels that `raw` makes of some of `engines`.
pub(super) fn variants(
    source: Source<'_>,
    raw: Option<&List<RawVariant>>,
    engines: &[EngineLevel],
) -> Result<Vec<EngineLevel>, SpecError> {
    const KEY: &str = "variants";
    let mut variants: Vec<EngineLevel> = Vec::new();
    for entry in raw.map(Spanned::get_ref).into_iter().flatten() {
        let RawVariant { of, name: own, args } = entry.get_ref();
        let fault = |reason: String| source.fault(KEY, &entry.span(), reason);
        let own = name(source, KEY, own, &entry.span())?;
        let of = engines.iter().find(|level| level.name == *of).ok_or_else(|| fault(unknown(of, engines)))?;
        let name = format!("{}-{own}", of.name);
        if engines.iter().chain(&variants).any(|level| level.name == name) {
            return Err(fault(format!("'{name}' is listed twice")));
        }
        let args = [&of.args[..], args].concat();
        variants.push(EngineLevel { name, engine: of.engine, args, variant_of: Some(of.name.clone()) });
    }
    Ok(variants)
}

fn unknown(name: &str, engines: &[EngineLevel]) -> String {
    let known: Vec<_> = engines.iter().map(|level| level.name.as_str()).collect();
    format!("'{name}' is not among the engines, which are {}", known.join(", "))
}

pub(super) fn comparison(
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
        engines.iter().position(|level| level.name == name).ok_or_else(|| fault(unknown(name, engines)))
    };
    let comparison = Comparison { of: position(of)?, to: position(to)? };
    if comparison.of == comparison.to {
        return Err(fault(format!("'{of}' compared with itself is always 1")));
    }
    Ok(comparison)
}
