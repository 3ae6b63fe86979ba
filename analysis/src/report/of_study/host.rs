//! A machine as a table of facts.

use serde_json::Value;

use crate::report::model::Table;
use crate::values::ExperimentValues;

/// The machine of `values`.
pub(super) fn host(values: &ExperimentValues) -> Table {
    let mut rows = Vec::new();
    facts("", &values.host, &mut rows);
    if rows.is_empty() {
        rows.push(vec!["host".to_owned(), "its description is damaged".to_owned()]);
    }
    Table {
        caption: format!("The machine of {}", values.recording),
        heads: vec!["Fact".to_owned(), "Value".to_owned()],
        names: 2,
        rows,
    }
}

/// The fact at `path` in the description of a `machine`, for a sentence.
pub(super) fn fact(machine: &Value, path: &[&str]) -> String {
    path.iter().try_fold(machine, |value, key| value.get(key)).map_or("unknown".into(), plain)
}

/// Every leaf of `value` under its path.
fn facts(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) if !fields.contains_key("unavailable") => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                facts(&path, field, rows);
            }
        }
        Value::Null if path.is_empty() => {}
        value => rows.push(vec![path.to_owned(), plain(value)]),
    }
}

/// `value` as a reader wants it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<String>>().join(", "),
        Value::Object(fields) => match fields.get("unavailable") {
            Some(reason) => format!("unavailable: {}", plain(reason)),
            None => fields
                .iter()
                .map(|(name, field)| format!("{name} {}", plain(field)))
                .collect::<Vec<String>>()
                .join(", "),
        },
        Value::Null => "–".to_owned(),
        value => value.to_string(),
    }
}
