//! A part of an experiment: `mode=stream,connections=512` keeps those levels and drops the others.

use std::fmt;
use std::str::FromStr;

use uring_echo::record::Mode;

use crate::spec::factors::Factors;
use crate::spec::in_flight::DEFAULT;
use crate::spec::renamed::present;
use crate::spec::{EngineLevel, Spec};

/// A factor of the cross that can be narrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Engine,
    Mode,
    Payload,
    Connections,
    Depth,
    Batch,
    InFlight,
    Load,
    Rate,
    Hogs,
    Idle,
}

impl Factor {
    const ALL: [Self; 11] = [
        Self::Engine,
        Self::Mode,
        Self::Payload,
        Self::Connections,
        Self::Depth,
        Self::Batch,
        Self::InFlight,
        Self::Load,
        Self::Rate,
        Self::Hogs,
        Self::Idle,
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Mode => "mode",
            Self::Payload => "payload_bytes",
            Self::Connections => "connections",
            Self::Depth => "depth",
            Self::Batch => "batch_bytes",
            Self::InFlight => "in_flight_bytes",
            Self::Load => "load",
            Self::Rate => "rate_per_s",
            Self::Hogs => "hogs",
            Self::Idle => "idle",
        }
    }

    /// The level of `cell`; `none` where the factor does not apply to it.
    fn level(self, cell: &Factors) -> String {
        let level = match self {
            Self::Engine => None,
            Self::Mode => Some(cell.mode.to_string()),
            Self::Payload => Some(cell.payload_bytes.to_string()),
            Self::Connections => Some(cell.connections.to_string()),
            Self::Depth => cell.depth.map(|depth| depth.to_string()),
            Self::Batch => cell.batch_bytes.map(|bytes| bytes.to_string()),
            Self::InFlight if cell.mode == Mode::Stream => Some(in_flight(cell)),
            Self::InFlight => None,
            Self::Load => cell.load.map(|share| share.to_string()),
            Self::Rate => cell.rate_per_s.map(|rate| rate.to_string()),
            Self::Hogs => cell.hog_kind.map(|kind| kind.to_string()),
            Self::Idle => Some(cell.idle.to_string()),
        };
        level.unwrap_or_else(|| "none".into())
    }
}

/// What `cell` has on its way, in the word of its file.
fn in_flight(cell: &Factors) -> String {
    cell.in_flight_bytes.map_or_else(|| DEFAULT.to_owned(), |level| level.to_string())
}

/// Levels to keep. A factor named twice keeps both levels; one that is not named keeps all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<(Factor, String)>,
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let keys = Factor::ALL.map(Factor::key).join(", ");
        let term = |term: &str| {
            let (key, level) =
                term.split_once('=').ok_or_else(|| format!("'{term}' is not of the form mode=stream"))?;
            let factor = Factor::ALL.into_iter().find(|factor| factor.key() == key);
            let factor = factor.ok_or_else(|| format!("'{key}' is no factor; there are {keys}"))?;
            Ok((factor, level.to_owned()))
        };
        Ok(Self { terms: text.split(',').map(term).collect::<Result<_, String>>()? })
    }
}

impl Filter {
    /// Narrows `spec` to the levels kept, and to the comparisons that still have both sides.
    ///
    /// # Errors
    /// When a level asked for is not in the specification, with those that are; when nothing is left.
    pub fn narrow(&self, spec: &mut Spec) -> Result<(), String> {
        let mut kept = spec.engines.clone();
        self.keep(Factor::Engine, &mut kept, |level| level.name.clone())?;
        // A variant runs beside what it is a variant of.
        let is_kept = |level: &EngineLevel| {
            kept.iter().any(|own| own.name == level.name || own.variant_of.as_ref() == Some(&level.name))
        };
        spec.keep_engines(is_kept);
        for factor in Factor::ALL.into_iter().filter(|&factor| factor != Factor::Engine) {
            self.keep(factor, &mut spec.cells, |cell| factor.level(&cell.factors))?;
        }
        if spec.cells.is_empty() {
            return Err("no cell of this experiment has all of these levels".into());
        }
        Ok(())
    }

