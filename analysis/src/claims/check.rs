//! Holds claims to values.

use std::fmt;

use serde_json::Value;

use super::Claim;

/// What the values say of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The number lies in the range.
    Holds(f64),
    /// The number lies outside of the range.
    Contradicted(f64),
    /// The experiment was recorded and has no such number: a gap in its data, or a claim that names nothing.
    NoValue,
    /// There is no recording of the experiment among those given.
    NotRecorded,
    /// The recording is not what the claim is about: the sizes differ, or a part was left out. What it is.
    NotChecked(String),
    /// No range is set yet; this is the number.
    NoRange(f64),
}

/// A claim and what the values say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Check<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// What the values say.
    pub verdict: Verdict,
}

impl Verdict {
    /// Whether the claim may not be made with this data.
    pub const fn is_contradiction(&self) -> bool {
        matches!(self, Self::Contradicted(_) | Self::NoValue)
    }
}

/// Holds each of `claims` to `values`, the document of [`crate::values`].
pub fn check<'a>(claims: &'a [Claim], values: &Value) -> Vec<Check<'a>> {
    claims.iter().map(|claim| Check { claim, verdict: verdict(claim, values) }).collect()
}

fn verdict(claim: &Claim, values: &Value) -> Verdict {
    if let Some(experiment) = claim.experiment() {
        let Some(recorded) = values["experiments"].get(experiment) else { return Verdict::NotRecorded };
        if let Some(difference) = difference(claim, recorded) {
            return Verdict::NotChecked(difference);
        }
    }
    let found = claim.value.iter().try_fold(values, |value, key| value.get(key));
    let number = found.and_then(|value| value.as_f64().or_else(|| value.as_bool().map(f64::from)));
    match (number, claim.range) {
        (Some(number), None) => Verdict::NoRange(number),
        (Some(number), Some([low, high])) if low <= number && number <= high => Verdict::Holds(number),
        (Some(number), Some(_)) => Verdict::Contradicted(number),
        (None, _) => Verdict::NoValue,
    }
}

/// How `recorded`, the values of an experiment, differs from what `claim` is about. A mean over fewer cells or shorter
/// windows is another number, which neither confirms nor contradicts.
fn difference(claim: &Claim, recorded: &Value) -> Option<String> {
    let (size, filter) = (recorded["size"].as_str()?, recorded["filter"].as_str().unwrap_or_default());
    if !filter.is_empty() {
        return Some(format!("recorded as {size}, only {filter}"));
    }
    let is_same = claim.size.is_some_and(|wanted| wanted.to_string() == size);
    (!is_same).then(|| format!("recorded as {size}"))
}

impl fmt::Display for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim { id, sentence, command, value, range, .. } = self.claim;
        let [low, high] = range.unwrap_or_default();
        match &self.verdict {
            Verdict::Holds(number) => write!(f, "holds         {id}: {number:.4} in {low} to {high}"),
            Verdict::Contradicted(number) => {
                write!(f, "CONTRADICTED  {id}: {number:.4} is not in {low} to {high}. {sentence}")
            }
            Verdict::NoValue => write!(f, "NO VALUE      {id}: nothing at {}. {sentence}", value.join(" > ")),
            Verdict::NotRecorded => write!(f, "not recorded  {id}: make the data with `{command}`"),
            Verdict::NotChecked(difference) => {
                write!(f, "not checked   {id}: {difference}; make the data it is about with `{command}`")
            }
            Verdict::NoRange(number) => write!(f, "no range yet  {id}: {number:.4}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use experiments::spec::Size;
    use serde_json::json;

    fn claim(value: &[&str], range: Option<[f64; 2]>) -> Claim {
        Claim {
            id: "a".into(),
            sentence: "A holds.".into(),
            command: "make".into(),
            size: None,
            time: String::new(),
            disk: String::new(),
            figure: None,
            value: value.iter().map(|&key| key.to_owned()).collect(),
            range,
        }
    }

    fn recorded_as(size: Size, recorded: Value) -> Verdict {
        let values = json!({"experiments": {"stream": recorded}});
        let mean = claim(&["experiments", "stream", "mean"], Some([5.0, 6.0]));
        verdict(&Claim { size: Some(size), ..mean }, &values)
    }

    #[test]
    fn a_recording_of_another_size_neither_holds_nor_contradicts() {
        let quick = json!({"size": "quick", "filter": "", "mean": 0.9});
        assert_eq!(recorded_as(Size::Quick, quick.clone()), Verdict::Contradicted(0.9));
        let other = recorded_as(Size::Full, quick);
        assert_eq!(other, Verdict::NotChecked("recorded as quick".into()));
        assert!(!other.is_contradiction());
        let full = json!({"size": "full", "filter": "", "mean": 5.5});
        assert_eq!(recorded_as(Size::Quick, full.clone()), Verdict::NotChecked("recorded as full".into()));
        assert_eq!(recorded_as(Size::Full, full), Verdict::Holds(5.5));
    }

    #[test]
    fn a_part_of_an_experiment_is_not_held_to_what_is_said_of_all_of_it() {
        let part = json!({"size": "quick", "filter": "connections=8", "mean": 5.5});
        let expected = Verdict::NotChecked("recorded as quick, only connections=8".into());
        assert_eq!(recorded_as(Size::Quick, part), expected);
    }

    fn verdict_of(value: &[&str], range: Option<[f64; 2]>) -> Verdict {
        let values = json!({"experiments": {"stream": {"mean": 0.9, "gap": null, "is": true}}});
        verdict(&claim(value, range), &values)
    }

    #[test]
    fn a_number_within_the_range_holds_and_one_outside_contradicts() {
        let mean = ["experiments", "stream", "mean"];
        assert_eq!(verdict_of(&mean, Some([0.9, 1.0])), Verdict::Holds(0.9));
        assert_eq!(verdict_of(&mean, Some([0.91, 1.0])), Verdict::Contradicted(0.9));
        assert_eq!(verdict_of(&mean, Some([0.0, 0.89])), Verdict::Contradicted(0.9));
        assert_eq!(verdict_of(&mean, None), Verdict::NoRange(0.9));
        assert_eq!(verdict_of(&["experiments", "stream", "is"], Some([1.0, 1.0])), Verdict::Holds(1.0));
    }

    #[test]
    fn a_gap_in_recorded_data_contradicts_and_a_recording_not_made_does_not() {
        assert_eq!(verdict_of(&["experiments", "stream", "gap"], Some([0.0, 1.0])), Verdict::NoValue);
        assert_eq!(verdict_of(&["experiments", "stream", "men"], None), Verdict::NoValue);
        assert_eq!(verdict_of(&["published", "men"], None), Verdict::NoValue);
        assert_eq!(verdict_of(&["experiments", "scale", "mean"], None), Verdict::NotRecorded);
        assert!(Verdict::NoValue.is_contradiction());
        assert!(!Verdict::NotRecorded.is_contradiction());
    }
}
