//! Finds out which revision of its source a program is built from, and tells the compiler.
//!
//! The revision is the last commit that changed what the program is made of: its package and the library below it. So it
//! is the same for every build of the same source, and a commit to anything else builds nothing again.
//!
//! `URING_ECHO_REVISION` in the environment of the build goes first, for sources that come without their history. Where
//! neither is to be had, the program says that its revision is not known.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const VARIABLE: &str = "URING_ECHO_REVISION";

fn main() {
    let package =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says for which package this is"));
    let source = Source::of(&package);
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    source.inputs.iter().for_each(|input| watch(&source.root.join(input)));
    let told = env::var(VARIABLE).ok().filter(|told| !told.is_empty());
    let found = || {
        let revision = source.revision()?;
        if source.has_changes() {
            // The commit that takes the changes in touches none of the files, and ends this.
            source.files_of_head().iter().for_each(|file| watch(file));
            return Some(revision + "-dirty");
        }
        Some(revision)
    };
    if let Some(revision) = told.or_else(found) {
        println!("cargo:rustc-env={VARIABLE}={revision}");
    }
}

/// Has cargo run this again when `path` changes. A path that is not there would count as changed each time.
fn watch(path: &Path) {
    if path.exists() {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}

/// What a program is made of.
struct Source {
    /// The folder of the workspace.
    root: PathBuf,
    /// Files and folders, relative to it.
    inputs: Vec<PathBuf>,
}

impl Source {
    fn of(package: &Path) -> Self {
        let has_lock = |folder: &&Path| folder.join("Cargo.lock").exists();
        let root = package.ancestors().find(has_lock).unwrap_or(package).to_owned();
        let mut inputs: Vec<PathBuf> =
            ["build.rs", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml", "src"].map(PathBuf::from).into();
        if let Some(own) = package.strip_prefix(&root).ok().filter(|own| *own != Path::new("")) {
            // Specifications of experiments, which a program carries, lie beside its manifest.
            let entries =
                fs::read_dir(package).into_iter().flatten().flatten().map(|entry| entry.file_name());
            let mut names: Vec<_> =
                entries.filter(|name| name.as_encoded_bytes().ends_with(b".toml")).collect();
            names.push("src".into());
            names.sort();
            inputs.extend(names.iter().map(|name| own.join(name)));
        }
        Self { root, inputs }
    }

    /// The last commit that changed an input. `None` where the checkout around it, if any, does not hold this source: an
    /// archive may have been unpacked inside of another project.
    fn revision(&self) -> Option<String> {
        self.git(&["ls-files", "--error-unmatch", "--", "Cargo.lock"], &[])?;
        self.git(&["rev-list", "--max-count=1", "HEAD", "--"], &self.inputs)
            .filter(|commit| !commit.is_empty())
    }

    fn has_changes(&self) -> bool {
        let changes = self.git(&["status", "--porcelain", "--untracked-files=no", "--"], &self.inputs);
        changes.is_some_and(|changes| !changes.is_empty())
    }

    /// What git writes when the checkout comes to another commit. A linked checkout has files of its own.
    fn files_of_head(&self) -> Vec<PathBuf> {
        let branch = self.git(&["symbolic-ref", "--quiet", "HEAD"], &[]);
        let names = ["HEAD".to_owned(), "logs/HEAD".to_owned()].into_iter().chain(branch);
        names
            .filter_map(|name| Some(self.root.join(self.git(&["rev-parse", "--git-path", &name], &[])?)))
            .collect()
    }

    /// What git says of the checkout that the source lies in, whatever checkout the environment names.
    fn git(&self, arguments: &[&str], paths: &[PathBuf]) -> Option<String> {
        let mut git = Command::new("git");
        env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")).for_each(
            |(name, _)| {
                git.env_remove(name);
            },
        );
        git.args(["--no-optional-locks", "-C"]).arg(&self.root).args(arguments).args(paths);
        let output = git.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    }
}
