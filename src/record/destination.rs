//! Where a record goes, found out before there is one.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::whole::{directory_of, temporary_beside, write_whole};

/// Most links from one name to the next: as many as the kernel follows. Source: path_resolution(7).
const LINKS_MAX: usize = 40;

/// Where a record goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A regular file, there or not: it is replaced as a whole.
    File(PathBuf),
    /// Something that is written into, and must not be replaced by a file: a device, a pipe.
    Stream(PathBuf),
    /// What standard output is, whatever name it was given: opened anew it would be written over from its beginning.
    StandardOutput,
}

/// A place where no record can be written.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// It has no directory.
    #[error("cannot write {path}: {directory} is not a directory; create it")]
    NoDirectory {
        /// What was to be written.
        path: PathBuf,
        /// Where it should be.
        directory: PathBuf,
    },
    /// It is a directory itself.
    #[error("cannot write {0}: it is a directory; name a file in it")]
    Directory(PathBuf),
    /// The system refuses.
    #[error("cannot write {path}: {cause}; name another place")]
    Refused {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl Destination {
    /// What `path` stands for. Nothing is written yet, but a file beside `path` is made and removed to see whether one can
    /// be.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn of(path: &Path) -> Result<Self, DestinationError> {
        let refused = |cause| DestinationError::Refused { path: path.into(), cause };
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(DestinationError::Directory(path.into())),
            Ok(found) if is_standard_output(&found) => Ok(Self::StandardOutput),
            Ok(found) if !found.is_file() => {
                // To open a pipe waits for its reader.
                let opened =
                    if found.file_type().is_fifo() { Ok(()) } else { open_to_append(path).map(drop) };
                opened.map(|()| Self::Stream(path.into())).map_err(refused)
            }
            _ => Self::file(path),
        }
    }

    fn file(path: &Path) -> Result<Self, DestinationError> {
        let refused = |cause| DestinationError::Refused { path: path.into(), cause };
        // A link stays, and what it leads to is replaced.
        let target = behind_links(path).map_err(refused)?;
        let trial = temporary_beside(&target);
        let tried = File::create(&trial).and_then(|_| fs::remove_file(&trial));
        tried.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                DestinationError::NoDirectory { path: path.into(), directory: directory_of(&target).into() }
            }
            _ => refused(error),
        })?;
        Ok(Self::File(target))
    }

    /// Writes `text`.
    ///
    /// # Errors
    /// As [`write_whole`] and write(2).
    pub fn write(&self, text: &[u8]) -> Result<(), DestinationError> {
        let (path, written) = match self {
            Self::File(path) => (path.as_path(), write_whole(path, text)),
            Self::Stream(path) => {
                (path.as_path(), open_to_append(path).and_then(|mut file| file.write_all(text)))
            }
            Self::StandardOutput => (Path::new("/dev/stdout"), write_to_standard_output(text)),
        };
        written.map_err(|cause| DestinationError::Refused { path: path.into(), cause })
    }
}

fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

fn write_to_standard_output(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        // A reader that has seen enough is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn is_standard_output(found: &Metadata) -> bool {
    let own = || File::from(io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok();
    // Writing to the null device twice is as good as once, and the tests' standard output may be it.
    let same = |own: Metadata| (own.dev(), own.ino()) == (found.dev(), found.ino());
    !found.file_type().is_char_device() && own().is_some_and(same)
}

fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&path) {
            Ok(target) => path = directory_of(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links lead from one name to the next"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;
    use std::thread;

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("run.json"), directory.path().join("latest.json"));
        symlink("run.json", &link).unwrap();
        for text in ["first", "second"] {
            Destination::of(&link).unwrap().write(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn links_in_a_circle_lead_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("self.json");
        symlink("self.json", &link).unwrap();
        assert!(Destination::of(&link).unwrap_err().to_string().contains("links"));
    }

    #[test]
    fn a_pipe_is_written_into_and_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        let destination = Destination::of(&pipe).unwrap();
        assert_eq!(destination, Destination::Stream(pipe.clone()));
        destination.write(b"text").unwrap();
        assert_eq!(reader.join().unwrap(), "text");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_place_that_takes_no_file_is_refused_and_nothing_is_left_there() {
        let directory = tempfile::tempdir().unwrap();
        let says = |path: &Path| Destination::of(path).unwrap_err().to_string();
        assert!(says(directory.path()).contains("name a file in it"));
        assert!(says(&directory.path().join("absent/run.json")).contains("create it"));
        assert!(says(Path::new("/dev/null/run.json")).contains("create it"));
        // Not even the superuser makes such a file.
        let long = directory.path().join("x".repeat(300));
        assert!(says(&long).contains("name another place"));
        Destination::of(&directory.path().join("run.json")).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
