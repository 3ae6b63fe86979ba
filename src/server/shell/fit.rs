//! Fits a configuration to the limits of this process and this machine.
//!
//! What nobody asked for bends to a limit, and the server says so when it starts. What was asked for is granted or
//! refused. Limits that the kernel applies without a word, as it cuts a backlog, are treated alike.

use std::fs;

use crate::server::shell::config::Config;
use crate::server::shell::error::StartError;
use crate::sys::limits;
use crate::units::Bytes;

/// Descriptors a server needs besides its connections: standard streams, listener, ring or epoll, signals, stats,
/// and a reserve.
const OTHER_DESCRIPTORS: u64 = 16;

/// Address space a server needs besides its connections' buffers: program, stacks, ring, buffers in use.
const OTHER_SPACE_BYTES: u64 = 128 << 20;

/// Space of a connection besides its buffer: places in tables and queues.
const CONNECTION_SPACE_BYTES: u64 = 1 << 10;

/// Descriptors that a server of `connections_max` may open: its soft limit is raised to that.
pub const fn descriptors_needed(connections_max: usize) -> u64 {
    connections_max as u64 + OTHER_DESCRIPTORS
}

/// A configuration that this machine can serve, and in what it differs from the usual one.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// What to serve with.
    pub config: Config,
    /// A line for each default that was lowered: to what, why, and what to do about it.
    pub notes: Vec<String>,
}

impl Fitted {
    /// Fits `config`, of whose connections each may take `buffer_bytes` of memory, and raises the limit on descriptors to
    /// what it then needs.
    ///
    /// # Errors
    /// When something that was asked for is above a limit, or nothing can be served below it. With a value that is not.
    pub fn of(config: &Config, buffer_bytes: Bytes) -> Result<Self, StartError> {
        let mut fitted = Self { config: config.clone(), notes: Vec::new() };
        let nofile = limits::nofile().map_or(u64::MAX, |limit| limit.hard);
        fitted.keep_connections(&descriptors(nofile, limits::nr_open()))?;
        fitted.keep_connections(&address_space(limits::unmapped_bytes(), buffer_bytes))?;
        fitted.keep_backlog(&accept_queue(somaxconn()))?;
        let needed = descriptors_needed(fitted.config.connections_max);
        limits::raise_nofile(needed)
            .map_err(|errno| StartError::resource("cannot raise the limit on descriptors", errno))?;
        Ok(fitted)
    }

    fn keep_connections(&mut self, limit: &Limit) -> Result<(), StartError> {
        let wanted = self.config.connections_max as u64;
        let what = format!("cannot serve {wanted} connections");
        let most = limit.keep(wanted, self.config.asked.connections_max, &what, &mut self.notes)?;
        self.config.connections_max = usize::try_from(most).expect("it is at most what was wanted");
        Ok(())
    }

    fn keep_backlog(&mut self, limit: &Limit) -> Result<(), StartError> {
        let wanted = u64::from(self.config.backlog);
        let what = format!("cannot have a backlog of {wanted}");
        let most = limit.keep(wanted, self.config.asked.backlog, &what, &mut self.notes)?;
        self.config.backlog = u32::try_from(most).expect("it is at most what was wanted");
        Ok(())
    }
}

/// What the machine sets to an option.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limit {
    flag: &'static str,
    most: u64,
    cause: String,
    raise: &'static str,
}

impl Limit {
    /// The part of `wanted` that is within the limit.
    fn keep(&self, wanted: u64, asked: bool, what: &str, notes: &mut Vec<String>) -> Result<u64, StartError> {
        let Self { flag, most, cause, raise } = self;
        if wanted <= *most {
            return Ok(wanted);
        }
        if *most == 0 {
            return Err(StartError::new(what, cause, *raise));
        }
        if asked {
            return Err(StartError::new(what, cause, format!("lower {flag} to {most} or {raise}")));
        }
        notes.push(format!("{flag} is {most} instead of {wanted}: {cause}; {raise} for more"));
        Ok(*most)
    }
}

/// Connections that have a descriptor, given the hard limit and fs.nr_open.
fn descriptors(hard: u64, nr_open: u64) -> Limit {
    let (most, cause, raise) = if nr_open < hard {
        (nr_open, format!("fs.nr_open allows {nr_open} descriptors"), "raise it (sysctl fs.nr_open)")
    } else {
        (hard, format!("RLIMIT_NOFILE allows {hard}"), "raise the hard limit (ulimit -Hn)")
    };
    Limit { flag: "--max-connections", most: most.saturating_sub(OTHER_DESCRIPTORS), cause, raise }
}

