//! How the kernel treats the calling thread against others and against its timers.

use std::num::NonZeroU64;

use super::Errno;

/// Has the calling thread's timers expire when they are due, rather than up to 50 µs later, which the kernel uses to
/// expire several at once. Source: prctl(2) PR_SET_TIMERSLACK.
///
/// # Errors
/// None on Linux 2.6.28 and later.
pub fn expire_timers_at_once() -> Result<(), Errno> {
    const SLACK_NS: NonZeroU64 = NonZeroU64::MIN;
    Ok(rustix::thread::set_current_timer_slack(Some(SLACK_NS))?)
}

/// Has the calling thread, when it wakes, not take the core from a thread that runs there. It keeps its fair share of
/// the core, and others preempt it as before. Source: sched(7) SCHED_BATCH; needs no privilege.
///
/// # Errors
/// None for the calling thread.
pub fn never_preempt_others() -> Result<(), Errno> {
    let normal = libc::sched_param { sched_priority: 0 };
    // SAFETY: `normal` is initialised and only read; 0 is the calling thread.
    Errno::check(unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const normal) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_step_back_and_have_its_timers_on_time() {
        std::thread::spawn(|| {
            expire_timers_at_once().unwrap();
            never_preempt_others().unwrap();
            // SAFETY: the call takes an integer and touches no memory; 0 is the calling thread.
            assert_eq!(unsafe { libc::sched_getscheduler(0) }, libc::SCHED_BATCH);
        })
        .join()
        .unwrap();
    }
}
