//! Every figure of a study: from its recordings to the plain numbers that figures take.
//!
//! | module | holds |
//! |---|---|
//! | `drawn` | what a study gives: chapters of figures |
//! | `drawing` | the figures of one recording |
//! | `answer` | which recordings answer, and the figure that the report opens with |
//! | `about`, `reading` | what they say of the recording, and how to read them |
//! | `cells`, `distributions`, `open`, `scale` | the numbers of each kind of figure |
//! | `ablation`, `effects`, `victims`, `releases`, `published` | whole figures: one thing different, variants, hogs, kernels, the study of 2023 |

pub(crate) mod ablation;
mod about;
pub(crate) mod answer;
mod cells;
mod distributions;
mod drawing;
mod drawn;
pub(crate) mod effects;
mod open;
pub(crate) mod published;
mod reading;
mod releases;
mod scale;
mod side_by_side;
pub(crate) mod victims;

pub use drawn::{Chapter, Drawn, Origin};

use crate::recording::Recording;
use crate::study::Study;

/// The figure that answers the question of the project; `None` if nothing in `study` compares the engines.
pub fn answer(study: &Study, origin: &Origin) -> Option<Drawn> {
    answer::drawn(study, origin)
}

/// Every other figure of `study`, experiments first.
///
/// # Errors
/// When a query of the published results fails.
pub fn chapters(study: &Study, origin: &Origin) -> anyhow::Result<Vec<Chapter>> {
    let known = published::compared(&study.published)?;
    let of = |recording: &Recording| {
        let values = study.values.experiments.get(recording.experiment())?;
        Some(drawing::chapter(recording, values, &known, origin))
    };
    let mut chapters: Vec<Chapter> = study.recordings.iter().filter_map(of).collect();
    chapters.extend(study.kernels.as_ref().map(|trend| releases::chapter(trend, origin)));
    chapters.push(published::chapter(&study.published, &known, origin)?);
    Ok(chapters)
}
