//! What /proc tells of a server: memory, descriptors, sockets.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// Resident memory of process `pid` in bytes.
pub(crate) fn resident_bytes(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is alive");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has a VmRSS");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("VmRSS is a number of KiB") << 10
}

/// Open descriptors of process `pid`.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is alive and ours").count()
}

/// The number that the next descriptor of process `pid` would get: the lowest free one (open(2)).
pub(crate) fn lowest_free_descriptor(pid: u32) -> u64 {
    (0..)
        .find(|number| !Path::new(&format!("/proc/{pid}/fd/{number}")).is_symlink())
        .expect("some number is free")
}

/// Connections whose local end is `addr` and that a process still has to close: neither listening nor in a state
/// that the kernel finishes by itself. Direct descriptors, which no `/proc/PID/fd` lists, are among them.
pub(crate) fn open_connections(addr: SocketAddr) -> usize {
    const ESTABLISHED: &str = "01";
    const CLOSE_WAIT: &str = "08";
    let table = if addr.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let port = format!(":{:04X}", addr.port());
    let is_open = |line: &&str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        fields[1].ends_with(&port) && matches!(fields[3], ESTABLISHED | CLOSE_WAIT)
    };
    fs::read_to_string(table).unwrap().lines().skip(1).filter(is_open).count()
}
