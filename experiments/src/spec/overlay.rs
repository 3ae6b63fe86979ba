//! A part of a specification laid over the rest of it: `[size.full]` over the file, each `[[grid]]` over both.
//!
//! It happens in the tree that the TOML reader built, where every value still knows its place in the text.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Source;
use super::{Size, SpecError};

/// What may differ from grid to grid: the factors, and how a cell is run.
const GRID_KEYS: [&str; 15] = [
    "modes",
    "payload_bytes",
    "connections",
    "depth",
    "batch_bytes",
    "in_flight_bytes",
    "load",
    "rate_per_s",
    "hogs",
    "idle",
    "warmup_s",
    "window_s",
    "verify",
    "client_args",
    "mode",
];

type Document<'i> = Spanned<DeTable<'i>>;

/// The document of `size`, once for each of its grids; without any, once.
pub(super) fn documents<'i>(source: Source<'i>, size: Size) -> Result<Vec<Document<'i>>, SpecError> {
    let mut root = DeTable::parse(source.text).map_err(|error| source.toml_fault(&error))?;
    if let Some(sizes) = root.get_mut().remove("size") {
        let own = size_table(source, sizes, size)?;
        lay_over(root.get_mut(), own);
    }
    let Some(grids) = root.get_mut().remove("grid") else { return Ok(vec![root]) };
    let span = grids.span();
    let DeValue::Array(grids) = grids.into_inner() else {
        return Err(source.fault("grid", &span, "is not a list of tables: write [[grid]]"));
    };
    if grids.is_empty() {
        return Err(source.fault("grid", &span, "lists nothing, so there would be nothing to run"));
    }
    grids.into_iter().map(|grid| with_grid(source, root.clone(), grid)).collect()
}

/// The table of `size`, empty if there is none.
fn size_table<'i>(
    source: Source<'i>,
    sizes: Spanned<DeValue<'i>>,
    size: Size,
) -> Result<DeTable<'i>, SpecError> {
    let mut sizes = table(source, "size", sizes)?;
    let names = Size::ALL.map(|size| size.to_string());
    if let Some(unknown) = sizes.keys().find(|key| !names.contains(&key.get_ref().to_string())) {
        let reason = format!("unknown size `{}`; there are {}", unknown.get_ref(), names.join(" and "));
        return Err(source.fault("size", &unknown.span(), reason));
    }
    match sizes.remove(size.to_string().as_str()) {
        Some(own) => table(source, &format!("size.{size}"), own),
        None => Ok(DeTable::new()),
    }
}

fn with_grid<'i>(
    source: Source<'i>,
    mut root: Document<'i>,
    grid: Spanned<DeValue<'i>>,
) -> Result<Document<'i>, SpecError> {
    let grid = table(source, "grid", grid)?;
    if let Some(other) = grid.keys().find(|key| !GRID_KEYS.contains(&key.get_ref().as_ref())) {
        let reason = format!("a grid has no `{}`; it has {}", other.get_ref(), GRID_KEYS.join(", "));
        return Err(source.fault("grid", &other.span(), reason));
    }
    lay_over(root.get_mut(), grid);
    Ok(root)
}

fn table<'i>(source: Source<'i>, key: &str, value: Spanned<DeValue<'i>>) -> Result<DeTable<'i>, SpecError> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Ok(table),
        _ => Err(source.fault(key, &span, "is not a table")),
    }
}

/// Values of `upper` take the place of those of `lower`; tables are merged.
fn lay_over<'i>(lower: &mut DeTable<'i>, upper: DeTable<'i>) {
    for (key, value) in upper {
        match (lower.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut), value) {
            (Some(DeValue::Table(below)), value) if value.get_ref().is_table() => {
                if let DeValue::Table(above) = value.into_inner() {
                    lay_over(below, above);
                }
            }
            (_, value) => {
                lower.remove(key.get_ref().as_ref());
                lower.insert(key, value);
            }
        }
    }
}
