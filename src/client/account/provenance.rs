//! What measured what: the builds of both ends.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::record::Build;

/// The build of this executable.
pub(crate) fn build() -> Build {
    Build {
        version: env!("CARGO_PKG_VERSION").into(),
        revision: option_env!("URING_ECHO_REVISION").map(Into::into),
        profile: if cfg!(debug_assertions) { "debug" } else { "release" }.into(),
        rustc: option_env!("URING_ECHO_RUSTC").map(Into::into),
        exe_sha256: sha256_hex(Path::new("/proc/self/exe")).ok(),
    }
}

/// SHA-256 of the executable of `pid`, in hexadecimal; `None` if it belongs to someone else.
pub(crate) fn exe_sha256(pid: u32) -> Option<String> {
    sha256_hex(format!("/proc/{pid}/exe").as_ref()).ok()
}

fn sha256_hex(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_published_hash() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        // FIPS 180-4, example of the one-block message "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(file.path()).unwrap(), expected);
    }
}
