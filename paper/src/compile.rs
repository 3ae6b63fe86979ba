//! From text, values and figures to the bytes of a PDF.

use thiserror::Error;
use typst::diag::{SourceDiagnostic, Warned};
use typst::ecow::EcoVec;
use typst::foundations::Smart;
use typst_kit::diagnostics::termcolor::NoColor;
use typst_kit::diagnostics::{self, DiagnosticFormat};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::inputs::Inputs;
use crate::world::Desk;

/// A compiled paper.
#[derive(Clone, Debug)]
pub struct Paper {
    /// The document.
    pub pdf: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
    /// What Typst warns of, for people to read; empty if nothing.
    pub warnings: String,
}

/// The text did not compile: every diagnostic with its file, line and hints.
#[derive(Debug, Error)]
#[error("the text does not compile\n{0}")]
pub struct CompileError(String);

/// Compiles the paper. The same inputs give the same bytes.
///
/// # Errors
///
/// When the text is wrong, or cites a value or a figure that is not there.
pub fn compile(inputs: Inputs) -> Result<Paper, CompileError> {
    let desk = Desk::new(inputs);
    let Warned { output, warnings } = typst::compile::<PagedDocument>(&desk);
    let refused = |errors: EcoVec<SourceDiagnostic>| CompileError(rendered(&desk, &errors));
    let document = output.map_err(refused)?;
    let options = PdfOptions { creator: Smart::Custom(None), ..PdfOptions::default() };
    let pdf = typst_pdf::pdf(&document, &options).map_err(refused)?;
    Ok(Paper { pdf, pages: document.pages().len(), warnings: rendered(&desk, &warnings) })
}

fn rendered(desk: &Desk, found: &[SourceDiagnostic]) -> String {
    let mut out = NoColor::new(Vec::new());
    diagnostics::emit(&mut out, desk, found, DiagnosticFormat::Human)
        .unwrap_or_else(|error| panic!("a diagnostic points outside of its file: {error}"));
    String::from_utf8_lossy(&out.into_inner()).into_owned()
}
