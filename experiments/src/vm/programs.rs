//! The guest's programs: built statically from this workspace, or given in a folder; and the initramfs they go into.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use guest::steps;
use serde::Deserialize;

use super::cpio::Archive;

/// The guest's first process, among the programs.
const INIT: &str = "guest-init";

/// glibc's static library comes with the C linker; the musl target would need a download.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Programs for the guest: name and where the file is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Every file in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be read or lacks the first process.
    pub(crate) fn given(folder: &Path) -> Result<Self> {
        let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        let mut programs = BTreeMap::new();
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            if let (true, Some(name)) = (entry.path().is_file(), entry.file_name().to_str()) {
                programs.insert(name.to_string(), entry.path());
            }
        }
        ensure!(programs.contains_key(INIT), "{} has no {INIT}", folder.display());
        Ok(Self(programs))
    }

    /// Builds them statically with cargo: the first process, the servers, and what else `steps` need: the suite, the
    /// runner of experiments.
    ///
    /// # Errors
    /// When this is not run in a checkout, or the build fails.
    pub(crate) fn build(steps: &[String]) -> Result<Self> {
        let with_conformance = steps.iter().any(|step| step == steps::CONFORMANCE);
        let with_experiments = steps.iter().any(|step| steps::runs_experiments(step));
        let target_dir = target_directory()?.join("vm");
        let mut cargo = cargo();
        cargo.args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"]).arg(&target_dir);
        cargo.args(["--package", "uring-echo", "--package", "guest", "--bins"]);
        if with_conformance {
            cargo.args(["--test", "conformance"]);
        }
        if steps.iter().any(|step| step == steps::GLUTTON) {
            cargo.args(["--example", steps::GLUTTON]);
        }
        if with_experiments {
            cargo.args(["--package", "experiments", "--package", "baseline-mio"]);
        }
        // With --target the flag stays away from build scripts and procedural macros, which cannot be static.
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        cargo.env("RUSTFLAGS", format!("{flags} -C target-feature=+crt-static"));
        cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
        let programs = executables(&stdout_of(cargo)?)?;
        let needed = [INIT, "uring-echo"].into_iter();
        let needed = needed.chain(with_conformance.then_some("conformance"));
        let needed = needed.chain(with_experiments.then_some("experiments"));
        for name in needed {
            ensure!(programs.contains_key(name), "cargo built no {name}");
        }
        Ok(Self(programs))
    }

    /// An initramfs with the first process as /init, the other programs in /bin, and a console for both.
    ///
    /// # Errors
    /// When a program cannot be read or is linked dynamically, which the guest has no loader for.
    pub(crate) fn initramfs(&self) -> Result<Vec<u8>> {
        let mut archive = Archive::default();
        archive.directory("bin")?;
        archive.directory("dev")?;
        archive.character_device("dev/console", 5, 1)?;
        for (name, path) in &self.0 {
            let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            ensure!(!wants_loader(&content), "{} is not linked statically", path.display());
            let target = if name == INIT { "init".to_string() } else { format!("bin/{name}") };
            archive.executable(&target, &content)?;
        }
        archive.finish()
    }
}

/// Whether an ELF file names a dynamic loader. A static one, position-independent or not, has no such name in it.
fn wants_loader(content: &[u8]) -> bool {
    const LOADER: &[u8] = b"/ld-linux-x86-64.so.2\0";
    let head = &content[..content.len().min(4096)];
    head.windows(LOADER.len()).any(|window| window == LOADER)
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.stdin(Stdio::null());
    command
}

fn stdout_of(mut command: Command) -> Result<String> {
    let output =
        command.output().context("cannot start cargo; prebuilt programs go with --guest-bin-dir DIR")?;
    ensure!(
        output.status.success(),
        "building the guest's programs failed: cargo ended with {}",
        output.status
    );
    String::from_utf8(output.stdout).context("cargo wrote no text")
}

fn target_directory() -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version=1", "--locked"]);
    let text =
        stdout_of(command).context("not in a checkout? prebuilt programs go with --guest-bin-dir DIR")?;
    Ok(serde_json::from_str::<Metadata>(&text).context("cargo metadata cannot be read")?.target_directory)
}

/// The executables among cargo's messages, by target name.
fn executables(messages: &str) -> Result<BTreeMap<String, PathBuf>> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
        target: Option<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let mut programs = BTreeMap::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).context("cargo's messages cannot be read")?;
        if let (Some(executable), Some(target)) = (message.executable, message.target)
            && let Some(other) = programs.insert(target.name.clone(), executable)
        {
            bail!("two targets are named {}, one of them {}", target.name, other.display());
        }
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"libc","kind":["lib"]},"executable":null}
{"reason":"build-script-executed","package_id":"x"}
{"reason":"compiler-artifact","target":{"name":"conformance","kind":["test"]},"executable":"/t/conformance-1f"}
{"reason":"build-finished","success":true}"#;
        let programs = executables(messages).unwrap();
        assert_eq!(
            programs.into_iter().collect::<Vec<_>>(),
            [("conformance".into(), "/t/conformance-1f".into())]
        );
    }

    #[test]
    fn a_folder_without_the_first_process_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("uring-echo"), "").unwrap();
        let error = Programs::given(folder.path()).unwrap_err().to_string();
        assert!(error.contains("has no guest-init"), "{error}");
    }

    #[test]
    fn a_dynamically_linked_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::copy("/proc/self/exe", folder.path().join(INIT)).unwrap();
        let error = Programs::given(folder.path()).unwrap().initramfs().unwrap_err().to_string();
        assert!(error.contains("not linked statically"), "{error}");
    }

    #[test]
    fn the_first_process_is_init_and_the_others_lie_in_bin() {
        let folder = tempfile::tempdir().unwrap();
        for name in [INIT, "uring-echo"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let archive = Programs::given(folder.path()).unwrap().initramfs().unwrap();
        let holds = |text: &str| archive.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("init\0") && holds("bin/uring-echo\0") && !holds("bin/guest-init"));
    }
}
