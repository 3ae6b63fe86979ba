//! Establishing a thread's connections, all of them before the first byte is sent.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use super::control::{Control, Tally};
use super::job::Share;
use crate::client::fault::Fault;
use crate::client::load::flow::Flow;
use crate::client::load::phase::Phase;
use crate::sys::Errno;
use crate::sys::epoll::{Epoll, Events, Interest};
use crate::sys::socket::{self, StreamOptions};

/// Most connections of a thread under way at once, well below the backlog of a listener (1024 by default here).
const UNDER_WAY_MAX: usize = 128;

/// User data of the wake descriptor; flows use their index, which is smaller.
pub(crate) const WAKE: u64 = u64::MAX;

/// Connects a share; what is left of it when it fails is in `flows`.
pub(crate) struct Connector<'a> {
    pub(crate) share: &'a Share,
    pub(crate) epoll: &'a Epoll,
    pub(crate) events: &'a mut Events,
    pub(crate) control: &'a Control,
    pub(crate) flows: &'a mut Vec<Flow>,
    /// Flows that are established.
    pub(crate) achieved: usize,
}

impl Connector<'_> {
    /// Establishes every connection of the share; returns early, without error, when the run is aborted.
    ///
    /// # Errors
    /// The first connection that fails.
    pub(crate) fn run(&mut self) -> Result<(), Fault> {
        while self.achieved < self.share.numbers.len() && self.control.phase() == Phase::Connect {
            self.begin_some()?;
            match self.epoll.wait(self.events, None) {
                Err(errno) if !errno.interrupted() => {
                    return Err(Fault::setup("wait for connections", errno));
                }
                _ => {}
            }
            self.finish_some()?;
            self.control.publish(Tally { connections: self.achieved as u64, ..Tally::default() });
        }
        Ok(())
    }

    fn begin_some(&mut self) -> Result<(), Fault> {
        let wanted = self.share.numbers.len().min(self.achieved + UNDER_WAY_MAX);
        while self.flows.len() < wanted {
            let number = self.share.numbers.start + self.flows.len() as u32;
            let options = StreamOptions { nodelay: self.share.nodelay };
            let connected = socket::connect(self.share.address, options);
            let flow =
                Flow::new(number, connected.map_err(|errno| fault(self.share.address, number, errno))?);
            self.epoll
                .add(flow.as_fd(), self.flows.len() as u64, Interest::STREAM_EDGE)
                .map_err(|errno| Fault::setup(format!("watch connection {number}"), errno))?;
            self.flows.push(flow);
        }
        Ok(())
    }

    fn finish_some(&mut self) -> Result<(), Fault> {
        for index in 0..self.events.len() {
            let (user_data, readiness) = self.events.get(index);
            if user_data == WAKE {
                continue;
            }
            let flow = &mut self.flows[user_data as usize];
            flow.note(readiness);
            if !flow.is_connected && flow.is_writable {
                let number = flow.number;
                socket::take_error(flow.as_fd()).map_err(|errno| fault(self.share.address, number, errno))?;
                if is_with_itself(flow, self.share.address) {
                    return Err(Fault::Itself { address: self.share.address, connection: number });
                }
                self.flows[user_data as usize].is_connected = true;
                self.achieved += 1;
            }
        }
        Ok(())
    }
}

/// Whether `flow`, connected to `address`, is its own peer.
///
/// Where nothing listens at a port that the kernel also gives to connecting sockets, it may give a socket the very port
/// that it connects to. TCP then sees both ends open at once, and what is sent comes back. Source: RFC 9293, 3.5.
fn is_with_itself(flow: &Flow, address: SocketAddr) -> bool {
    socket::local_addr(flow.as_fd()).is_ok_and(|local| {
        // Connecting to the unspecified address is connecting to this host.
        local.port() == address.port() && (local.ip() == address.ip() || address.ip().is_unspecified())
    })
}

fn fault(address: SocketAddr, connection: u32, errno: Errno) -> Fault {
    match errno.0 {
        libc::ECONNREFUSED => Fault::Refused { address },
        libc::EADDRNOTAVAIL => Fault::Ports { address, connection },
        _ => Fault::Connect { address, connection, errno },
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::client::threads::control::Command;

    /// Connects one flow to `address`.
    fn connect_to(address: SocketAddr) -> Result<(), Fault> {
        let (_command, mut controls) = Command::new(1).unwrap();
        Connector {
            share: &Share { address, nodelay: true, numbers: 0..1 },
            epoll: &Epoll::new().unwrap(),
            events: &mut Events::with_capacity(8),
            control: &controls.pop().unwrap(),
            flows: &mut Vec::new(),
            achieved: 0,
        }
        .run()
    }

    /// A port where nothing listens and that the kernel gives to sockets that connect.
    fn port_of_a_connection() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.local_addr().unwrap().port()
    }

    #[test]
    fn a_connection_with_itself_is_refused_under_any_name_of_this_host() {
        let port = port_of_a_connection();
        for host in ["127.0.0.1", "0.0.0.0"] {
            let address = format!("{host}:{port}").parse().unwrap();
            // The kernel goes through its ports one after the other, so that this one's turn comes.
            let mut faults = (0..100_000).map(|_| connect_to(address).unwrap_err());
            let fault =
                faults.find(|fault| fault.word() != "refused").expect("it connects to itself in the end");
            assert_eq!(fault.word(), "itself", "{fault}");
        }
    }

    #[test]
    fn each_way_to_fail_has_its_remedy() {
        let reason = |errno| fault("127.0.0.1:9919".parse().unwrap(), 28_232, Errno(errno)).reason();
        assert!(reason(libc::ECONNREFUSED).contains("start a server"));
        assert!(reason(libc::EADDRNOTAVAIL).contains("net.ipv4.ip_local_port_range"));
        assert!(reason(libc::ENETUNREACH).starts_with("connect: connection 28232 to 127.0.0.1:9919 failed"));
    }
}
