//! What older recordings call by another name than this build.
//!
//! A recording stays as it was written. Whoever compares it with others reads it in the present names.

use super::manifest::{Manifest, RunEntry};

/// The experiment with the settings of the 2023 study, before and now. A seed is a random number alone.
pub const EXPERIMENT: [&str; 2] = ["seed", "study"];

/// Engines, before and now.
const ENGINES: [[&str; 2]; 2] = [["epoll-seed", "epoll-study"], ["uring-seed", "uring-study"]];

/// The present name of what was called `name` when it was recorded.
fn present(name: &str) -> &str {
    let renamed = ENGINES.iter().chain([&EXPERIMENT]);
    renamed.into_iter().find(|[before, _]| *before == name).map_or(name, |[_, now]| now)
}

/// `manifest` in the present names. It is not the recording's text any more: its hash is of that.
pub fn in_present_names(manifest: &Manifest) -> Manifest {
    let mut manifest = manifest.clone();
    rename(&mut manifest.experiment);
    manifest.figure.iter_mut().for_each(rename);
    manifest.engines.iter_mut().for_each(|engine| rename(&mut engine.name));
    for ratio in &mut manifest.ratios {
        *ratio = ratio.split('/').map(present).collect::<Vec<_>>().join("/");
    }
    manifest.runs.iter_mut().for_each(|RunEntry { engine, .. }| rename(engine));
    manifest
}

fn rename(name: &mut String) {
    *name = present(name).to_owned();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_renamed_has_another_name_now() {
        let names = ["seed", "epoll-seed", "uring-seed", "epoll", "seeds", "parity"];
        assert_eq!(names.map(present), ["study", "epoll-study", "uring-study", "epoll", "seeds", "parity"]);
    }
}
