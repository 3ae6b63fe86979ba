//! Hands recordings that a step made to the host: the guest's memory is gone when its power is.

use std::fs;
use std::io;
use std::path::Path;

use guest::record::RecordedFile;

/// Where `experiments` writes when it is started in /tmp.
const FOLDER: &str = "/tmp/results";

/// Every file that recordings consist of, in the order of their names; the files are removed, so that each is handed over
/// once. None when nothing was recorded.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn take() -> io::Result<Vec<RecordedFile>> {
    let folder = Path::new(FOLDER);
    let mut files = Vec::new();
    if folder.is_dir() {
        collect(folder, "", &mut files)?;
        fs::remove_dir_all(folder)?;
    }
    files.sort_by(|a: &RecordedFile, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<RecordedFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push(RecordedFile { content: fs::read(entry.path())?, path });
        }
    }
    Ok(())
}
