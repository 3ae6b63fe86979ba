//! How much of a measured difference its instructions and its system calls explain.
//!
//! Two recordings of the same cells, one timed, one counted, and what a system call costs that does nothing. For each cell the
//! instructions that one server executes more are taken at what an instruction of the other costs there, and the calls at that price.

use std::path::Path;

use anyhow::{Context, ensure};
use experiments::clock::Clock;
use experiments::report::format::{grouped, significant};
use experiments::spec::factors::Factors;
use experiments::verdict::Comparison;
use experiments::verdict::statistics::median;
use uring_echo::probe::costs::Costs;
use uring_echo::record::RunRecord;

use crate::figure::input::{reader_name, say, title};
use crate::markdown::{self, Head};
use crate::recording::Recording;

/// Which operation of `probe --costs` is a call that does nothing.
const CALL: &str = "getppid";

/// One cell: what was measured, and what explains it. All of a message, of one server less the other.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    factors: Factors,
    measured_ns: f64,
    instructions: f64,
    ns_per_instruction: f64,
    calls: f64,
    ns_per_call: f64,
}

impl Cell {
    fn explained_ns(&self) -> f64 {
        self.instructions * self.ns_per_instruction + self.calls * self.ns_per_call
    }
}

/// The price of a call by the file `path`, what `uring-echo probe --costs --json` printed.
///
/// # Errors
/// When it cannot be read, or is something else.
pub(crate) fn call_ns(path: &Path) -> anyhow::Result<f64> {
    let text = std::fs::read(path).with_context(|| {
        format!("cannot read {}; make it with uring-echo probe --costs --json", path.display())
    })?;
    let costs: Costs =
        serde_json::from_slice(&text).with_context(|| format!("{} has no costs", path.display()))?;
    let call = costs.operations.iter().find(|cost| cost.operation == CALL);
    Ok(call.with_context(|| format!("{} has no {CALL}", path.display()))?.least_ns)
}

/// The table of the cells that `timed` and `counted` share, at `call_ns` nanoseconds a call.
///
/// # Errors
/// When the recordings are not of two clocks, or share nothing.
pub(crate) fn table(timed: &Recording, counted: &Recording, call_ns: f64) -> anyhow::Result<String> {
    let clocks = [timed.manifest.clock, counted.manifest.clock];
    ensure!(
        clocks == [Clock::Time, Clock::Instructions],
        "one recording of time and one of instructions are wanted, in this order; these are of {clocks:?}"
    );
    let ratio = timed.manifest.ratios.first().context("the recording compares no servers")?;
    let of = Comparison::parse(ratio).with_context(|| format!("'{ratio}' is no comparison"))?;
    let mut cells: Vec<Cell> = timed
        .cells()
        .into_iter()
        .filter_map(|cell| explained(&cell.factors, timed, counted, &of, call_ns))
        .collect();
    ensure!(!cells.is_empty(), "the recordings share no cell in which both servers have valid runs");
    cells.sort_by(|one, other| one.factors.cmp(&other.factors));
    Ok(rendered(&cells, &of))
}

fn explained(
    cell: &Factors,
    timed: &Recording,
    counted: &Recording,
    of: &Comparison,
    call_ns: f64,
) -> Option<Cell> {
    let ns = |server: &str| of_runs(timed, cell, server, |run| run.summary.as_ref()?.cpu_ns_per_message);
    let calls = |server: &str| of_runs(timed, cell, server, |run| run.summary.as_ref()?.syscalls_per_message);
    let all = |server: &str| of_runs(counted, cell, server, |run| run.summary.as_ref()?.cpu_ns_per_message);
    // What the server executes itself is what its core's time can be divided by.
    let own = of_runs(counted, cell, &of.to, own_instructions)?;
    let (ns_of, ns_to, calls_of, calls_to) = (ns(&of.of)?, ns(&of.to)?, calls(&of.of)?, calls(&of.to)?);
    Some(Cell {
        factors: cell.clone(),
        measured_ns: ns_of - ns_to,
        instructions: all(&of.of)? - all(&of.to)?,
        ns_per_instruction: (ns_to - calls_to * call_ns) / own,
        calls: calls_of - calls_to,
        ns_per_call: call_ns,
    })
}

