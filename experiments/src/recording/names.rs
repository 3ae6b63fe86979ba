//! A manifest in the present names.
//!
//! A recording stays as it was written. Whoever compares it with others reads it in the names of today.

use super::manifest::{Manifest, RunEntry};
use crate::spec::renamed::present;

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
