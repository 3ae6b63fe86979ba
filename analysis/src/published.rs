//! What the study of 2023 published, one run a row, and its ratios.

use std::collections::BTreeMap;
use std::io::Cursor;

use anyhow::{Context, ensure};
use polars::prelude::*;
use polars_io::SerReader;
use polars_io::prelude::CsvReadOptions;
use uring_echo::record::Mode;

use crate::grid::{Comparison, Grid};
use crate::metric;
use crate::recording::Cell;
use crate::servers::Servers;

/// The published results: `analysis/data/README.md` says where they are from.
const TEXT: &str = include_str!("../data/published_2023.csv");

/// Bytes a connection sent that never came back.
pub(crate) const UNECHOED: &str = "unechoed_bytes_per_conn";

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
            col("responses_per_s_from_total").cast(DataType::Float64).alias(metric::MESSAGES),
            (col("responses_per_s_from_total") * col("payload_bytes"))
                .cast(DataType::Float64)
                .alias(metric::GOODPUT),
            col("jain").cast(DataType::Float64),
            col("min_max_ratio").cast(DataType::Float64),
            col(UNECHOED).cast(DataType::Float64),
        ])
        .collect()?;
    Ok(frame)
}

/// The published grid: each run a repetition.
///
/// # Errors
/// When `frame` is not what [`read`] makes.
pub fn grid(frame: &DataFrame) -> anyhow::Result<Grid> {
    let number = |name: &str| frame.column(name)?.u64();
    let (modes, payloads, connections) =
        (frame.column("mode")?.str()?, number("payload_bytes")?, number("connections")?);
    let place = |row: usize| {
        let hole = || format!("row {} has no mode, payload or connections", row + 1);
        let mode = modes.get(row).with_context(hole)?;
        cell(mode, payloads.get(row).with_context(hole)?, connections.get(row).with_context(hole)?)
    };
    let mut cells = (0..frame.height()).map(place).collect::<anyhow::Result<Vec<Cell>>>()?;
    let keys: Vec<&str> = cells.iter().map(|cell| cell.key.as_str()).collect();
    let unmeasured = metric::ALL.iter().filter(|(name, _)| frame.schema().get(name).is_none());
    let unmeasured = unmeasured.map(|(name, _)| lit(NULL).cast(DataType::Float64).alias(*name));
    let place = [
        lit(Series::new("cell".into(), keys)),
        col("server").alias("engine"),
        col("run").alias("repetition"),
        lit("measured").alias("role"),
        lit("valid").alias("standing"),
    ];
    let runs = frame.clone().lazy().with_columns(place.into_iter().chain(unmeasured).collect::<Vec<_>>());
    let runs = runs.collect()?;
    cells.sort_by(Cell::order);
    cells.dedup();
    let [of, to] = SERVERS.map(str::to_owned);
    let servers = Servers::plain(&[&to, &of]);
    let engines = vec![to.clone(), of.clone()];
    Ok(Grid { engines, servers, comparisons: vec![Comparison { of, to }], cells, runs })
}

fn cell(mode: &str, payload_bytes: u64, connections: u64) -> anyhow::Result<Cell> {
    let known = BTreeMap::from([("stream", Mode::Stream), ("req-res", Mode::ReqRes)]);
    let mode =
        *known.get(mode).with_context(|| format!("'{mode}' is no mode; there are stream and req-res"))?;
    Ok(Cell::new(mode, usize::try_from(payload_bytes)?, usize::try_from(connections)?))
}
