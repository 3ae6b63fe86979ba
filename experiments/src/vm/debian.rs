//! Fetches a Debian cloud kernel with apt, which checks it against the signed package lists, and takes the image out
//! without installing anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use tempfile::Builder;

use uring_echo::hash::sha256;

/// A package of kernel images, as apt knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Package {
    /// Its name, which carries the kernel's release.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// SHA-256 of the package file according to the signed lists, in hex.
    pub(crate) sha256: String,
}

const PREFIX: &str = "linux-image-";
const SUFFIX: &str = "-cloud-amd64";

/// The image of the newest cloud kernel of `series`, from `cache` if it is there, else fetched.
///
/// # Errors
/// When apt is missing, has no such kernel, or cannot fetch it.
pub(crate) fn obtain(series: &str, cache: &Path) -> Result<(PathBuf, Package)> {
    let names = output(Command::new("apt-cache").args(["pkgnames", &format!("{PREFIX}{series}.")]))?;
    let Some(name) = newest(&names, series) else {
        bail!(
            "apt knows no package {PREFIX}{series}.*{SUFFIX}; run 'apt-get update' as root, or add the suite that has it"
        );
    };
    let package = describe(&output(Command::new("apt-cache").args(["show", "--no-all-versions", name]))?)
        .with_context(|| format!("apt-cache shows no version and SHA-256 for {name}"))?;
    // The hash is part of the name: what is cached under it is what the lists promise today.
    let kept = cache.join(format!("{}_{}_{}", package.name, package.version, &package.sha256[..16]));
    let image = kept.join("vmlinuz");
    if !image.exists() {
        fetch(&package, cache, &kept)?;
    }
    Ok((image, package))
}

/// The package in `names`, one a line, with the highest version number. Debian names `6.1.0-56` after the release, and
/// numbers count, not digits: 9 < 10.
fn newest<'a>(names: &'a str, series: &str) -> Option<&'a str> {
    let prefix = format!("{PREFIX}{series}.");
    let version = |name: &str| {
        let middle = name.strip_prefix(&prefix)?.strip_suffix(SUFFIX)?;
        Some(middle.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect::<Vec<u64>>())
    };
    names.lines().filter_map(|name| Some((version(name)?, name))).max().map(|(_, name)| name)
}

fn describe(control: &str) -> Option<Package> {
    let field = |key: &str| {
        control
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
            .map(|v| v.trim().to_string())
    };
    let package = Package { name: field("Package")?, version: field("Version")?, sha256: field("SHA256")? };
    (package.sha256.len() == 64).then_some(package)
}

/// Downloads `package` and leaves its image in the folder `kept`, complete or not at all.
fn fetch(package: &Package, cache: &Path, kept: &Path) -> Result<()> {
    let work = fs::create_dir_all(cache).and_then(|()| Builder::new().prefix("fetch-").tempdir_in(cache));
    let work = work.with_context(|| format!("cannot create a folder in {}", cache.display()))?;
    let file = download(package, work.path())?;
    extract(package, &file, work.path())?;
    // A run beside this one may have been faster; its image is the same.
    match fs::rename(work.path().join("image"), kept) {
        Err(error) if !kept.exists() => {
            Err(error).with_context(|| format!("cannot create {}", kept.display()))
        }
        _ => Ok(()),
    }
}

fn download(package: &Package, work: &Path) -> Result<PathBuf> {
    let wanted = format!("{}={}", package.name, package.version);
    output(Command::new("apt-get").args(["download", &wanted]).current_dir(work))?;
    let entries = fs::read_dir(work).with_context(|| format!("cannot list {}", work.display()))?;
    let file = entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .with_context(|| format!("apt-get download {wanted} succeeded and left no package"))?;
    let found = sha256(&fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    ensure!(
        found == package.sha256,
        "{wanted} has SHA-256 {found}, and the signed package lists say {}",
        package.sha256
    );
    Ok(file)
}

/// Takes the image, and only that, out of the package `file`: its modules are a hundred megabytes.
fn extract(package: &Package, file: &Path, work: &Path) -> Result<()> {
    let release = package.name.trim_start_matches(PREFIX);
    let member = format!("./boot/vmlinuz-{release}");
    let mut unpack = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start dpkg-deb, from the package dpkg")?;
    let archive = unpack.stdout.take().context("dpkg-deb has no standard output")?;
    let extracted = output(Command::new("tar").args(["-x", "-C"]).arg(work).arg(&member).stdin(archive));
    let status = unpack.wait().context("cannot wait for dpkg-deb")?;
    extracted?;
    ensure!(status.success(), "dpkg-deb --fsys-tarfile {} ended with {status}", file.display());
    let image = work.join("image");
    fs::create_dir(&image).with_context(|| format!("cannot create {}", image.display()))?;
    fs::rename(work.join(&member), image.join("vmlinuz"))
        .with_context(|| format!("no {member} in the package"))
}

/// Standard output of `command`, which must succeed.
fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().with_context(|| format!("cannot start {program}: is this a Debian system?"))?;
    ensure!(
        output.status.success(),
        "{program} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).with_context(|| format!("{program} wrote no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &str = "linux-image-6.1.0-9-cloud-amd64
linux-image-6.1.0-56-cloud-amd64-unsigned
linux-image-6.1.0-50-cloud-amd64
linux-image-6.1.0-57-amd64
linux-image-6.1.0-58-rt-amd64
linux-image-6.1.0-59-cloud-amd64-dbg
linux-image-6.12.117+deb12-cloud-amd64
linux-image-6.12.98+deb12-cloud-amd64
linux-image-6.12-cloud-amd64";

    #[test]
    fn the_newest_is_by_number_and_neither_unsigned_nor_debug() {
        assert_eq!(newest(NAMES, "6.1"), Some("linux-image-6.1.0-50-cloud-amd64"));
        assert_eq!(newest(NAMES, "6.12"), Some("linux-image-6.12.117+deb12-cloud-amd64"));
        assert_eq!(newest(NAMES, "6.6"), None);
    }

    #[test]
    fn a_package_without_a_whole_hash_is_not_trusted() {
        let control = |hash: &str| format!("Package: p\nVersion: 6.1.2-1\nSHA256: {hash}\n");
        assert_eq!(describe(&control(&"a".repeat(64))).unwrap().version, "6.1.2-1");
        assert_eq!(describe(&control("abc")), None);
        assert_eq!(describe("Package: p\nVersion: 6.1.2-1\n"), None);
    }

    #[test]
    fn a_missing_or_failing_tool_is_named() {
        let error = format!("{:#}", output(&mut Command::new("no-such-apt")).unwrap_err());
        assert!(error.contains("no-such-apt") && error.contains("Debian"), "{error}");
        let error =
            output(Command::new("sh").args(["-c", "echo reason >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("reason"), "{error}");
    }
}
