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
    let found = claim.value.iter().try_fold(values, |value, key| value.get(key));
    let number = found.and_then(|value| value.as_f64().or_else(|| value.as_bool().map(f64::from)));
    match (number, claim.range) {
        (Some(number), None) => Verdict::NoRange(number),
        (Some(number), Some([low, high])) if low <= number && number <= high => Verdict::Holds(number),
        (Some(number), Some(_)) => Verdict::Contradicted(number),
        (None, _) if is_recorded(claim, values) => Verdict::NoValue,
        (None, _) => Verdict::NotRecorded,
    }
}

fn is_recorded(claim: &Claim, values: &Value) -> bool {
    match claim.value.as_slice() {
        [section, experiment, ..] if section == "experiments" => values[section].get(experiment).is_some(),
        _ => true,
    }
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
            Verdict::NoRange(number) => write!(f, "no range yet  {id}: {number:.4}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claim(value: &[&str], range: Option<[f64; 2]>) -> Claim {
        Claim {
            id: "a".into(),
            sentence: "A holds.".into(),
            command: "make".into(),
            time: String::new(),
            disk: String::new(),
            figure: None,
            value: value.iter().map(|&key| key.to_owned()).collect(),
            range,
        }
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
