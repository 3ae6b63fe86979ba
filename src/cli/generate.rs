//! Shell completions and man pages, made from the command line's own description so that they cannot differ from it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;

use super::output;

/// What to complete for.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell to write for
    shell: Shell,
}

/// Where man pages go.
#[derive(Clone, Debug, clap::Args)]
pub struct ManArgs {
    /// Directory for the pages, made if it is absent; without it the main page goes to standard output
    dir: Option<PathBuf>,
}

/// Writes the completion script of `command` to `out`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn completions(args: CompletionsArgs, mut command: Command, out: &mut impl Write) -> Result<()> {
    let name = command.get_name().to_owned();
    // The generator panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    output::write(out, &script, "the completion script")
}

/// Writes the man pages of `command`, to a directory or the main one to `out`.
///
/// # Errors
/// When the directory cannot be made, or a page or `out` cannot be written.
pub fn man(args: &ManArgs, command: Command, out: &mut impl Write) -> Result<()> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return output::write(out, &page, "the man page");
    };
    fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    clap_mangen::generate_to(command, dir)
        .with_context(|| format!("cannot write man pages to {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;
    use clap_complete::Shell::{Bash, Elvish, Fish, PowerShell, Zsh};

    fn command() -> Command {
        let serve = Command::new("serve").about("Echo").arg(Arg::new("listen").long("listen"));
        Command::new("uring-echo").about("Two echo servers").subcommand(serve)
    }

    #[test]
    fn every_shell_completes_the_subcommand_and_its_option() {
        for shell in [Bash, Elvish, Fish, PowerShell, Zsh] {
            let mut script = Vec::new();
            completions(CompletionsArgs { shell }, command(), &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("serve") && script.contains("listen"), "{shell}: {script}");
        }
    }

    #[test]
    fn the_main_page_goes_to_standard_output() {
        let mut page = Vec::new();
        man(&ManArgs { dir: None }, command(), &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains(".TH uring-echo 1") && page.contains("Two echo servers"), "{page}");
    }

    #[test]
    fn a_directory_gets_a_page_for_each_subcommand() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("share/man1");
        man(&ManArgs { dir: Some(dir.clone()) }, command(), &mut Vec::new()).unwrap();
        let page = fs::read_to_string(dir.join("uring-echo-serve.1")).unwrap();
        assert!(page.contains("\\-\\-listen"), "{page}");
        assert!(dir.join("uring-echo.1").exists());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let error = man(&ManArgs { dir: Some(file.join("man1")) }, command(), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("file/man1"), "{error}");
    }
}
