//! Instructions of a message by release of the kernel.

use experiments::report::trend::Trend;
use experiments::spec::factors::Factors;

use super::drawn::{Chapter, Drawn, Origin};
use super::reading;
use crate::figure::curves::{CellCurves, Curve, point, releases};
use crate::figure::input::{About, reader_name, say, title};
use crate::figure::{Figure, Source};
use crate::recording::OF_EACH_KERNEL;
use crate::servers::Servers;

/// The figure of `trend`.
pub(super) fn chapter(trend: &Trend, origin: &Origin) -> Chapter {
    let names: Vec<&str> = trend.servers.iter().map(String::as_str).collect();
    let base = trend.comparisons.first().map_or(names[0], |of| of.to.as_str());
    let first = trend.kernels.first().map_or_else(String::new, |kernel| kernel.version.to_string());
    let about = About {
        servers: Servers::plain(&names),
        interval: "Client, server and kernel together, in a guest whose clock is its instructions."
            .to_owned(),
        ..About::default()
    };
    let cells: Vec<CellCurves> = trend.cells.iter().map(|cell| curves(trend, cell, base)).collect();
    let to = format!("{} on {first}", reader_name(base));
    let source = Source {
        experiment: OF_EACH_KERNEL.to_owned(),
        recordings: trend.kernels.iter().map(|kernel| kernel.recording.clone()).collect(),
        run_ids: Vec::new(),
        revision: origin.revision.clone(),
        command: origin.command.clone(),
    };
    let sheet = releases("Instructions of a message by kernel", &to, &cells, &about);
    let figure = Figure { stem: format!("{OF_EACH_KERNEL}-instructions"), sheet, source };
    Chapter {
        name: OF_EACH_KERNEL.to_owned(),
        figures: vec![Drawn { figure, how_to_read: reading::RELEASES }],
    }
}

/// What each server takes in `cell`, as a share of what `base` takes on the oldest kernel.
fn curves(trend: &Trend, cell: &Factors, base: &str) -> CellCurves {
    let unit = trend.kernels.first().and_then(|kernel| kernel.instructions(cell, base));
    let curve = |server: &String| {
        let points = trend.kernels.iter().filter_map(|kernel| {
            let since = kernel.version.releases_since_6_0()?;
            let count = kernel.instructions(cell, server).zip(unit).map(|(count, unit)| count / unit);
            Some(count.map_or((since.into(), None), |count| point(since.into(), count)))
        });
        Curve::new(server, points.collect())
    };
    CellCurves {
        title: format!("{}, {}", title(cell.workload()), say(cell)),
        curves: trend.servers.iter().map(curve).collect(),
    }
}
