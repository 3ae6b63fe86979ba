//! Runs, connections and series of recordings as data frames, and those as Parquet.
//!
//! | frame | one row |
//! |---|---|
//! | [`runs`] | a run of the manifest, whether or not it counts |
//! | [`connections`] | a connection of a run that left a record |
//! | [`series`] | a step of about a second of a run that left a record |

mod long;
mod runs;

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use polars::prelude::DataFrame;
use polars_io::prelude::{ParquetCompression, ParquetWriter};

pub(crate) use long::{connections, series};
pub(crate) use runs::runs;

/// Writes `frame` to `path` as Parquet.
pub(crate) fn write_parquet(frame: &mut DataFrame, path: &Path) -> anyhow::Result<()> {
    let named = || format!("cannot write {}", path.display());
    let file = File::create(path).with_context(named)?;
    // One thread and one row group: the same frame gives the same bytes.
    ParquetWriter::new(file)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(usize::MAX))
        .set_parallel(false)
        .finish(frame)
        .with_context(named)?;
    Ok(())
}
