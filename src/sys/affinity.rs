//! Which CPUs a process may run on: taskset(1) semantics, read back after setting.

use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Restricts the calling thread, and threads it spawns later, to `cpus`; returns what the kernel then says.
///
/// # Errors
/// EINVAL when none of `cpus` is online and permitted, with the ones that are.
pub fn pin(cpus: &[usize]) -> io::Result<Vec<usize>> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        if cpu >= CpuSet::MAX_CPU {
            return Err(io::Error::other(format!("CPU {cpu} is past the limit of {}", CpuSet::MAX_CPU)));
        }
        set.set(cpu);
    }
    if let Err(errno) = sched_setaffinity(None, &set) {
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
    let pid = Pid::from_raw(i32::try_from(pid).map_err(io::Error::other)?);
    let set = sched_getaffinity(pid)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect())
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
