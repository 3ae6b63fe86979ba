//! The text of the paper: built into the program, or a folder while one works on it.

use std::path::PathBuf;
use std::{fs, io};

/// Where the text is taken from.
#[derive(Clone, Debug)]
pub enum Text {
    /// The text this program was built with.
    BuiltIn,
    /// A folder with a `main.typ`.
    Folder(PathBuf),
}

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        /// Every file of the text: its path below `paper/`, and its content.
        pub const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../", $path)))),+];
    };
}

files![
    "main.typ",
    "references.bib",
    "lib/claims.typ",
    "lib/evidence.typ",
    "lib/machine.typ",
    "lib/numbers.typ",
    "lib/published.typ",
    "lib/style.typ",
    "lib/values.typ",
    "sections/abstract.typ",
    "sections/background.typ",
    "sections/conclusion.typ",
    "sections/introduction.typ",
    "sections/method.typ",
    "sections/reproduction.typ",
    "sections/results.typ",
    "sections/results/ablation.typ",
    "sections/results/fairness.typ",
    "sections/results/grid.typ",
    "sections/results/latency.typ",
    "sections/results/noise.typ",
    "sections/results/parity.typ",
    "sections/results/req-res.typ",
    "sections/results/runtimes.typ",
    "sections/results/scale.typ",
    "sections/results/study.typ",
    "sections/results/stream.typ",
    "sections/servers.typ",
    "sections/study-2023.typ",
    "sections/threats.typ",
];

impl Text {
    /// Content of the file `path`, which is relative to the folder of `main.typ`.
    pub(crate) fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self {
            Self::BuiltIn => FILES
                .iter()
                .find(|(name, _)| *name == path)
                .map(|(_, text)| text.as_bytes().to_vec())
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
            Self::Folder(folder) => fs::read(folder.join(path)),
        }
    }
}
