//! Boots a machine under the accelerator that was asked for, or under the first that works.

use std::time::{Duration, Instant};

use anyhow::Result;
use guest::plan::Plan;
use uring_echo::units::Nanos;

use super::qemu::{self, Accel, Files, Limits, Machine};
use super::verdict::{Evidence, Verdict};

/// How long a guest may take to report when the virtualisation device is on trial. A boot takes a second or two
/// where virtualisation is real; where it is not, a guest can hang before its first instruction.
const KVM_TRIAL: Duration = Duration::from_secs(15);

/// One machine, what it is to run, and how long that may take.
pub(crate) struct Session<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) machine: &'a Machine,
    pub(crate) limits: Limits,
}

/// A boot that went well.
#[derive(Debug)]
pub(crate) struct Booted {
    pub(crate) accel: Accel,
    /// Why the virtualisation device was tried and not used.
    pub(crate) kvm_failure: Option<String>,
    pub(crate) verdict: Verdict,
    pub(crate) elapsed: Nanos,
}

impl Session<'_> {
    /// Boots under `accel`; without one, under KVM if a guest boots there and else under TCG.
    ///
    /// # Errors
    /// What went wrong in the guest. A guest that reported under KVM is not given a second chance.
    pub(crate) fn boot(&self, accel: Option<Accel>) -> Result<Booted> {
        match accel {
            Some(accel) => self.attempt(accel, self.limits),
            None if qemu::kvm_opens() => self.boot_kvm_or_tcg(),
            None => self.attempt(Accel::Tcg, self.limits),
        }
    }

    /// Under KVM if the guest's first process reports soon, else under TCG.
    pub(super) fn boot_kvm_or_tcg(&self) -> Result<Booted> {
        let trial = Limits { boot: self.limits.boot.min(KVM_TRIAL), ..self.limits };
        match self.attempt(Accel::Kvm, trial) {
            Err(error) if !self.machine.has_booted() => {
                let reason = error.to_string().lines().next().unwrap_or_default().to_string();
                let booted = self.attempt(Accel::Tcg, self.limits)?;
                Ok(Booted { kvm_failure: Some(reason), ..booted })
            }
            outcome => outcome,
        }
    }

    fn attempt(&self, accel: Accel, limits: Limits) -> Result<Booted> {
        let started = Instant::now();
        let ending = self.machine.boot(accel, limits)?;
        let files = &self.machine.files;
        let [console, records, messages] =
            [files.console(), files.records(), files.messages()].map(|path| Files::text(&path));
        let (console, records, messages) = (&console, &records, &messages);
        let verdict = Evidence { ending, console, records, messages, files }.judge(&self.plan.steps)?;
        Ok(Booted { accel, kvm_failure: None, verdict, elapsed: started.elapsed().into() })
    }
}
