//! The verdict on a run, from how its client and its server ended and what the record says of itself.

pub mod agreement;
pub mod gate;

use std::path::Path;

use serde_json::Value;
use uring_echo::record::RunRecord;

use crate::judge::agreement::Planned;
use crate::judge::gate::{NoiseLimit, SaturationLimits};
use crate::recording::manifest::{Attempt, Status};
use crate::run::load::Load;

/// What a run was made into.
#[derive(Debug)]
pub enum Made {
    /// Nothing, and why: there was no load.
    Nothing(String),
    /// A load.
    Load {
        /// What was to be measured.
        planned: Planned,
        /// How the client ended.
        load: Load,
        /// What speaks against the server's end.
        server: Option<String>,
        /// Where the server listened.
        port: u16,
        /// The document that the client left, if it left one.
        record: Option<Vec<u8>>,
    },
}

impl Made {
    /// The document that the client left, if it left one.
    pub fn into_record(self) -> Option<Vec<u8>> {
        match self {
            Self::Nothing(_) => None,
            Self::Load { record, .. } => record,
        }
    }
}

/// What runs are held against.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// Limits of the noise gate.
    pub noise: &'a [NoiseLimit],
    /// Limits of the saturation verdict.
    pub saturation: SaturationLimits,
}

impl Judge<'_> {
    /// What became of a run.
    ///
    /// # Errors
    /// When its record cannot be read, or has no field that a limit names.
    pub fn attempt(&self, made: &Made) -> anyhow::Result<Attempt> {
        let (planned, load, server, port, record) = match made {
            Made::Load { planned, load, server, port, record } => (planned, load, server, *port, record),
            Made::Nothing(reason) => {
                let reasons = vec![reason.clone()];
                return Ok(Attempt { status: Status::Failed, reasons, ..Attempt::default() });
            }
        };
        let record = record.as_deref().map(parse).transpose()?;
        let validity = record.as_ref().map(|(record, _)| {
            let disagreements = planned.disagreements(record);
            record.validity.iter().cloned().chain(disagreements).collect()
        });
        let (status, reasons) = verdict(load, server.clone(), validity);
        let attempt = Attempt { status, reasons, port: Some(port), ..Attempt::default() };
        let Some((_, record)) = record else { return Ok(attempt) };
        self.check_fields(&record)?;
        Ok(Attempt {
            flags: gate::exceeded(self.noise, &record),
            saturation: self.saturation.verdict(&record),
            ..attempt
        })
    }

    /// A limit on a field that does not exist would never be exceeded.
    fn check_fields(&self, record: &Value) -> anyhow::Result<()> {
        let unknown = self.noise.iter().find(|limit| !gate::is_known(record, &limit.field));
        if let Some(NoiseLimit { field, .. }) = unknown {
            anyhow::bail!(
                "noise: a run's record has no field {field}; docs/RUN_RECORD.md lists those it has"
            );
        }
        Ok(())
    }
}

fn parse(text: &[u8]) -> anyhow::Result<(RunRecord, Value)> {
    let record = RunRecord::parse(text, Path::new("what the client wrote"))?;
    Ok((record, serde_json::from_slice(text)?))
}

/// `validity` is that of the record, `None` without one.
fn verdict(load: &Load, server: Option<String>, validity: Option<Vec<String>>) -> (Status, Vec<String>) {
    let mut reasons = Vec::new();
    if matches!(load, Load::Hung) {
        reasons.push("client-hung: it was killed".into());
    }
    let has_record = validity.is_some();
    reasons.extend(validity.unwrap_or_default());
    if let Load::Ended(status, words) = load
        && !status.success()
        && reasons.is_empty()
    {
        reasons.push(format!("client-exit: {status}: {words}"));
    }
    reasons.extend(server);
    match (has_record, reasons.is_empty()) {
        (true, true) => (Status::Valid, reasons),
        (true, false) => (Status::Invalid, reasons),
        (false, true) => {
            let silent = "client-silent: it ended without an error and without a record";
            (Status::Failed, vec![silent.into()])
        }
        (false, false) => (Status::Failed, reasons),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn ended(code: i32) -> Load {
        Load::Ended(ExitStatus::from_raw(code << 8), "last words".into())
    }

    #[test]
    fn a_run_is_valid_when_nothing_speaks_against_it() {
        assert_eq!(verdict(&ended(0), None, Some(Vec::new())), (Status::Valid, Vec::new()));
    }

    #[test]
    fn what_the_record_or_the_server_says_against_a_run_voids_it() {
        let of_record = verdict(&ended(1), None, Some(vec!["drain: late".into()]));
        assert_eq!(of_record, (Status::Invalid, vec!["drain: late".into()]));
        let of_server = verdict(&ended(0), Some("server-exit: 1".into()), Some(Vec::new()));
        assert_eq!(of_server, (Status::Invalid, vec!["server-exit: 1".into()]));
    }

    #[test]
    fn without_a_record_a_run_has_failed_with_the_last_words_of_the_client() {
        let (status, reasons) = verdict(&ended(2), None, None);
        assert_eq!((status, reasons[0].contains("last words")), (Status::Failed, true));
        assert_eq!(verdict(&ended(0), None, None).0, Status::Failed);
        assert_eq!(verdict(&Load::Hung, None, None).1, ["client-hung: it was killed"]);
    }
}
