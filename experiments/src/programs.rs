//! Where the programs under test are: beside the running one, which is where cargo and a package put them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, ffi::OsString};

use anyhow::{Context, bail};

use crate::spec::Engine;

/// The programs that a run starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Both of our servers, and the client.
    pub uring_echo: PathBuf,
    /// The yardstick. `None` when no engine asks for it.
    pub baseline_mio: Option<PathBuf>,
}

impl Programs {
    /// Finds what `engines` need: where `URING_ECHO_BIN` and `BASELINE_MIO_BIN` say, else beside this executable.
    ///
    /// # Errors
    /// When one is missing, with the command that builds it.
    pub fn find(engines: impl IntoIterator<Item = Engine>) -> anyhow::Result<Self> {
        let here = env::current_exe().context("cannot tell where this program is")?;
        let folder = here.parent().unwrap_or(Path::new("."));
        let needs_mio = engines.into_iter().any(|engine| engine == Engine::Mio);
        let mio = || locate(folder, "baseline-mio", "BASELINE_MIO_BIN");
        Ok(Self {
            uring_echo: locate(folder, "uring-echo", "URING_ECHO_BIN")?,
            baseline_mio: needs_mio.then(mio).transpose()?,
        })
    }

    /// The program of `engine`.
    ///
    /// # Panics
    /// When `engine` was not among those that [`find`](Self::find) was asked for.
    pub fn server(&self, engine: Engine) -> &Path {
        match engine {
            Engine::Epoll | Engine::Uring => &self.uring_echo,
            Engine::Mio => self.baseline_mio.as_deref().expect("asked for when the programs were found"),
        }
    }
}

fn locate(folder: &Path, name: &str, variable: &str) -> anyhow::Result<PathBuf> {
    let (path, named_by) = match env::var_os(variable) {
        Some(path) => (PathBuf::from(path), variable),
        None => (folder.join(name), "the folder of this program"),
    };
    if !path.is_file() {
        let profile = if folder.ends_with("release") { " --release" } else { "" };
        bail!(
            "{} is missing (looked for by {named_by}): run `cargo build{profile} --locked -p {name}`, or \
             set {variable} to the program",
            path.display()
        );
    }
    Ok(path)
}

/// Git revision of the checkout that this executable lies in, `-dirty` with local changes, or `unavailable`.
///
/// The place of the executable decides and not the working directory, which may be another project's.
pub fn revision() -> String {
    let describe = || {
        let folder = env::current_exe().ok()?.parent()?.to_owned();
        let arguments = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"].map(OsString::from);
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
    };
    describe().unwrap_or_else(|| "unavailable".into())
}