/// Executed a message while the server's process ran.
fn own_instructions(run: &RunRecord) -> Option<f64> {
    let messages = run.totals.window.received_messages;
    (messages > 0).then_some(run.cpu.as_ref()?.server_process_ns?.0 as f64 / messages as f64)
}

/// The median of `value` over the runs of `server` in `cell` that count.
fn of_runs(
    recording: &Recording,
    cell: &Factors,
    server: &str,
    value: impl Fn(&RunRecord) -> Option<f64>,
) -> Option<f64> {
    let own = recording.runs.iter().filter(|run| {
        run.entry.counts()
            && run.entry.factors == *cell
            && run.entry.engine == server
            && run.standing.counts()
    });
    median(&own.filter_map(|run| value(run.record.as_ref()?)).collect::<Vec<_>>())
}

fn rendered(cells: &[Cell], of: &Comparison) -> String {
    let (name, to) = (reader_name(&of.of), reader_name(&of.to));
    let heads = [
        Head::words(format!("a message under {name} less under {to}")),
        Head::numbers("instructions"),
        Head::numbers(format!("ns each, as under {to}")),
        Head::numbers("their ns"),
        Head::numbers("calls"),
        Head::numbers("their ns"),
        Head::numbers("sum, ns"),
        Head::numbers("measured, ns"),
        Head::numbers("unexplained, ns"),
    ];
    let rows: Vec<Vec<String>> = cells.iter().map(row).collect();
    let call_ns = cells.first().map_or(0.0, |cell| cell.ns_per_call);
    let (measured, unexplained) = cells.iter().fold((0.0, 0.0), |(measured, unexplained), cell| {
        (measured + cell.measured_ns.abs(), unexplained + (cell.measured_ns - cell.explained_ns()).abs())
    });
    format!(
        "{}\nA call that does nothing takes {call_ns:.0} ns. Unexplained: {:.0} ns of {:.0} ns, sums of what the cells have without their signs.\n",
        markdown::table(&heads, &rows),
        unexplained,
        measured
    )
}

fn row(cell: &Cell) -> Vec<String> {
    let signed = |value: f64| if value > 0.0 { format!("+{}", short(value)) } else { short(value) };
    vec![
        format!("{}, {}", title(cell.factors.workload()), say(&cell.factors)),
        signed(cell.instructions),
        format!("{:.3}", cell.ns_per_instruction),
        signed(cell.instructions * cell.ns_per_instruction),
        signed(cell.calls),
        signed(cell.calls * cell.ns_per_call),
        signed(cell.explained_ns()),
        signed(cell.measured_ns),
        signed(cell.measured_ns - cell.explained_ns()),
    ]
}

/// Whole from 100 on, else three digits.
fn short(value: f64) -> String {
    if value.abs() < 100.0 { significant(value, 3) } else { grouped(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uring_echo::record::Mode;

    fn cell() -> Cell {
        Cell {
            factors: Factors::new(Mode::ReqRes, 256, 8),
            measured_ns: -500.0,
            instructions: 1000.0,
            ns_per_instruction: 0.25,
            calls: -2.0,
            ns_per_call: 100.0,
        }
    }

    #[test]
    fn what_is_explained_is_instructions_and_calls_at_their_prices() {
        assert!((cell().explained_ns() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn the_rest_is_what_was_measured_less_that() {
        let text = rendered(&[cell()], &Comparison::parse("uring/epoll").unwrap());
        let row = text.lines().nth(2).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let expected = ["+1\u{202f}000", "0.250", "+250", "−2", "−200", "+50", "−500", "−550"];
        assert_eq!(cells[2..10], expected, "{text}");
        assert!(text.contains("Unexplained: 550 ns of 500 ns"), "{text}");
    }
}
