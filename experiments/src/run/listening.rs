//! Ports: a free one, and whether somebody listens on it by now. Nobody connects to find out: that would be a connection more than
//! the load has, and a server that serves one at a time would be busy with it.

use std::net::TcpListener;
use std::{fs, io};

/// A port of 127.0.0.1 that nobody listens on.
///
/// # Errors
/// When none is left.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Whether a socket of this network namespace listens on `port`.
pub fn is_listening(port: u16) -> bool {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines()).any(|line| listens(line, port))
}

/// `  sl  local_address rem_address   st …`, addresses and states in hexadecimal. Source: proc_pid_net(5).
fn listens(line: &str, port: u16) -> bool {
    const LISTEN: &str = "0A";
    let mut words = line.split_ascii_whitespace();
    let (local, state) = (words.nth(1), words.nth(1));
    let number = local
        .and_then(|local| local.rsplit_once(':'))
        .and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
    state == Some(LISTEN) && number == Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_seen_and_only_on_its_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(is_listening(listener.local_addr().unwrap().port()));
        let free = free_port().unwrap();
        assert!(!is_listening(free));
    }

    #[test]
    fn a_connection_is_no_listener() {
        let line = |state| {
            format!("   0: 0100007F:1267 00000000:0000 {state} 00000000:00000000 00:00000000 00000000")
        };
        assert!(listens(&line("0A"), 0x1267) && !listens(&line("0A"), 0x1268));
        assert!(!listens(&line("01"), 0x1267));
        assert!(!listens("  sl  local_address rem_address   st tx_queue rx_queue", 0x1267));
    }
}
