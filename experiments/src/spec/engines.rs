//! The engine factor: which servers, set how, and which of them are compared.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::check::{List, name, not_empty};
use super::error::Source;
use super::server_program::{Ends, Ready, ServerProgram};
use super::{Comparison, EngineLevel, SpecError};

/// One of the table of servers, by its name alone, `"uring"`, or with arguments,
/// `{ name = "uring-32", engine = "uring", args = ["--buffers", "32"] }`; or any other,
/// `{ name = "mine", command = "mine --listen {addr}" }`.
pub(super) struct RawEngine {
    name: String,
    from: Origin,
    args: Vec<String>,
}

/// Where a level has its program from.
enum Origin {
    Table(String),
    Own(Box<RawProgram>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEngineTable {
    name: String,
    engine: Option<String>,
    command: Option<String>,
    #[serde(default)]
    ready: Ready,
    #[serde(default)]
    ends: Ends,
    #[serde(default)]
    args: Vec<String>,
}

struct RawProgram {
    command: String,
    ready: Ready,
    ends: Ends,
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
                f.write_str("an engine, or a table with name, engine or command, and args")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RawEngine, E> {
                Ok(RawEngine { name: name.into(), from: Origin::Table(name.into()), args: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawEngine, A::Error> {
                let raw = RawEngineTable::deserialize(MapAccessDeserializer::new(map))?;
                let (ready, ends) = (raw.ready, raw.ends);
                let from = match (raw.engine, raw.command) {
                    (Some(engine), None) => Origin::Table(engine),
                    (None, Some(command)) => Origin::Own(Box::new(RawProgram { command, ready, ends })),
                    _ => {
                        return Err(serde::de::Error::custom(
                            "an engine or a command is wanted, one of the two",
                        ));
                    }
                };
                Ok(RawEngine { name: raw.name, from, args: raw.args })
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}

pub(super) fn engines(source: Source<'_>, raw: &List<RawEngine>) -> Result<Vec<EngineLevel>, SpecError> {
    not_empty(source, "engines", raw)?;
    let mut levels: Vec<EngineLevel> = Vec::new();
    for entry in raw.get_ref() {
        let RawEngine { name: given, from, args } = entry.get_ref();
        let name = name(source, "engines", given, &entry.span())?;
        let (engine, program) =
            program(&name, from).map_err(|reason| source.fault("engines", &entry.span(), reason))?;
        if levels.iter().any(|level| level.name == name) {
            return Err(source.fault("engines", &entry.span(), format!("'{name}' is listed twice")));
        }
        levels.push(EngineLevel { name, engine, program, args: args.clone(), variant_of: None });
    }
    Ok(levels)
}

/// The engine of the level called `name`, and its program.
fn program(name: &str, from: &Origin) -> Result<(String, ServerProgram), String> {
    match from {
        Origin::Table(engine) => {
            let known = || ServerProgram::names().collect::<Vec<_>>().join(", ");
            let entry = ServerProgram::named(engine).filter(|_| engine != "discard");
            let program =
                entry.ok_or_else(|| format!("no server is called '{engine}': there are {}", known()))?;
            Ok((engine.clone(), program))
        }
        Origin::Own(_) if ServerProgram::named(name).is_some() => {
            Err(format!("'{name}' names a server of the table: call your own another name"))
        }
        Origin::Own(raw) => Ok((name.to_owned(), ServerProgram::own(&raw.command, raw.ready, raw.ends)?)),
    }
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
        variants.push(EngineLevel { name, args, variant_of: Some(of.name.clone()), ..of.clone() });
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