    fn keep<T>(
        &self,
        factor: Factor,
        levels: &mut Vec<T>,
        name: impl Fn(&T) -> String,
    ) -> Result<(), String> {
        let mut known: Vec<_> = levels.iter().map(&name).collect();
        known.dedup();
        let own = self.terms.iter().filter(|term| term.0 == factor).map(|term| &term.1);
        // An old recording's filter has the names that its specification has.
        let wanted: Vec<_> = own
            .map(|level| if known.contains(level) { level.clone() } else { present(level).to_owned() })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        if let Some(unknown) = wanted.iter().find(|level| !known.contains(level)) {
            let distinct: Vec<_> =
                known.iter().enumerate().filter(|(at, level)| !known[..*at].contains(level)).collect();
            let known: Vec<_> = distinct.into_iter().map(|(_, level)| level.as_str()).collect();
            let (key, known) = (factor.key(), known.join(", "));
            return Err(format!("this experiment has no {key}={unknown}; it has {known}"));
        }
        levels.retain(|level| wanted.contains(&name(level)));
        Ok(())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<_> =
            self.terms.iter().map(|(factor, level)| format!("{}={level}", factor.key())).collect();
        f.write_str(&terms.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Size;

    fn quick() -> Spec {
        crate::spec::find("quick", Size::Quick).unwrap().unwrap().0
    }

    #[test]
    fn levels_that_are_named_stay_and_the_others_go() {
        let mut spec = quick();
        let filter: Filter = "mode=stream,connections=512".parse().unwrap();
        filter.narrow(&mut spec).unwrap();
        let keys: Vec<_> = spec.cells.iter().map(|cell| cell.factors.key()).collect();
        assert_eq!(keys, ["stream/256B/c512", "stream/16384B/c512"]);
        assert_eq!((spec.engines.len(), spec.comparisons.len()), (2, 1));
    }

    #[test]
    fn a_comparison_that_lost_a_side_goes() {
        let mut spec = quick();
        "engine=uring".parse::<Filter>().unwrap().narrow(&mut spec).unwrap();
        assert_eq!(spec.engine_names().collect::<Vec<_>>(), ["uring"]);
        assert!(spec.comparisons.is_empty());
    }

    #[test]
    fn a_comparison_follows_its_engines_when_others_go() {
        let mut spec = crate::spec::find("parity", Size::Quick).unwrap().unwrap().0;
        "engine=mio,engine=epoll".parse::<Filter>().unwrap().narrow(&mut spec).unwrap();
        let sides: Vec<_> =
            spec.comparisons.iter().map(|c| (&*spec.engines[c.of].name, &*spec.engines[c.to].name)).collect();
        assert_eq!(sides, [("epoll", "mio")]);
    }

    #[test]
    fn a_variant_keeps_what_it_is_a_variant_of() {
        let mut spec = crate::spec::find("ablation", Size::Quick).unwrap().unwrap().0;
        "engine=uring-coop".parse::<Filter>().unwrap().narrow(&mut spec).unwrap();
        assert_eq!(spec.engine_names().collect::<Vec<_>>(), ["uring", "uring-coop"]);
        assert_eq!(spec.comparisons.len(), 1);
    }

    #[test]
    fn unknown_factors_and_levels_are_refused_with_those_that_exist() {
        let error = "payload=256".parse::<Filter>().unwrap_err();
        assert_eq!(
            error,
            "'payload' is no factor; there are engine, mode, payload_bytes, connections, depth, batch_bytes, in_flight_bytes, load, rate_per_s, hogs, idle"
        );
        let error = "connections=9".parse::<Filter>().unwrap().narrow(&mut quick()).unwrap_err();
        assert_eq!(error, "this experiment has no connections=9; it has 8, 512");
    }

    #[test]
    fn streams_are_told_apart_by_what_is_on_their_way_and_requests_have_no_such_level() {
        let kept = |filter: &str| {
            let mut spec = crate::spec::find("parity", Size::Quick).unwrap().unwrap().0;
            filter.parse::<Filter>().unwrap().narrow(&mut spec).unwrap();
            spec.cells.iter().map(|cell| cell.factors.key()).collect::<Vec<_>>()
        };
        let of = |level: &str| kept(&format!("connections=8,payload_bytes=256,in_flight_bytes={level}"));
        assert_eq!(of("default"), ["stream/256B/c8"]);
        assert_eq!(of("unbounded"), ["stream/256B/c8/inflight-unbounded"]);
        assert_eq!(of("none"), ["req-res/256B/c8"]);
    }

    #[test]
    fn an_engine_is_still_known_by_its_older_name() {
        let (mut spec, _) = crate::spec::find("study", crate::spec::Size::Quick).unwrap().unwrap();
        "engine=epoll-seed".parse::<Filter>().unwrap().narrow(&mut spec).unwrap();
        let names: Vec<_> = spec.engines.iter().map(|level| level.name.as_str()).collect();
        assert_eq!(names, ["epoll-study"]);
    }
}
