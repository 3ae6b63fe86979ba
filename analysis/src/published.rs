//! What the study of 2023 published, one run a row, and its ratios.

use std::collections::BTreeMap;
use std::io::Cursor;

use anyhow::{Context, ensure};
use polars::prelude::*;
use polars_io::SerReader;
use polars_io::prelude::CsvReadOptions;
use uring_echo::record::Mode;

use crate::grid::{Comparison, Grid};
use crate::metric::Metric;
use crate::recording::Cell;

/// The published results: `analysis/data/README.md` says where they are from.
const TEXT: &str = include_str!("../data/published_2023.csv");

/// What the study divided: io_uring by epoll.
const SERVERS: [&str; 2] = ["io_uring", "epoll"];

/// Reads the published results that this program was built with.
///
/// # Errors
/// As [`read`].
pub fn built_in() -> anyhow::Result<DataFrame> {
    read(TEXT).context("the published results that this program was built with are damaged")
}

/// Reads published results from the `text` of a CSV file.
///
/// # Errors
/// When it is no CSV, lacks a column, or holds no row.
pub fn read(text: &str) -> anyhow::Result<DataFrame> {
    let options = CsvReadOptions::default().with_has_header(true);
    let frame = options.into_reader_with_file_handle(Cursor::new(text.as_bytes().to_vec())).finish()?;
    ensure!(frame.height() > 0, "there is no row");
    let frame = frame
        .lazy()
        .select([
            col("mode"),
            col("server"),
            col("payload_bytes").cast(DataType::UInt64),
            col("connections").cast(DataType::UInt64),
            col("run").cast(DataType::UInt32),
            col("responses_per_s_from_total").cast(DataType::Float64).alias(Metric::MessagesPerS.name()),
            (col("responses_per_s_from_total") * col("payload_bytes"))
                .cast(DataType::Float64)
                .alias(Metric::GoodputBytesPerS.name()),
            col("jain").cast(DataType::Float64),
            col("min_max_ratio").cast(DataType::Float64),
            col("unechoed_bytes_per_conn").cast(DataType::Float64),
        ])
        .collect()?;
    Ok(frame)
}

/// The published grid: each run a repetition.
///
/// # Errors
/// When `frame` is not what [`read`] makes.
pub fn grid(frame: &DataFrame) -> anyhow::Result<Grid> {
    let [of, to] = SERVERS.map(str::to_owned);
    let mut grid = Grid {
        engines: vec![to.clone(), of.clone()],
        comparisons: vec![Comparison { of, to }],
        rows: Vec::new(),
    };
    let (modes, servers) = (frame.column("mode")?.str()?, frame.column("server")?.str()?);
    let (payloads, connections) =
        (frame.column("payload_bytes")?.u64()?, frame.column("connections")?.u64()?);
    let runs = frame.column("run")?.u32()?;
    let metrics = [Metric::MessagesPerS, Metric::GoodputBytesPerS, Metric::Jain, Metric::MinMaxRatio];
    for row in 0..frame.height() {
        let found =
            (modes.get(row), servers.get(row), payloads.get(row), connections.get(row), runs.get(row));
        let (Some(mode), Some(server), Some(payload), Some(connections), Some(run)) = found else {
            anyhow::bail!("row {} has no mode, server, payload, connections or run", row + 1);
        };
        let samples = grid.samples_mut(&cell(mode, payload, connections)?, server);
        for metric in metrics {
            samples.enter(metric, run, frame.column(metric.name())?.f64()?.get(row));
        }
        samples.count_run(false);
    }
    grid.rows.sort_by(|row, other| row.cell.order(&other.cell));
    Ok(grid)
}

fn cell(mode: &str, payload_bytes: u64, connections: u64) -> anyhow::Result<Cell> {
    let known = BTreeMap::from([("stream", Mode::Stream), ("req-res", Mode::ReqRes)]);
    let mode =
        *known.get(mode).with_context(|| format!("'{mode}' is no mode; there are stream and req-res"))?;
    Ok(Cell::new(mode, usize::try_from(payload_bytes)?, usize::try_from(connections)?))
}