/// Connections whose buffers of `buffer_bytes` find a place in the address space, of which `unmapped_bytes` are left.
fn address_space(unmapped_bytes: u64, buffer_bytes: Bytes) -> Limit {
    let each = buffer_bytes.0 as u64 + CONNECTION_SPACE_BYTES;
    Limit {
        flag: "--max-connections",
        most: unmapped_bytes.saturating_sub(OTHER_SPACE_BYTES) / each,
        cause: format!("RLIMIT_AS leaves {} MiB for buffers of {buffer_bytes} bytes", unmapped_bytes >> 20),
        raise: "raise it (ulimit -v)",
    }
}

/// Length of an accept queue, which listen(2) cuts to net.core.somaxconn and says nothing.
fn accept_queue(somaxconn: u64) -> Limit {
    Limit {
        flag: "--backlog",
        most: somaxconn,
        cause: format!("net.core.somaxconn allows {somaxconn}"),
        raise: "raise it (sysctl net.core.somaxconn)",
    }
}

/// net.core.somaxconn of this network namespace; no limit if nobody says.
fn somaxconn() -> u64 {
    let text = fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::shell::config::Asked;

    fn usual() -> Fitted {
        let config = Config { connections_max: 10_240, backlog: 1024, ..Config::for_one_connection() };
        Fitted { config, notes: Vec::new() }
    }

    fn asked() -> Fitted {
        let mut asked = usual();
        asked.config.asked = Asked { connections_max: true, backlog: true };
        asked
    }

    #[test]
    fn a_default_bends_to_the_limit_and_says_so() {
        let mut fitted = usual();
        fitted.keep_connections(&descriptors(1024, 1 << 20)).unwrap();
        fitted.keep_backlog(&accept_queue(128)).unwrap();
        assert_eq!((fitted.config.connections_max, fitted.config.backlog), (1008, 128));
        assert!(fitted.notes[0].contains("1008") && fitted.notes[0].contains("RLIMIT_NOFILE allows 1024"));
        assert!(
            fitted.notes[1].contains("128") && fitted.notes[1].contains("somaxconn"),
            "{:?}",
            fitted.notes
        );
    }

    #[test]
    fn what_was_asked_for_is_refused_with_a_value_that_is_granted() {
        for (limit, value) in [(descriptors(1024, 1 << 20), "1008"), (descriptors(1 << 20, 512), "496")] {
            let error = asked().keep_connections(&limit).unwrap_err().to_string();
            assert!(error.contains(&format!("lower --max-connections to {value} or")), "{error}");
        }
        let error = asked().keep_backlog(&accept_queue(128)).unwrap_err().to_string();
        assert!(error.contains("lower --backlog to 128 or"), "{error}");
    }

    #[test]
    fn the_lower_one_of_two_limits_on_descriptors_is_named() {
        assert!(descriptors(1024, 512).cause.contains("fs.nr_open"));
        assert!(descriptors(512, 1024).cause.contains("RLIMIT_NOFILE"));
    }

    #[test]
    fn connections_whose_buffers_find_no_place_are_left_out() {
        let mut fitted = usual();
        fitted.keep_connections(&address_space(512 << 20, Bytes::kib(64))).unwrap();
        let buffers_bytes = fitted.config.connections_max as u64 * (64 << 10);
        assert!(buffers_bytes < 512 << 20 && buffers_bytes > 256 << 20, "{:?}", fitted.notes);
    }

    #[test]
    fn a_limit_that_leaves_nothing_is_refused_even_to_a_default() {
        let error = usual().keep_connections(&descriptors(16, 1 << 20)).unwrap_err().to_string();
        assert!(error.contains("RLIMIT_NOFILE allows 16; raise the hard limit"), "{error}");
    }

    #[test]
    fn what_is_within_all_limits_stays() {
        let mut fitted = asked();
        fitted.keep_connections(&descriptors(10_256, 10_256)).unwrap();
        fitted.keep_connections(&address_space(u64::MAX, Bytes::kib(64))).unwrap();
        fitted.keep_backlog(&accept_queue(1024)).unwrap();
        assert_eq!((fitted.config.connections_max, fitted.config.backlog), (10_240, 1024));
        assert!(fitted.notes.is_empty());
    }
}
