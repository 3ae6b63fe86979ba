//! Which CPUs a process may run on: taskset(1) semantics, read back after setting.

use std::{io, mem};

use super::Errno;

/// Restricts the calling thread, and threads it spawns later, to `cpus`; returns what the kernel then says.
///
/// # Errors
/// EINVAL when none of `cpus` is online and permitted, with the ones that are.
pub fn pin(cpus: &[usize]) -> io::Result<Vec<usize>> {
    // SAFETY: cpu_set_t is a plain bit array; all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for &cpu in cpus {
        if cpu >= libc::CPU_SETSIZE as usize {
            return Err(io::Error::other(format!("CPU {cpu} is past the limit of {}", libc::CPU_SETSIZE)));
        }
        // SAFETY: `cpu` is below CPU_SETSIZE, hence inside the bit array.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    // SAFETY: `set` is initialised and its size is passed along; 0 is the calling thread.
    let result = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
    if result != 0 {
        let errno = Errno::last();
        return Err(io::Error::other(format!(
            "cannot run on CPU {cpus:?}: {errno}; permitted are {:?}",
            permitted(0)?
        )));
    }
    let now = permitted(0)?;
    if now.iter().all(|cpu| cpus.contains(cpu)) {
        return Ok(now);
    }
    Err(io::Error::other(format!("asked for CPU {cpus:?}, the kernel gave {now:?}")))
}

/// The CPUs that thread or process `pid` may run on; 0 is the calling thread.
///
/// # Errors
/// ESRCH when there is no such process.
pub fn permitted(pid: u32) -> io::Result<Vec<usize>> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: cpu_set_t is a plain bit array; all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `set` is valid for the kernel to fill and its size is passed along.
    let result = unsafe { libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), &raw mut set) };
    Errno::check(result)?;
    let is_set = |cpu: &usize| {
        // SAFETY: `cpu` is below CPU_SETSIZE, hence inside the bit array.
        unsafe { libc::CPU_ISSET(*cpu, &set) }
    };
    Ok((0..libc::CPU_SETSIZE as usize).filter(is_set).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinning_is_read_back() {
        std::thread::spawn(|| {
            let all = permitted(0).unwrap();
            assert_eq!(pin(&all[..1]).unwrap(), all[..1]);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn pinning_to_an_absent_cpu_names_those_that_exist() {
        let error = pin(&[1000]).unwrap_err().to_string();
        assert!(error.contains("1000") && error.contains("permitted are"), "{error}");
    }
}
