//! What all figures of a recording say of it.

use experiments::spec::Size;

use crate::figure::input::About;
use crate::recording::Recording;
use crate::values::GridValues;

/// Size of `recording`, and what an interval of its `grid` is.
pub(super) fn about(recording: &Recording, grid: &GridValues) -> About {
    About {
        quick: recording.manifest.size == Size::Quick,
        interval: interval(grid),
        servers: grid.servers.clone(),
        pair: None,
    }
}

/// On how many repetitions figures stand, where that differs the fewest and the most.
pub(super) fn repetitions(grid: &GridValues) -> String {
    let counts = grid.rows().flat_map(|row| row.engines.values().map(|engine| engine.runs));
    let counts: Vec<usize> = counts.filter(|count| *count > 0).collect();
    match (counts.iter().min(), counts.iter().max()) {
        (Some(1), Some(1)) => "1 repetition".to_owned(),
        (Some(least), Some(most)) if least == most => format!("{most} repetitions"),
        (Some(least), Some(most)) => format!("{least} to {most} repetitions"),
        _ => "no repetition".to_owned(),
    }
}

/// What an interval is and on how many repetitions it stands.
fn interval(grid: &GridValues) -> String {
    format!("Medians of {}; intervals: 95 % bootstrap.", repetitions(grid))
}
