//! Which kernel to boot, and what exactly it was: an image and its SHA-256, and the Debian package it came in.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use uring_echo::hash::sha256;

use super::debian::{self, Package};

/// Where the kernel comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An image on this machine.
    File(PathBuf),
    /// The newest cloud kernel of a series, such as 6.1, that this machine's apt knows.
    Debian(String),
}

impl Default for Source {
    /// The oldest series that has all the io_uring server needs.
    fn default() -> Self {
        Self::Debian("6.1".to_owned())
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(series) = text.strip_prefix("debian:") else { return Ok(Self::File(text.into())) };
        let mut numbers = series.split('.').map(|number| number.parse::<u16>().is_ok());
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(true), Some(true), None) => Ok(Self::Debian(series.to_string())),
            _ => Err(format!("'{series}' is not a kernel series such as 6.1 or 6.12")),
        }
    }
}

/// A kernel image, ready to boot.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Kernel {
    /// The image. Where a machine keeps it is nobody else's business: what it is, hash and package say.
    #[serde(skip)]
    pub(crate) image: PathBuf,
    /// SHA-256 of the image, in hex.
    pub(crate) sha256: String,
    /// The package it was taken from, if it was.
    pub(crate) package: Option<Package>,
}

impl Kernel {
    /// Finds or fetches the kernel of `source`; fetched ones are kept in `cache`.
    ///
    /// # Errors
    /// When there is no such file, it is no kernel, or apt does not have it.
    pub(crate) fn obtain(source: &Source, cache: &Path) -> Result<Self> {
        match source {
            Source::File(image) => Self::open(image, None),
            Source::Debian(series) => {
                let (image, package) = debian::obtain(series, cache).with_context(|| {
                    format!("no Debian kernel {series}; a kernel image can be named instead: --kernel FILE")
                })?;
                Self::open(&image, Some(package))
            }
        }
    }

    fn open(image: &Path, package: Option<Package>) -> Result<Self> {
        let bytes = fs::read(image).with_context(|| {
            format!("no kernel: cannot read {}; pass --kernel FILE or --kernel debian:6.1", image.display())
        })?;
        ensure!(
            is_boot_image(&bytes),
            "{} is not an x86 Linux boot image (a bzImage, usually named vmlinuz)",
            image.display()
        );
        Ok(Self { image: image.into(), sha256: sha256(&bytes), package })
    }
}

/// Whether `bytes` carry the header that boot loaders look for. Source: Documentation/arch/x86/boot.rst.
fn is_boot_image(bytes: &[u8]) -> bool {
    bytes.get(0x202..0x206) == Some(b"HdrS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_the_kernel_is_and_not_where_it_was_kept() {
        let kernel = Kernel { image: "kept/somewhere/vmlinuz".into(), sha256: "ab".into(), package: None };
        assert_eq!(serde_json::to_string(&kernel).unwrap(), r#"{"sha256":"ab","package":null}"#);
    }

    #[test]
    fn a_source_is_a_file_or_a_debian_series() {
        assert_eq!("debian:6.12".parse(), Ok(Source::Debian("6.12".into())));
        assert_eq!("boot/vmlinuz".parse(), Ok(Source::File("boot/vmlinuz".into())));
        for wrong in ["debian:", "debian:bookworm", "debian:6", "debian:6.1.0"] {
            assert!(wrong.parse::<Source>().unwrap_err().contains("6.12"), "{wrong}");
        }
    }

    #[test]
    fn a_missing_kernel_is_named_with_the_remedy() {
        let error = Kernel::obtain(&Source::File("/no/such/vmlinuz".into()), Path::new("/")).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("/no/such/vmlinuz") && error.contains("--kernel"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_kernel_is_refused_before_it_boots() {
        let error = Kernel::obtain(&Source::File("/proc/self/exe".into()), Path::new("/")).unwrap_err();
        assert!(error.to_string().contains("not an x86 Linux boot image"), "{error}");
    }
}
