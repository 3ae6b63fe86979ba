//! What a load thread does: it is scheduled as its job needs, and drives the pace that its group keeps.

use std::sync::Arc;

use super::control::Control;
use super::driver::Driver;
use super::job::{Group, Job};
use super::outcome::Outcome;
use crate::client::fault::Fault;
use crate::client::load::open_loop::OpenLoop;
use crate::client::load::pace::{ClosedLoop, Company, Pace, Pour};
use crate::record::HogKind;
use crate::sys::scheduling;

/// Does `job` on the calling thread.
pub(crate) fn work(job: Job, control: Control) -> Outcome {
    let prepared = match (job.group, job.settings.rate_per_s) {
        (Group::Measured, Some(_)) => scheduling::expire_timers_at_once(),
        (Group::Hogs(_), _) => scheduling::never_preempt_others(),
        _ => Ok(()),
    };
    if let Err(errno) = prepared {
        return Outcome::unstarted(job.group, Fault::setup("set how a load thread is scheduled", errno));
    }
    let (settings, numbers) = (&job.settings, job.share.numbers.clone());
    match (job.group, settings.rate_per_s) {
        (Group::Measured, _) if settings.discard => drive(Pour::new(settings), job, control),
        (Group::Measured, None) => drive(ClosedLoop::new(settings, numbers.len()), job, control),
        (Group::Measured, Some(rate)) => {
            drive(OpenLoop::new(settings, rate, numbers, Arc::clone(&job.epoch)), job, control)
        }
        (Group::Hogs(HogKind::NonReading), _) => drive(Company::holding_back(settings), job, control),
        (Group::Hogs(_), _) => drive(Company::streaming(settings), job, control),
        (Group::Idle, _) => drive(Company::idle(), job, control),
    }
}

fn drive(pace: impl Pace, job: Job, control: Control) -> Outcome {
    let group = job.group;
    match Driver::new(job, pace, control) {
        Ok(driver) => driver.run(),
        Err(errno) => Outcome::unstarted(group, Fault::setup("create an epoll instance", errno)),
    }
}
