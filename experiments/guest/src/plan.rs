//! What the guest is to run, as words on the kernel's command line.
//!
//! ```text
//! … uring_echo.run=conformance,probe uring_echo.deadline_s=300 … -- --test-threads=1
//! ```
//!
//! The dot keeps the words out of the first process's environment; words `KEY=VALUE` without a dot that the kernel does
//! not know become environment variables of that process and so of every step. Source: kernel-parameters, "The kernel
//! parses parameters from the kernel command line up to `--`".

use std::fmt;

/// The steps of one boot, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names of steps: those of [`crate::steps`], or a program of the initramfs.
    pub steps: Vec<String>,
    /// How long each step may take.
    pub deadline_s: u64,
    /// Arguments for the last step, after its own.
    pub args: Vec<String>,
}

const RUN: &str = "uring_echo.run=";
const DEADLINE_S: &str = "uring_echo.deadline_s=";

impl Default for Plan {
    fn default() -> Self {
        Self { steps: crate::steps::DEFAULT.map(String::from).to_vec(), deadline_s: 300, args: Vec::new() }
    }
}

impl Plan {
    /// The plan in `command_line`, with defaults for what it does not say.
    ///
    /// # Errors
    /// One line that names the word that is wrong.
    pub fn parse(command_line: &str) -> Result<Self, String> {
        let mut words = command_line.split_ascii_whitespace();
        let mut plan = Self::default();
        for word in words.by_ref().take_while(|word| *word != "--") {
            if let Some(steps) = word.strip_prefix(RUN) {
                plan.steps = parse_steps(steps)?;
            } else if let Some(deadline) = word.strip_prefix(DEADLINE_S) {
                plan.deadline_s =
                    deadline.parse().map_err(|_| format!("'{word}' does not give whole seconds"))?;
            }
        }
        plan.args = words.map(String::from).collect();
        Ok(plan)
    }

    /// Why this plan cannot travel on a command line, if it cannot: words end at blanks, and steps at commas.
    ///
    /// # Errors
    /// One line that names the step or the argument.
    pub fn check(&self) -> Result<(), String> {
        parse_steps(&self.steps.join(","))?;
        match self
            .args
            .iter()
            .find(|arg| arg.is_empty() || arg.contains(|c: char| c.is_whitespace() || c == '"'))
        {
            Some(arg) => Err(format!("argument '{arg}' has a blank or a quote, or nothing, in it")),
            None => Ok(()),
        }
    }
}

fn parse_steps(list: &str) -> Result<Vec<String>, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    list.split(',')
        .map(|name| match name {
            "" => Err(format!("the list of steps '{list}' has an empty name")),
            name if !name.chars().all(fits) => Err(format!("'{name}' is not the name of a step")),
            name => Ok(name.to_string()),
        })
        .collect()
}

/// The words that [`Plan::parse`] reads, to be put last on the command line.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RUN}{} {DEADLINE_S}{}", self.steps.join(","), self.deadline_s)?;
        if self.args.is_empty() { Ok(()) } else { write!(f, " -- {}", self.args.join(" ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_the_command_line() {
        let plan = Plan {
            steps: vec!["probe".into(), "conformance".into()],
            deadline_s: 7,
            args: vec!["--exact".into(), "half_close".into()],
        };
        assert_eq!(plan.check(), Ok(()));
        assert_eq!(Plan::parse(&format!("console=ttyS0 quiet {plan}")), Ok(plan));
    }

    #[test]
    fn a_command_line_that_asks_for_nothing_gets_the_default() {
        assert_eq!(Plan::parse("console=ttyS0 panic=-1\n"), Ok(Plan::default()));
    }

    #[test]
    fn words_after_the_two_dashes_are_arguments_and_not_options() {
        let plan = Plan::parse("uring_echo.run=probe -- uring_echo.run=other").unwrap();
        assert_eq!(plan.steps, ["probe"]);
        assert_eq!(plan.args, ["uring_echo.run=other"]);
    }

    #[test]
    fn a_word_that_makes_no_sense_is_named() {
        let error = Plan::parse("uring_echo.deadline_s=soon").unwrap_err();
        assert!(error.contains("uring_echo.deadline_s=soon"), "{error}");
        let error = Plan::parse("uring_echo.run=probe,,x").unwrap_err();
        assert!(error.contains("empty name"), "{error}");
        let error = Plan::parse("uring_echo.run=../probe").unwrap_err();
        assert!(error.contains("../probe"), "{error}");
    }

    #[test]
    fn an_argument_that_would_be_split_is_refused_before_it_travels() {
        let plan = Plan { args: vec!["two words".into()], ..Plan::default() };
        assert!(plan.check().unwrap_err().contains("two words"));
    }
}
