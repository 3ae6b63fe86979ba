//! An initramfs: a cpio archive in the "newc" format, the one that the kernel unpacks.
//!
//! Uncompressed, because under emulation unpacking costs more than reading. Nothing in the archive depends on when or by
//! whom it is made: times and owners are zero, and entries stand in the order they were added.

use std::io::Write;

use anyhow::{Context, Result};
use cpio::newc::{self, Builder, ModeFileType};

/// An archive under construction.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds a directory. The kernel makes none by itself: parents come before what lies in them.
    pub(crate) fn directory(&mut self, path: &str) -> Result<()> {
        self.entry(Builder::new(path).mode(0o755).set_mode_file_type(ModeFileType::Directory), &[])
    }

    /// Adds a file that may be executed.
    pub(crate) fn executable(&mut self, path: &str, content: &[u8]) -> Result<()> {
        self.entry(Builder::new(path).mode(0o755).set_mode_file_type(ModeFileType::Regular), content)
    }

    /// Adds the character device `major`:`minor`, which needs no privilege here: it is a line in an archive.
    pub(crate) fn character_device(&mut self, path: &str, major: u32, minor: u32) -> Result<()> {
        let device = Builder::new(path).mode(0o600).set_mode_file_type(ModeFileType::Char);
        self.entry(device.rdev_major(major).rdev_minor(minor), &[])
    }

    /// The finished archive.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        Ok(newc::trailer(self.bytes)?)
    }

    fn entry(&mut self, entry: Builder, content: &[u8]) -> Result<()> {
        let size =
            u32::try_from(content.len()).context("a cpio archive has 32 bits for the size of a file")?;
        self.entries += 1;
        let mut writer = entry.ino(self.entries).write(&mut self.bytes, size);
        writer.write_all(content)?;
        writer.finish()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    /// Path, mode, device and content of each entry.
    type Entries = Vec<(String, u32, [u32; 2], Vec<u8>)>;

    fn read(bytes: Vec<u8>) -> Entries {
        let (mut entries, mut rest) = (Vec::new(), Cursor::new(bytes));
        loop {
            let mut reader = newc::Reader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                return entries;
            }
            let mut content = Vec::new();
            reader.read_to_end(&mut content).unwrap();
            let entry = reader.entry();
            let device = [entry.rdev_major(), entry.rdev_minor()];
            entries.push((entry.name().to_owned(), entry.mode(), device, content));
            rest = reader.finish().unwrap();
        }
    }

    #[test]
    fn what_the_kernel_wants_of_each_kind_of_entry_reads_back() {
        let mut archive = Archive::default();
        archive.directory("dev").unwrap();
        archive.character_device("dev/console", 5, 1).unwrap();
        archive.executable("init", b"seven b").unwrap();
        archive.executable("empty", b"").unwrap();
        let expected = [
            ("dev".to_owned(), 0o040_755, [0, 0], vec![]),
            ("dev/console".to_owned(), 0o020_600, [5, 1], vec![]),
            ("init".to_owned(), 0o100_755, [0, 0], b"seven b".to_vec()),
            ("empty".to_owned(), 0o100_755, [0, 0], vec![]),
        ];
        assert_eq!(read(archive.finish().unwrap()), expected);
    }
}
