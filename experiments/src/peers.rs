//! Building the servers of other runtimes, which a build of the project leaves out.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, ensure};

/// Their workspace, in the checkout that this program was built from.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// What each of their programs is called, before its own name.
pub const PREFIX: &str = "peer-";

/// Builds all of them and puts them beside this program, where a run looks for them. Returns their names.
///
/// # Errors
/// When there is no checkout or no cargo, or one of them does not build.
pub fn build() -> anyhow::Result<Vec<String>> {
    let manifest = Path::new(WORKSPACE).join("Cargo.toml");
    ensure!(
        manifest.is_file(),
        "{} is missing: peers are built from a checkout, which this program was not built in",
        manifest.display()
    );
    let here = env::current_exe().context("cannot tell where this program is")?;
    let folder = here.parent().context("this program is in no folder")?;
    let target = folder.join("peers");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--manifest-path"]).arg(&manifest);
    cargo.arg("--target-dir").arg(&target);
    let status = cargo.status().context("cannot run cargo, which builds them: install a Rust toolchain")?;
    ensure!(status.success(), "cargo ended with {status}: what it said is above");
    let mut names = Vec::new();
    for entry in fs::read_dir(target.join("release"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(PREFIX) && !name.ends_with(".d") {
            fs::copy(target.join("release").join(&name), folder.join(&name))
                .with_context(|| format!("cannot put {name} into {}", folder.display()))?;
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
