//! Whether a recording was made in a guest that was emulated.
//!
//! `experiments vm` leaves `vm.json` beside the manifest of a recording that it made. One that was emulated shows what the
//! servers do and nothing of what it costs: its numbers must never stand beside measured ones. One that counts instructions is what it is
//! because it was emulated, and its clock keeps it apart.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, ensure};
use experiments::clock::Clock;
use experiments::recording::Recording;
use serde::Deserialize;

/// What the runner leaves in a recording that was made in a guest.
pub const VM: &str = "vm.json";

/// The part of it that decides.
#[derive(Deserialize)]
struct Circumstances {
    functional_only: bool,
}

/// Whether the recording in `folder` says nothing about speed. A recording without [`VM`] was made on the machine.
///
/// # Errors
/// When there is one that cannot be read: it may say so or not.
pub fn is_functional_only(folder: &Path) -> anyhow::Result<bool> {
    let path = folder.join(VM);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let circumstances: Circumstances = serde_json::from_slice(&text).with_context(|| {
        format!(
            "{} does not say whether the guest was emulated (functional_only); it may be torn",
            path.display()
        )
    })?;
    Ok(circumstances.functional_only && clock(folder).is_time())
}

/// Time where there is no manifest that says something else.
fn clock(folder: &Path) -> Clock {
    Recording::open(folder).map(|recording| recording.manifest().clock).unwrap_or_default()
}

/// Refuses the recording in `folder` when its numbers say nothing about speed.
///
/// # Errors
/// When they do not, or nothing tells.
pub(super) fn refuse_functional_only(folder: &Path) -> anyhow::Result<()> {
    ensure!(
        !is_functional_only(folder)?,
        "{} was made under emulation ({VM}: functional_only), which shows what the servers do and not what it costs; name a \
         recording made on the machine or under KVM",
        folder.display()
    );
    Ok(())
}
