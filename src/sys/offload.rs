//! Offloads of a network device, which the kernel shows to ioctl(2) and to no file.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::{io, mem};

use super::Errno;

/// What can be asked for, and how. Source: linux/ethtool.h.
const QUESTIONS: [(&str, u32); 6] =
    [("rx-checksum", 0x14), ("tx-checksum", 0x16), ("sg", 0x18), ("tso", 0x1e), ("gso", 0x23), ("gro", 0x2b)];

/// `SIOCETHTOOL` of linux/sockios.h.
const SIOCETHTOOL: u64 = 0x8946;

/// `struct ethtool_value` of linux/ethtool.h.
#[repr(C)]
struct Value {
    question: u32,
    answer: u32,
}

/// Which of its offloads `device` uses, by their names for ethtool(8).
///
/// # Errors
/// When there is no such device, or it answers no such question.
pub fn offloads(device: &str) -> io::Result<Vec<(&'static str, bool)>> {
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    let ask = |(name, question)| Ok((name, ask(&socket, device, question)? != 0));
    QUESTIONS.into_iter().map(ask).collect()
}

fn ask(socket: &UdpSocket, device: &str, question: u32) -> io::Result<u32> {
    // SAFETY: ifreq is integers and a pointer, for which zero is valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    if device.len() >= request.ifr_name.len() || !device.is_ascii() {
        return Err(io::Error::other(format!("'{device}' is no name of a device")));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(device.bytes()) {
        *to = from.cast_signed();
    }
    let mut value = Value { question, answer: 0 };
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    // SAFETY: the request holds a name that ends in zero and points to a value that outlives the call; these questions
    // write nothing but its answer.
    Errno::check(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) })?;
    Ok(value.answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_device_answers_every_question() {
        let offloads = offloads("lo").unwrap();
        assert_eq!(offloads.len(), QUESTIONS.len());
        // Its packets never leave the machine, so that the kernel allows no one to turn scatter-gather off.
        assert!(offloads.contains(&("sg", true)), "{offloads:?}");
    }

    #[test]
    fn a_device_that_is_not_there_or_has_no_name_of_a_device_is_refused() {
        assert_eq!(offloads("no-such-device").unwrap_err().raw_os_error(), Some(libc::ENODEV));
        assert!(offloads("a-name-that-is-longer-than-any").is_err());
    }
}
