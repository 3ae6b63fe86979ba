//! Clocks.

use crate::units::Nanos;

fn read(clock: libc::clockid_t) -> Option<Nanos> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec for the kernel to fill and outlives the call.
    let result = unsafe { libc::clock_gettime(clock, &raw mut now) };
    (result == 0).then(|| Nanos(now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()))
}

/// CLOCK_MONOTONIC: comparable between the processes of one boot, so that server and client share it.
///
/// # Panics
/// Never on Linux: the clock always exists.
pub fn monotonic() -> Nanos {
    #[cfg(test)]
    if let Some(now) = HELD.get() {
        return now;
    }
    read(libc::CLOCK_MONOTONIC).expect("CLOCK_MONOTONIC exists")
}

/// Sleeps for `span`.
pub fn rest(span: Nanos) {
    #[cfg(test)]
    if HELD.get().is_some() {
        return pass(span);
    }
    std::thread::sleep(span.into());
}

/// How long the machine was suspended since boot: what CLOCK_BOOTTIME counts and CLOCK_MONOTONIC does not. Up to the time
/// between two readings too much. Source: clock_gettime(2).
///
/// # Panics
/// Never on Linux: both clocks always exist.
pub fn suspended() -> Nanos {
    let monotonic = read(libc::CLOCK_MONOTONIC).expect("CLOCK_MONOTONIC exists");
    read(libc::CLOCK_BOOTTIME).expect("CLOCK_BOOTTIME exists").saturating_sub(monotonic)
}

/// CPU time, user and system, that the process `pid` has used. `None` if there is no such process.
///
/// Nanosecond resolution, unlike the ticks of /proc/PID/stat. Source: clock_getcpuclockid(3).
pub fn process_cpu(pid: u32) -> Option<Nanos> {
    let pid = libc::pid_t::try_from(pid).ok()?;
    let mut clock: libc::clockid_t = 0;
    // SAFETY: `clock` is valid for the call to fill.
    let result = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) };
    if result == 0 { read(clock) } else { None }
}

/// CPU time that the calling thread has used.
///
/// # Panics
/// Never on Linux: the clock always exists.
pub fn thread_cpu() -> Nanos {
    read(libc::CLOCK_THREAD_CPUTIME_ID).expect("CLOCK_THREAD_CPUTIME_ID exists")
}

#[cfg(test)]
thread_local! {
    static HELD: std::cell::Cell<Option<Nanos>> = const { std::cell::Cell::new(None) };
}

/// Makes this thread's monotonic clock stand still, but for [`pass`].
#[cfg(test)]
pub(crate) fn hold() {
    HELD.set(Some(Nanos::from_secs(1)));
}

/// Lets `span` pass on a clock that is held.
#[cfg(test)]
pub(crate) fn pass(span: Nanos) {
    HELD.set(HELD.get().map(|now| now + span));
}
