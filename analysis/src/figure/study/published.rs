//! The published results as figures.

use anyhow::Context as _;

use super::drawn::{Chapter, Drawn, Origin};
use super::reading;
use crate::figure::input::{At, Workload};
use crate::figure::published::{CHARTED, Run, chart, heat_map};
use crate::figure::{Figure, Source};
use crate::metric;

pub(super) fn runs() -> anyhow::Result<Vec<Run>> {
    let frame = crate::published::built_in()?;
    let (modes, servers) = (frame.column("mode")?.str()?, frame.column("server")?.str()?);
    let (payloads, connections) =
        (frame.column("payload_bytes")?.u64()?, frame.column("connections")?.u64()?);
    let rates = frame.column(metric::MESSAGES)?.f64()?;
    let unechoed = frame.column("unechoed_bytes_per_conn")?.f64()?;
    let run = |row: usize| {
        let workload = if modes.get(row)? == "stream" { Workload::Stream } else { Workload::ReqRes };
        let at = At { workload, payload_bytes: payloads.get(row)?, connections: connections.get(row)? };
        Some(Run {
            at,
            engine: servers.get(row)?.to_owned(),
            responses_per_s: rates.get(row)?,
            unechoed_bytes_per_connection: unechoed.get(row)?,
        })
    };
    (0..frame.height())
        .map(|row| run(row).with_context(|| format!("published row {} has a hole", row + 1)))
        .collect()
}

/// The charts that the study published, and its ratios.
pub(super) fn chapter(runs: &[Run], origin: &Origin) -> Chapter {
    let figure = |what: String, sheet| {
        let source = Source {
            experiment: "published".to_owned(),
            recordings: vec!["published_2023.csv".to_owned()],
            run_ids: Vec::new(),
            revision: origin.revision.clone(),
            command: origin.command.clone(),
        };
        Figure { stem: format!("published-{what}"), sheet, source }
    };
    let heat_maps = [Workload::Stream, Workload::ReqRes].map(|workload| Drawn {
        figure: figure(format!("{}-ratios", workload.name()), heat_map(runs, workload)),
        how_to_read: reading::HEAT,
    });
    let charts = CHARTED.map(|(workload, payload_bytes)| Drawn {
        figure: figure(
            format!("{}-{payload_bytes}", workload.name()),
            chart(runs, (workload, payload_bytes)),
        ),
        how_to_read: reading::PUBLISHED,
    });
    Chapter { name: "published".to_owned(), figures: heat_maps.into_iter().chain(charts).collect() }
}
