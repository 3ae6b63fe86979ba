//! What Typst may see: the text, the values, the figures and the built-in fonts. Nothing else exists for it.

use std::path::PathBuf;
use std::{fs, io};

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Value};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_kit::diagnostics::DiagnosticWorld;
use typst_kit::files::{FileLoader, FileStore};
use typst_kit::fonts::{self, FontStore};

use crate::inputs::Inputs;

/// What the text calls the values.
const VALUES: &str = "values.json";
/// What the text calls the folder of figures.
const FIGURES: &str = "figures/";

pub(crate) struct Desk {
    standard: LazyHash<Library>,
    fonts: FontStore,
    files: FileStore<Loader>,
    main: FileId,
}

impl Desk {
    pub(crate) fn new(inputs: Inputs) -> Self {
        let mut fonts = FontStore::new();
        fonts.extend(fonts::embedded());
        let main = VirtualPath::new("main.typ").expect("a plain name is a path");
        let without = Value::Str(inputs.without.join(",").into());
        let told = Dict::from_iter([("without".into(), without)]);
        Self {
            standard: LazyHash::new(Library::builder().with_inputs(told).build()),
            fonts,
            files: FileStore::new(Loader(inputs)),
            main: RootedPath::new(VirtualRoot::Project, main).intern(),
        }
    }
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &self.standard
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.files.source(id)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.file(id)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    /// There is no today: tomorrow's PDF has the same bytes.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

impl DiagnosticWorld for Desk {
    fn name(&self, id: FileId) -> String {
        format!("paper/{}", id.vpath().get_without_slash())
    }
}

/// Finds the bytes behind a path of the text.
struct Loader(Inputs);

impl FileLoader for Loader {
    fn load(&self, id: FileId) -> FileResult<Bytes> {
        if let VirtualRoot::Package(package) = id.root() {
            return Err(other(format!(
                "the package {package} is not available: the paper is built without a network"
            )));
        }
        let path = id.vpath().get_without_slash();
        if path == VALUES {
            return Ok(Bytes::new(self.0.values.json().to_vec()));
        }
        let bytes = match path.strip_prefix(FIGURES) {
            Some(figure) => self.figure(figure)?,
            None => {
                self.0.text.read(path).map_err(|error| FileError::from_io(error, &PathBuf::from(path)))?
            }
        };
        Ok(Bytes::new(bytes))
    }
}

impl Loader {
    fn figure(&self, name: &str) -> FileResult<Vec<u8>> {
        let path = self.0.figures.join(name);
        fs::read(&path).map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "is missing".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            let remedy = "`analysis --out DIR` draws it, --figures names the folder";
            other(format!("figure {name} {reason} ({}); {remedy}", path.display()))
        })
    }
}

fn other(message: String) -> FileError {
    FileError::Other(Some(message.into()))
}
