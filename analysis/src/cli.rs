//! Arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  analysis                                   the newest recording of each experiment, into out/
  analysis results/stream/RECORDING          one recording
  analysis check                             hold the claims to the newest recordings
  analysis claims > docs/CLAIMS.md           make the page of the claims again
  analysis headline --check README.md        is its headline table that of the recordings?
  analysis machines                          does another machine give the same answer?";

/// Turns recordings into tables, figures, a report and checked claims
#[derive(Clone, Debug, Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do instead of analysing.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to read.
    #[command(flatten)]
    pub source: Source,
    /// Folder to write to; what is there is replaced
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub out: PathBuf,
}

/// Which recordings.
#[derive(Clone, Debug, Args)]
pub struct Source {
    /// Recordings, one of each experiment [default: the newest of each experiment]
    #[arg(value_name = "RECORDING")]
    pub recordings: Vec<PathBuf>,
    /// Folder of the recordings, looked into when none is named
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
}

/// What to do instead of analysing.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Hold every claim to the recordings; fails when they contradict one
    Check {
        /// What to read.
        #[command(flatten)]
        source: Source,
        /// Claims of your own instead of those of this project, a TOML file
        #[arg(long, value_name = "FILE")]
        claims: Option<PathBuf>,
    },
    /// Print the page of the claims
    Claims,
    /// Print the headline table, what each experiment is about, as Markdown
    Headline {
        /// What to read.
        #[command(flatten)]
        source: Source,
        /// Instead fail when the table between `<!-- headline -->` and `<!-- /headline -->` in this document is another
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
    /// Print what each of many servers costs beside one, as Markdown
    Servers {
        /// What to read.
        #[command(flatten)]
        source: Source,
        /// Instead fail when the table between `<!-- servers -->` and `<!-- /servers -->` in this document is another
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
    /// Print how much of a difference instructions and system calls explain, cell by cell, as Markdown
    Explain {
        /// A recording of time
        #[arg(long, value_name = "RECORDING")]
        time: PathBuf,
        /// A recording of instructions, in the same cells and on the same kernel
        #[arg(long, value_name = "RECORDING")]
        counts: PathBuf,
        /// What a system call costs on the machine of the first, printed by uring-echo probe --costs --json
        #[arg(long, value_name = "FILE")]
        costs: PathBuf,
    },
    /// Print the instructions of a message on every kernel that they were counted on, as Markdown
    Kernels {
        /// Folder of the recordings
        #[arg(long, value_name = "DIR", default_value = "results")]
        results: PathBuf,
        /// Instead fail when the table between `<!-- kernels -->` and `<!-- /kernels -->` in this document is another
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
    /// Print the headline numbers of every machine that has a recording side by side, as Markdown
    Machines {
        /// Folders of recordings; the machines of the first one come first
        #[arg(long, value_name = "DIR", default_values = ["results", "replications"])]
        results: Vec<PathBuf>,
        /// Instead fail when what stands between `<!-- machines -->` and `<!-- /machines -->` in this document is another
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn recordings_can_be_named_with_and_without_a_command() {
        let plain = Arguments::parse_from(["analysis", "a", "b", "--out", "o"]);
        assert_eq!((plain.source.recordings.len(), plain.command.is_none()), (2, true));
        let check = Arguments::parse_from(["analysis", "check", "a"]).command;
        assert!(matches!(check, Some(Command::Check { source, .. }) if source.recordings.len() == 1));
    }
}
