//! Where the programs under test are: beside the running one, which is where cargo and a package put them.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use uring_echo::hash::{sha256, sha256_of_file};

use crate::recording::manifest::ProgramEntry;
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

    /// Each with its hash, which says that a resumed recording is of one build.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn entries(&self) -> anyhow::Result<Vec<ProgramEntry>> {
        let entry = |name: &str, path: &Path| {
            let sha256 = sha256_of_file(path).with_context(|| format!("cannot read {}", path.display()))?;
            anyhow::Ok(ProgramEntry { name: name.into(), sha256 })
        };
        let mut entries = vec![entry("uring-echo", &self.uring_echo)?];
        if let Some(mio) = &self.baseline_mio {
            entries.push(entry("baseline-mio", mio)?);
        }
        Ok(entries)
    }

    /// The program of `engine`.
    ///
    /// # Panics
    /// When `engine` was not among those that [`find`](Self::find) was asked for.
    pub fn server(&self, engine: Engine) -> &Path {
        match engine {
            Engine::Epoll | Engine::Uring | Engine::Discard => &self.uring_echo,
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

/// The last commit that changed what this program is built from, `-dirty` with changes that no commit holds, as the build
/// script found it or was told; or `unavailable`.
pub fn revision() -> String {
    option_env!("URING_ECHO_REVISION").unwrap_or(UNAVAILABLE).into()
}

/// SHA-256 of the packages' lock file that this program was built with.
pub fn cargo_lock_sha256() -> String {
    sha256(include_bytes!("../../../Cargo.lock"))
}

/// SHA-256 of the flake's lock file of the source that this program was built from.
pub fn flake_lock_sha256() -> String {
    sha256(include_bytes!("../../../flake.lock"))
}

/// What a manifest says of a fact that could not be found out.
pub const UNAVAILABLE: &str = "unavailable";
