//! A part of an experiment: `mode=stream,connections=512` keeps those levels and drops the others.

use std::fmt;
use std::str::FromStr;

use crate::spec::Spec;

/// A factor of the cross that can be narrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Engine,
    Mode,
    Payload,
    Connections,
}

impl Factor {
    const ALL: [Self; 4] = [Self::Engine, Self::Mode, Self::Payload, Self::Connections];

    const fn key(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Mode => "mode",
            Self::Payload => "payload_bytes",
            Self::Connections => "connections",
        }
    }
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
    /// When a level asked for is not in the specification, with those that are.
    pub fn narrow(&self, spec: &mut Spec) -> Result<(), String> {
        let names: Vec<_> = spec.engine_names().map(str::to_owned).collect();
        self.keep(Factor::Engine, &mut spec.engines, |level| level.name.clone())?;
        self.keep(Factor::Mode, &mut spec.workloads, |workload| workload.mode.to_string())?;
        self.keep(Factor::Payload, &mut spec.payload_bytes, usize::to_string)?;
        self.keep(Factor::Connections, &mut spec.connections, usize::to_string)?;
        let engines = &spec.engines;
        let now = |before: usize| engines.iter().position(|level| level.name == names[before]);
        spec.comparisons = spec
            .comparisons
            .iter()
            .filter_map(|comparison| {
                Some(crate::spec::Comparison { of: now(comparison.of)?, to: now(comparison.to)? })
            })
            .collect();
        Ok(())
    }

    fn keep<T>(
        &self,
        factor: Factor,
        levels: &mut Vec<T>,
        name: impl Fn(&T) -> String,
    ) -> Result<(), String> {
        let wanted: Vec<_> = self.terms.iter().filter(|term| term.0 == factor).map(|term| &term.1).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let known: Vec<_> = levels.iter().map(&name).collect();
        if let Some(unknown) = wanted.iter().find(|&&level| !known.contains(level)) {
            let (key, known) = (factor.key(), known.join(", "));
            return Err(format!("this experiment has no {key}={unknown}; it has {known}"));
        }
        levels.retain(|level| wanted.contains(&&name(level)));
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

    fn quick() -> Spec {
        crate::spec::find("quick").unwrap().unwrap().0
    }

    #[test]
    fn levels_that_are_named_stay_and_the_others_go() {
        let mut spec = quick();
        let filter: Filter = "mode=stream,connections=512".parse().unwrap();
        filter.narrow(&mut spec).unwrap();
        assert_eq!((spec.workloads.len(), spec.connections.as_slice()), (1, [512].as_slice()));
        assert_eq!((spec.engines.len(), spec.comparisons.len(), spec.payload_bytes.len()), (2, 1, 2));
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
        let mut spec = crate::spec::find("parity").unwrap().unwrap().0;
        "engine=mio,engine=epoll".parse::<Filter>().unwrap().narrow(&mut spec).unwrap();
        let sides: Vec<_> =
            spec.comparisons.iter().map(|c| (&*spec.engines[c.of].name, &*spec.engines[c.to].name)).collect();
        assert_eq!(sides, [("epoll", "mio")]);
    }

    #[test]
    fn unknown_factors_and_levels_are_refused_with_those_that_exist() {
        let error = "payload=256".parse::<Filter>().unwrap_err();
        assert_eq!(error, "'payload' is no factor; there are engine, mode, payload_bytes, connections");
        let error = "connections=9".parse::<Filter>().unwrap().narrow(&mut quick()).unwrap_err();
        assert_eq!(error, "this experiment has no connections=9; it has 8, 512");
    }
}
