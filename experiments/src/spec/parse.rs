//! From TOML text to a checked [`Spec`].

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;

use super::error::Source;
use super::raw::{RawSpec, spec};
use super::{Cell, Size, Spec, SpecError, cells, overlay};

pub(super) fn parse(file: &str, text: &str, size: Size) -> Result<Spec, SpecError> {
    let source = Source { file, text };
    let mut raws = Vec::new();
    for document in overlay::documents(source, size)? {
        let raw = RawSpec::deserialize(document.into_deserializer());
        raws.push(raw.map_err(|error| source.toml_fault(&error))?);
    }
    let mut all: Vec<Cell> = Vec::new();
    for raw in &raws {
        for cell in cells::cells(source, raw)? {
            if all.iter().any(|other| other.factors == cell.factors) {
                let reason = format!("another grid has {}, too", cell.factors.key());
                return Err(source.fault("grid", &raw.payload_bytes.span(), reason));
            }
            all.push(cell);
        }
    }
    spec(source, size, &raws[0], all)
}
