//! Where the programs under test are: ours beside the running one, which is where cargo and a package put them, others in PATH.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use uring_echo::hash::{sha256, sha256_of_file};

use crate::peers;
use crate::recording::manifest::ProgramEntry;
use crate::spec::EngineLevel;
use crate::spec::server_program::ServerProgram;

/// The client, which is also both of our servers.
const URING_ECHO: &str = "uring-echo";

/// The programs that a run starts, by what their commands call them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Finds the client and what `levels` need: where a variable says, such as `URING_ECHO_BIN` for `uring-echo`, else beside this
    /// executable, else in PATH.
    ///
    /// # Errors
    /// When one is missing, with the command that builds it if it is one of ours.
    pub fn find<'a>(levels: impl IntoIterator<Item = &'a EngineLevel>) -> anyhow::Result<Self> {
        let here = env::current_exe().context("cannot tell where this program is")?;
        let folder = here.parent().unwrap_or(Path::new("."));
        let mut found = BTreeMap::from([(URING_ECHO.to_owned(), locate(folder, URING_ECHO, true)?)]);
        for level in levels {
            let called = level.program.executable();
            let is_ours = ServerProgram::named(&level.engine).is_some();
            if let Entry::Vacant(place) = found.entry(called) {
                let path = locate(folder, place.key(), is_ours)?;
                place.insert(path);
            }
        }
        Ok(Self(found))
    }

    /// Each with its hash, which says that a resumed recording is of one build.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn entries(&self) -> anyhow::Result<Vec<ProgramEntry>> {
        let entry = |(name, path): (&String, &PathBuf)| {
            let sha256 = sha256_of_file(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok(ProgramEntry { name: name.clone(), sha256 })
        };
        self.0.iter().map(entry).collect()
    }

    /// The client.
    pub fn client(&self) -> &Path {
        &self.0[URING_ECHO]
    }

    /// The program of `level`.
    ///
    /// # Panics
    /// When `level` was not among those that [`find`](Self::find) was asked for.
    pub fn server(&self, level: &EngineLevel) -> &Path {
        self.0.get(&level.program.executable()).expect("asked for when the programs were found")
    }
}

fn locate(folder: &Path, called: &str, is_ours: bool) -> anyhow::Result<PathBuf> {
    let variable = format!("{}_BIN", called.to_uppercase().replace('-', "_"));
    if called.contains('/') {
        let path = PathBuf::from(called);
        ensure!(path.is_file(), "{called} is missing: build it, or correct the command");
        return Ok(path);
    }
    let (path, named_by) = match env::var_os(&variable) {
        Some(path) => (PathBuf::from(path), variable.as_str()),
        None => (folder.join(called), "the folder of this program"),
    };
    if path.is_file() {
        return Ok(path);
    }
    if !is_ours {
        let in_path = env::var_os("PATH").and_then(|path| {
            env::split_paths(&path).map(|folder| folder.join(called)).find(|path| path.is_file())
        });
        return in_path.with_context(|| format!("{called} is not in PATH: install it, or give its path"));
    }
    ensure!(!called.starts_with(peers::PREFIX), "{called} is missing: run `experiments peers build`");
    let profile = if folder.ends_with("release") { " --release" } else { "" };
    bail!(
        "{} is missing (looked for by {named_by}): run `cargo build{profile} --locked -p {called}`, or \
         set {variable} to the program",
        path.display()
    );
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
