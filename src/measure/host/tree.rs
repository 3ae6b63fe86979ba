//! Reading the kernel's text files, below a root that tests replace.

use std::fs;
use std::path::{Path, PathBuf};

use super::known::Known;

/// /proc and /sys below some root.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The files below `root`; `/` is this machine.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where `path` of the machine lies.
    pub fn locate(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whether this is the machine that the program runs on, whose kernel can be asked what no file shows.
    pub fn is_here(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Whether `path` exists.
    pub fn exists(&self, path: &str) -> bool {
        self.locate(path).exists()
    }

    /// The text of `path` without the white space around it.
    pub fn text(&self, path: &str) -> Known<String> {
        match fs::read(self.locate(path)) {
            // Firmware strings are not always UTF-8.
            Ok(bytes) => Known::Value(String::from_utf8_lossy(&bytes).trim().to_owned()),
            Err(error) => Known::unavailable(format!("{path}: {error}")),
        }
    }

    /// What `parse` finds in the text of `path`.
    pub fn parsed<T>(&self, path: &str, parse: impl FnOnce(&str) -> Option<T>) -> Known<T> {
        self.text(path).and_then(|text| {
            Known::from_option(parse(&text), format!("{path}: not in the form that is documented"))
        })
    }

    /// Names of the entries of directory `path`, sorted.
    pub fn names(&self, path: &str) -> Known<Vec<String>> {
        match fs::read_dir(self.locate(path)) {
            Ok(entries) => {
                let mut names: Vec<String> =
                    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
                names.sort_unstable();
                Known::Value(names)
            }
            Err(error) => Known::unavailable(format!("{path}: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_the_file_as_the_machine_knows_it() {
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::new(root.path());
        let Known::Unavailable(why) = tree.text("/sys/absent") else { panic!("read an absent file") };
        assert!(why.unavailable.starts_with("/sys/absent: "), "{why:?}");
    }

    #[test]
    fn text_that_cannot_be_understood_is_unavailable_and_not_a_guess() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("count"), "many\n").unwrap();
        let tree = Tree::new(root.path());
        assert_eq!(tree.text("/count"), Known::Value("many".to_owned()));
        assert!(tree.parsed("/count", |text| text.parse::<u32>().ok()).value().is_none());
    }
}
