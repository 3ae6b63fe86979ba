//! Arguments, and what is done with them.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use crate::compile;
use crate::inputs::Inputs;
use crate::text::Text;
use crate::values::Values;

const EXAMPLES: &str = "\
Examples:
  analysis --out out && paper                            the paper of the published recordings: out/paper.pdf
  paper --values mine/values.json --figures mine/figures --out mine/paper.pdf";

/// Compiles the write-up to PDF from the values and figures that `analysis` computed
#[derive(Clone, Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Args {
    /// Every number of the text, as `analysis --out DIR` writes it
    #[arg(long, value_name = "FILE", default_value = "out/values.json")]
    pub values: PathBuf,
    /// Folder of the SVG figures [default: figures beside the values]
    #[arg(long, value_name = "DIR")]
    pub figures: Option<PathBuf>,
    /// Where to write the PDF [default: paper.pdf beside the values]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Experiments that are not recorded, such as latency,scale: their sections say so instead of ending the build
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub without: Vec<String>,
    /// Folder with another main.typ than the one built in, to work on the text
    #[arg(long, value_name = "DIR")]
    pub text: Option<PathBuf>,
}

/// Compiles and writes what `args` ask for, and says what was written.
///
/// # Errors
///
/// When an input cannot be read, the text does not compile, or the PDF cannot be written. Nothing is written then.
pub fn execute(args: &Args) -> Result<()> {
    let beside = |name: &str| args.values.parent().unwrap_or(Path::new("")).join(name);
    let inputs = Inputs {
        text: args.text.clone().map_or(Text::BuiltIn, Text::Folder),
        values: Values::read(&args.values)?,
        without: args.without.clone(),
        figures: args.figures.clone().unwrap_or_else(|| beside("figures")),
    };
    let paper = compile::compile(inputs)?;
    // Nobody may be there to read what accompanies the document; it is written all the same.
    let _ = write!(io::stderr(), "{}", paper.warnings);
    let out = args.out.clone().unwrap_or_else(|| beside("paper.pdf"));
    write_whole(&out, &paper.pdf)?;
    let (out, kibibytes) = (out.display(), paper.pdf.len() / 1024);
    let _ = writeln!(io::stdout(), "{out}: {} pages, {kibibytes} KiB", paper.pages);
    Ok(())
}

/// Prints the help or the usage error that clap has to `tell`, and returns the exit code for it.
///
/// # Errors
///
/// When help cannot be written, but not because its reader has seen enough.
pub fn tell(tell: &clap::Error) -> Result<ExitCode> {
    let printed = tell.print().and_then(|()| io::stdout().flush());
    match printed {
        _ if tell.use_stderr() => Ok(ExitCode::from(2)),
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write the help"),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Writes `bytes` under a temporary name first, so that `path` is the old document or the new one.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&partial, bytes))
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("cannot write {}; name another file with --out", path.display()))
}
