//! `experiments doctor`: what of this machine bends a measurement, why, and what to do about it.
//!
//! Looking changes nothing. `--apply` sets what a file of the kernel can set and remembers what was there; `--restore`
//! puts it back, after a crash as well.
//!
//! | module | holds |
//! |---|---|
//! | [`facts`], [`activity`], [`pace`] | the machine, as every record describes it, and what it does right now |
//! | [`checks`], [`finding`] | judging one fact each |
//! | [`settings`] | changing and restoring |
//! | `render` | the table and the JSON document |

pub mod activity;
pub mod checks;
pub mod facts;
pub mod finding;
pub mod pace;
mod render;
pub mod settings;
#[cfg(test)]
mod testing;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use uring_echo::cli::output;

use facts::{Facts, Look};
use finding::{Finding, Level, Write};
use settings::{Outcome, Settings};
use uring_echo::cpu_list::CpuList;

/// What the doctor is asked for.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// Print one JSON document, with the reason and the remedy of every check
    #[arg(long)]
    json: bool,
    /// Set what can be set, remembering what was there (needs root)
    #[arg(long)]
    apply: bool,
    /// Put back what --apply has set (needs root)
    #[arg(long, conflicts_with = "apply")]
    restore: bool,
    /// Core of the server [default: the last of the fastest permitted]
    #[arg(long, value_name = "N")]
    server_cpu: Option<usize>,
    /// Cores of the client, such as 0 or 1,4-6 [default: the first other one of its kind]
    #[arg(long, value_name = "LIST")]
    client_cpus: Option<CpuList>,
    /// Folder of the recordings, whose disk needs room
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// How long to watch what runs, with the cores of both ends kept at work
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    watch_ms: u64,
    /// Root of the machine to look at
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    root: PathBuf,
}

/// Looks, and sets or restores what was asked for. Fails the command when a check fails.
///
/// # Errors
/// When the machine cannot be looked at, or the previous values of settings cannot be kept.
pub fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::new(&args.root);
    if args.restore {
        return restored(&settings.restore()?);
    }
    let mut facts = Facts::gather(&args.look())?;
    let mut findings = checks::all(&facts);
    if args.apply {
        let fixes: Vec<Write> = findings.iter().flat_map(|finding| finding.fix.clone()).collect();
        complain(&settings.apply(&fixes)?);
        facts = Facts::gather(&args.look())?;
        findings = checks::all(&facts);
    }
    report(args, &facts, &findings, &settings)?;
    Ok(ExitCode::from(u8::from(findings.iter().any(|finding| finding.level == Level::Fail))))
}

fn report(args: &DoctorArgs, facts: &Facts, findings: &[Finding], settings: &Settings) -> anyhow::Result<()> {
    let changed = settings.changed()?;
    if args.json {
        return output::say(
            &format!("{}\n", render::json(facts, findings, changed.as_ref())),
            "the findings",
        );
    }
    let mut said = format!("{}\n{}\n", render::table(findings), render::summary(findings));
    said.extend(render::leftover(changed.as_ref()).map(|leftover| leftover + "\n"));
    output::say(&said, "the findings")
}

fn restored(outcome: &Outcome) -> anyhow::Result<ExitCode> {
    let said = match outcome.written.as_slice() {
        [] => "nothing to restore\n".to_owned(),
        written => format!("restored {}\n", written.join(", ")),
    };
    output::say(&said, "what was restored")?;
    complain(outcome);
    Ok(ExitCode::from(u8::from(!outcome.refused.is_empty())))
}

fn complain(outcome: &Outcome) {
    outcome.refused.iter().for_each(|refused| output::note(format_args!("not written: {refused}")));
}

impl DoctorArgs {
    fn look(&self) -> Look<'_> {
        Look {
            root: &self.root,
            server_cpu: self.server_cpu,
            client_cpus: self.client_cpus.as_ref().map_or(&[], |CpuList(cpus)| cpus),
            out: &self.out,
            watch: Duration::from_millis(self.watch_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Machine;

    #[test]
    fn on_a_machine_that_is_as_it_should_be_nothing_warns_and_nothing_is_to_be_set() {
        let findings = checks::all(&Machine::quiet().facts());
        let wrong: Vec<_> = findings.iter().filter(|finding| finding.level >= Level::Warn).collect();
        // Room on the disk is that of the machine under the test.
        assert!(wrong.iter().all(|finding| finding.check == "disk"), "{wrong:?}");
        assert!(findings.len() > 30);
    }

    #[test]
    fn on_a_machine_that_shows_nothing_every_setting_is_unavailable_and_said_so() {
        let machine = Machine::quiet();
        machine.remove("sys");
        machine.remove("proc");
        machine.write("proc/self/status", "Cpus_allowed_list:\t0-3\n");
        let findings = checks::all(&machine.facts());
        let unavailable = findings.iter().filter(|finding| finding.level == Level::Unavailable);
        assert!(unavailable.clone().count() > 25, "{findings:?}");
        assert!(unavailable.into_iter().all(|finding| finding.value.starts_with("unavailable (")));
    }

    #[test]
    fn every_check_has_a_name_of_its_own_a_reason_and_a_remedy() {
        let findings = checks::all(&Machine::quiet().facts());
        let names: std::collections::BTreeSet<_> = findings.iter().map(|finding| finding.check).collect();
        assert_eq!(names.len(), findings.len());
        assert!(findings.iter().all(|finding| !finding.why.is_empty() && !finding.remedy.is_empty()));
    }

    #[test]
    fn what_is_applied_passes_afterwards() {
        let machine = Machine::quiet();
        machine.write("proc/sys/kernel/nmi_watchdog", "1\n");
        machine.write("sys/class/net/lo/mtu", "1500\n");
        let fixes = |machine: &Machine| -> Vec<Write> {
            checks::all(&machine.facts()).into_iter().flat_map(|finding| finding.fix).collect()
        };
        assert_eq!(fixes(&machine).len(), 2);
        Settings::new(machine.root()).apply(&fixes(&machine)).unwrap();
        assert!(fixes(&machine).is_empty());
    }
}
