//! The ratios computed from the published results are those of a careful reading of them by others.

use analysis::grid::Grid;
use analysis::metric::MESSAGES;
use analysis::published;
use analysis::recording::Cell;
use uring_echo::record::Mode;

/// io_uring ÷ epoll in responses per second, to three digits, of every published run.
const EXPECTED: &str = include_str!("data/published_ratios.csv");

fn grid() -> Grid {
    published::grid(&published::built_in().unwrap()).unwrap()
}

#[test]
fn every_published_ratio_agrees_to_three_digits() {
    let grid = grid();
    let ratios = grid.ratios(&grid.comparisons[0]).unwrap();
    let mut compared = 0;
    for line in EXPECTED.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [mode, payload, connections, run, expected] = fields[..] else { panic!("{line}") };
        let mode = if mode == "stream" { Mode::Stream } else { Mode::ReqRes };
        let cell = Cell::new(mode, payload.parse().unwrap(), connections.parse().unwrap());
        let ratio = ratios[&cell.key][MESSAGES][run.parse::<usize>().unwrap() - 1];
        let expected: f64 = expected.parse().unwrap();
        assert!((ratio - expected).abs() <= 0.0005 + 1e-9, "{line}: {ratio}");
        compared += 1;
    }
    assert_eq!(compared, 89);
}

#[test]
fn there_are_79_cells_and_ten_of_them_were_run_twice() {
    let grid = grid();
    let ratios = grid.ratios(&grid.comparisons[0]).unwrap();
    let pairs = |run_count| ratios.values().filter(|values| values[MESSAGES].len() == run_count).count();
    assert_eq!((grid.cells.len(), pairs(1), pairs(2)), (79, 69, 10));
}

#[test]
fn a_table_without_a_column_or_a_row_is_refused() {
    let message = |text: &str| published::read(text).unwrap_err().to_string();
    assert!(message("mode,server\nstream,epoll\n").contains("payload_bytes"));
    let header = include_str!("../data/published_2023.csv").lines().next().unwrap();
    assert_eq!(message(&format!("{header}\n")), "there is no row");
}
