//! Fetches a Debian cloud kernel with apt, which checks it against the signed package lists, and takes the image out
//! without installing anything.
//!
//! A series that this system's lists do not have is looked for in lists of newer suites, which are kept beside the kernels: the
//! system's own configuration of apt stays as it is.

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

/// How packages begin that have an image. From 6.19 on the first kind has it, and the second is empty but for what it depends on.
const PREFIXES: [&str; 2] = ["linux-binary-", "linux-image-"];
const SUFFIX: &str = "-cloud-amd64";

/// Suites that have newer kernels than Debian 12.
const NEWER_SUITES: [&str; 2] = ["trixie", "trixie-backports"];

/// What those suites are signed by, where Debian puts its keys.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The image of the newest cloud kernel of `series`, from `cache` if it is there, else fetched.
///
/// # Errors
/// When apt is missing, has no such kernel, or cannot fetch it.
pub(crate) fn obtain(series: &str, cache: &Path) -> Result<(PathBuf, Package)> {
    let mut apt = Apt::of_the_system();
    let mut names = apt.names(series)?;
    if newest(&names, series).is_none() {
        apt = Apt::of_newer_suites(cache)?;
        names = apt.names(series)?;
    }
    let Some(name) = newest(&names, series) else {
        bail!(
            "apt knows no cloud kernel {series}, nor has Debian in {}; run 'apt-get update' as root if it should",
            NEWER_SUITES.join(", ")
        );
    };
    let package = describe(&output(apt.command("apt-cache").args(["show", "--no-all-versions", name]))?)
        .with_context(|| format!("apt-cache shows no version and SHA-256 for {name}"))?;
    // The hash is part of the name: what is cached under it is what the lists promise today.
    let kept = cache.join(format!("{}_{}_{}", package.name, package.version, &package.sha256[..16]));
    let image = kept.join("vmlinuz");
    if !image.exists() {
        fetch(&apt, &package, cache, &kept)?;
    }
    Ok((image, package))
}

/// The package lists that are asked.
struct Apt {
    /// What tells apt of other lists than the system's.
    options: Vec<String>,
}

impl Apt {
    const fn of_the_system() -> Self {
        Self { options: Vec::new() }
    }

    /// Those of [`NEWER_SUITES`], from where the system has its own packages, fetched into `cache`.
    fn of_newer_suites(cache: &Path) -> Result<Self> {
        let folder = cache.join("apt");
        let sources = folder.join("sources.list");
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("cannot create {}", part.display()))?;
        }
        let mirror = mirror()?;
        let line = |suite: &str| format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n");
        let text: String = NEWER_SUITES.iter().map(|suite| line(suite)).collect();
        fs::write(&sources, text).with_context(|| format!("cannot write {}", sources.display()))?;
        let option = |name: &str, value: &Path| ["-o".to_owned(), format!("{name}={}", value.display())];
        let options = [
            option("Dir::Etc::sourcelist", &sources),
            option("Dir::Etc::sourceparts", Path::new("-")),
            option("Dir::State::lists", &folder.join("lists")),
            option("Dir::Cache", &folder.join("cache")),
        ];
        let apt = Self { options: options.concat() };
        output(apt.command("apt-get").args(["update", "-qq"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(&self.options);
        command
    }

    /// The packages of `series`, one a line.
    fn names(&self, series: &str) -> Result<String> {
        let of = |prefix: &str| {
            output(self.command("apt-cache").args(["pkgnames", &format!("{prefix}{series}.")]))
        };
        Ok(PREFIXES.into_iter().map(of).collect::<Result<Vec<_>>>()?.concat())
    }
}

/// Where the system has Debian's packages from.
fn mirror() -> Result<String> {
    const FORMAT: &str = "$(COMPONENT) $(RELEASE) $(REPO_URI)";
    let targets =
        output(Command::new("apt-get").args(["indextargets", "--format", FORMAT, "Created-By: Packages"]))?;
    let plain = |line: &&str| line.starts_with("main ") && !line.contains("-security ");
    let line = targets.lines().find(plain).and_then(|line| line.rsplit(' ').next());
    Ok(line.context("apt has no source of Debian's packages")?.to_owned())
}

/// The package in `names`, one a line, with the highest version number. Debian names `6.1.0-56` after the release, and
/// numbers count, not digits: 9 < 10.
fn newest<'a>(names: &'a str, series: &str) -> Option<&'a str> {
    let version = |name: &str| {
        let middle = release(name)?.strip_prefix(&format!("{series}."))?.strip_suffix(SUFFIX)?;
        Some(middle.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect::<Vec<u64>>())
    };
    let place = |name: &str| PREFIXES.iter().rev().position(|prefix| name.starts_with(prefix));
    let all = names.lines().filter_map(|name| Some(((version(name)?, place(name)), name)));
    all.max().map(|(_, name)| name)
}

/// The kernel's release that the package called `name` has.
fn release(name: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix))
}

/// Where the image of `release` may be in its package: it moved with 7.0.
fn places(release: &str) -> [PathBuf; 2] {
    [format!("boot/vmlinuz-{release}"), format!("usr/lib/modules/{release}/vmlinuz")].map(PathBuf::from)
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
fn fetch(apt: &Apt, package: &Package, cache: &Path, kept: &Path) -> Result<()> {
    let work = fs::create_dir_all(cache).and_then(|()| Builder::new().prefix("fetch-").tempdir_in(cache));
    let work = work.with_context(|| format!("cannot create a folder in {}", cache.display()))?;
    let file = download(apt, package, work.path())?;
    extract(package, &file, work.path())?;
    // A run beside this one may have been faster; its image is the same.
    match fs::rename(work.path().join("image"), kept) {
        Err(error) if !kept.exists() => {
            Err(error).with_context(|| format!("cannot create {}", kept.display()))
        }
        _ => Ok(()),
    }
}

fn download(apt: &Apt, package: &Package, work: &Path) -> Result<PathBuf> {
    let wanted = format!("{}={}", package.name, package.version);
    output(apt.command("apt-get").args(["download", &wanted]).current_dir(work))?;
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
    let release = release(&package.name).with_context(|| format!("{} is no kernel", package.name))?;
    let mut unpack = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start dpkg-deb, from the package dpkg")?;
    let archive = unpack.stdout.take().context("dpkg-deb has no standard output")?;
    let wanted = ["--wildcards", "./*/vmlinuz*"];
    let extracted = output(Command::new("tar").args(["-x", "-C"]).arg(work).args(wanted).stdin(archive));
    let status = unpack.wait().context("cannot wait for dpkg-deb")?;
    extracted?;
    ensure!(status.success(), "dpkg-deb --fsys-tarfile {} ended with {status}", file.display());
    let image = work.join("image");
    fs::create_dir(&image).with_context(|| format!("cannot create {}", image.display()))?;
    let found = places(release).map(|place| work.join(place)).into_iter().find(|place| place.exists());
    let found = found.with_context(|| format!("no image of {release} in its package"))?;
    fs::rename(&found, image.join("vmlinuz")).with_context(|| format!("cannot move {}", found.display()))
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
    fn where_an_image_moved_to_another_package_that_one_has_it() {
        let names = "linux-image-7.3.4+deb13-cloud-amd64\nlinux-binary-7.3.4+deb13-cloud-amd64\n";
        let name = newest(names, "7.3").unwrap();
        assert_eq!(name, "linux-binary-7.3.4+deb13-cloud-amd64");
        assert_eq!(release(name), Some("7.3.4+deb13-cloud-amd64"));
        assert_eq!(release("linux-image-6.1.0-56-cloud-amd64"), Some("6.1.0-56-cloud-amd64"));
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
