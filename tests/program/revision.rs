//! What the build script says of the source that a program is built from, in checkouts made for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

/// The build script, built once.
static SCRIPT: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("build-script");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
    let mut build = Command::new(rustc);
    build.args(["--edition", "2024", source, "-o"]).arg(&program).current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(build.status().unwrap().success());
    (folder, program)
});

/// A workspace of a library and a program with a specification, in git.
struct Checkout {
    _folder: TempDir,
    root: PathBuf,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let checkout = Self { root: folder.path().join("checkout"), _folder: folder };
        for path in
            ["Cargo.lock", "Cargo.toml", "src/lib.rs", "own/Cargo.toml", "own/src/main.rs", "own/a.toml"]
        {
            checkout.write(path, path);
        }
        checkout.git(&["init", "--quiet"]);
        checkout.commit("first");
        checkout
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.root, path, text);
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.root, arguments)
    }

    fn commit(&self, message: &str) -> String {
        commit(&self.root, message)
    }
}

fn write(root: &Path, path: &str, text: &str) {
    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
    fs::write(root.join(path), text).unwrap();
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-C"])
        .arg(folder)
        .args(arguments);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    let output = git.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(root: &Path, message: &str) -> String {
    git(root, &["add", "--all"]);
    git(root, &["commit", "--quiet", "--allow-empty", "-m", message]);
    git(root, &["rev-parse", "HEAD"])
}

/// What the script tells cargo for the package in `folder`: the revision, and what it is to be run again for.
fn told(folder: &Path, environment: &[(&str, &str)]) -> (Option<String>, Vec<PathBuf>) {
    let mut script = Command::new(&SCRIPT.1);
    script.env("CARGO_MANIFEST_DIR", folder).env_remove("URING_ECHO_REVISION");
    let environment: BTreeMap<_, _> = environment.iter().copied().collect();
    let output = script.envs(environment).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let after = |begin: &'static str| said.lines().filter_map(move |line| line.strip_prefix(begin));
    let revision = after("cargo:rustc-env=URING_ECHO_REVISION=").next().map(str::to_owned);
    (revision, after("cargo:rerun-if-changed=").map(PathBuf::from).collect())
}

fn revision(folder: &Path) -> Option<String> {
    told(folder, &[]).0
}

#[test]
fn a_program_is_built_from_the_last_commit_that_changed_its_source() {
    let checkout = Checkout::new();
    checkout.write("src/lib.rs", "second");
    let library = checkout.commit("second");
    checkout.write("own/a.toml", "third");
    let own = checkout.commit("third");
    checkout.write("README.md", "fourth");
    checkout.commit("fourth");
    assert_eq!(revision(&checkout.root), Some(library));
    assert_eq!(revision(&checkout.root.join("own")), Some(own));
}

#[test]
fn changes_that_no_commit_holds_are_told_where_they_are_in_the_source() {
    let checkout = Checkout::new();
    let first = checkout.git(&["rev-parse", "HEAD"]);
    checkout.write("README.md", "no part of a program");
    checkout.write("own/src/main.rs", "changed");
    assert_eq!(revision(&checkout.root), Some(first.clone()));
    assert_eq!(revision(&checkout.root.join("own")), Some(first + "-dirty"));
}

#[test]
fn the_revision_of_another_repository_is_not_taken_whatever_the_environment_names() {
    let (checkout, other) = (Checkout::new(), Checkout::new());
    let own = checkout.git(&["rev-parse", "HEAD"]);
    other.write("src/lib.rs", "elsewhere");
    other.commit("elsewhere");
    let (folder, index) = (other.root.join(".git"), other.root.join(".git/index"));
    let environment = [
        ("GIT_DIR", folder.to_str().unwrap()),
        ("GIT_WORK_TREE", other.root.to_str().unwrap()),
        ("GIT_INDEX_FILE", index.to_str().unwrap()),
    ];
    assert_eq!(told(&checkout.root, &environment).0, Some(own));
}

#[test]
fn a_source_without_its_history_has_no_revision_even_inside_of_another_checkout() {
    let checkout = Checkout::new();
    let archive = checkout.root.join("unpacked");
    for path in ["Cargo.lock", "Cargo.toml", "src/lib.rs"] {
        write(&archive, path, path);
    }
    assert_eq!(revision(&archive), None);
    fs::remove_dir_all(checkout.root.join(".git")).unwrap();
    assert_eq!(revision(&checkout.root), None);
}

#[test]
fn a_linked_checkout_has_a_revision_of_its_own() {
    let checkout = Checkout::new();
    let linked = checkout.root.parent().unwrap().join("linked");
    checkout.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    write(&linked, "src/lib.rs", "there");
    let there = commit(&linked, "there");
    assert_eq!(revision(&linked), Some(there));
    assert_ne!(revision(&checkout.root), revision(&linked));
}

#[test]
fn what_the_build_is_told_goes_first_and_nothing_counts_as_nothing() {
    let checkout = Checkout::new();
    let first = checkout.git(&["rev-parse", "HEAD"]);
    assert_eq!(told(&checkout.root, &[("URING_ECHO_REVISION", "abc")]).0, Some("abc".into()));
    assert_eq!(told(&checkout.root, &[("URING_ECHO_REVISION", "")]).0, Some(first));
}

#[test]
fn only_a_program_built_from_changes_is_built_again_for_a_commit_and_each_path_is_there() {
    let checkout = Checkout::new();
    let of_git =
        |paths: &[PathBuf]| paths.iter().filter(|path| path.starts_with(checkout.root.join(".git"))).count();
    let (_, clean) = told(&checkout.root, &[]);
    assert_eq!(of_git(&clean), 0, "{clean:?}");
    checkout.write("src/lib.rs", "changed");
    let (_, changed) = told(&checkout.root, &[]);
    assert_eq!(of_git(&changed), 3, "{changed:?}");
    assert!(changed.iter().all(|path| path.exists()), "{changed:?}");
}
