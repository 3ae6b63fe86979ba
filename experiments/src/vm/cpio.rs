//! Writes an initramfs: a cpio archive in the "newc" format, the one that the kernel unpacks.
//!
//! Uncompressed, because under emulation unpacking costs more than reading. Nothing in the archive depends on when or by
//! whom it is made: times and owners are zero, and entries stand in the order they were added.
//! Source: Documentation/driver-api/early-userspace/buffer-format.rst.

/// An archive under construction.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

/// The major and minor number of a device node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;

impl Archive {
    /// Adds a directory. The kernel makes none by itself: parents come before what lies in them.
    pub(crate) fn directory(&mut self, path: &str) {
        self.entry(path, DIRECTORY, Device::default(), &[]);
    }

    /// Adds a file that may be executed.
    pub(crate) fn executable(&mut self, path: &str, content: &[u8]) {
        self.entry(path, EXECUTABLE, Device::default(), content);
    }

    /// Adds a character device, which needs no privilege here as it is only a line in an archive.
    pub(crate) fn character_device(&mut self, path: &str, device: Device) {
        self.entry(path, CHARACTER_DEVICE, device, &[]);
    }

    /// The finished archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, Device::default(), &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, device: Device, content: &[u8]) {
        let size = u32::try_from(content.len()).expect("newc has 32 bits for a size; programs are smaller");
        let name_size = u32::try_from(path.len() + 1).expect("a path is short");
        self.entries += 1;
        let (uid, gid, links, mtime, checksum) = (0, 0, 1, 0, 0);
        let (dev_major, dev_minor) = (0, 0);
        let fields = [
            self.entries,
            mode,
            uid,
            gid,
            links,
            mtime,
            size,
            dev_major,
            dev_minor,
            device.major,
            device.minor,
            name_size,
            checksum,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    /// Header with name, and content, each end on a multiple of four bytes from the archive's start.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry as another program would read it.
    #[derive(Debug, PartialEq, Eq)]
    struct Entry {
        path: String,
        mode: u32,
        device: Device,
        content: Vec<u8>,
    }

    fn read(mut bytes: &[u8]) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            assert_eq!(&bytes[..6], b"070701");
            let field = |index: usize| {
                let at = 6 + 8 * index;
                u32::from_str_radix(std::str::from_utf8(&bytes[at..at + 8]).unwrap(), 16).unwrap()
            };
            let (size, name_size) = (field(6) as usize, field(11) as usize);
            let path = String::from_utf8(bytes[110..110 + name_size - 1].to_vec()).unwrap();
            assert_eq!(bytes[110 + name_size - 1], 0, "a name ends in NUL");
            let start = (110 + name_size).next_multiple_of(4);
            let device = Device { major: field(9), minor: field(10) };
            if path == "TRAILER!!!" {
                assert_eq!(bytes.len(), start, "nothing follows the trailer");
                return entries;
            }
            entries.push(Entry {
                path,
                mode: field(1),
                device,
                content: bytes[start..start + size].to_vec(),
            });
            bytes = &bytes[(start + size).next_multiple_of(4)..];
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut archive = Archive::default();
        archive.directory("dev");
        archive.character_device("dev/console", Device { major: 5, minor: 1 });
        archive.executable("init", b"seven b");
        archive.executable("empty", b"");
        let entry = |path: &str, mode, device, content: &[u8]| Entry {
            path: path.into(),
            mode,
            device,
            content: content.to_vec(),
        };
        let none = Device::default();
        let expected = [
            entry("dev", 0o040_755, none, b""),
            entry("dev/console", 0o020_600, Device { major: 5, minor: 1 }, b""),
            entry("init", 0o100_755, none, b"seven b"),
            entry("empty", 0o100_755, none, b""),
        ];
        assert_eq!(read(&archive.finish()), expected);
    }

    #[test]
    fn names_and_contents_of_every_length_keep_the_alignment() {
        for length in 0..9 {
            let mut archive = Archive::default();
            archive.executable(&"n".repeat(length + 1), &vec![7; length]);
            archive.executable("last", b"!");
            let entries = read(&archive.finish());
            assert_eq!(entries[0].content, vec![7; length]);
            assert_eq!(entries[1].content, b"!");
        }
    }

    #[test]
    fn no_two_entries_share_an_inode() {
        let mut archive = Archive::default();
        archive.directory("a");
        archive.directory("b");
        let bytes = archive.finish();
        let second = 110 + 2;
        assert_ne!(bytes[6..14], bytes[second + 6..second + 14]);
    }
}
