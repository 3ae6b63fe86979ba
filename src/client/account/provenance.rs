//! What measured what: the builds of both ends.

use std::path::Path;

use crate::hash::sha256_of_file;
use crate::record::Build;

/// The build of this executable.
pub(crate) fn build() -> Build {
    Build {
        version: env!("CARGO_PKG_VERSION").into(),
        revision: option_env!("URING_ECHO_REVISION").map(Into::into),
        profile: if cfg!(debug_assertions) { "debug" } else { "release" }.into(),
        rustc: option_env!("URING_ECHO_RUSTC").map(Into::into),
        exe_sha256: sha256_of_file(Path::new("/proc/self/exe")).ok(),
    }
}

/// SHA-256 of the executable of `pid`, in hexadecimal; `None` if it belongs to someone else.
pub(crate) fn exe_sha256(pid: u32) -> Option<String> {
    sha256_of_file(format!("/proc/{pid}/exe").as_ref()).ok()
}
