//! Brings the loopback interface up, as `ip link set lo up` does: one request over a netlink socket and its answer.

use std::io;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// The loopback interface has this index in every network namespace.
const LOOPBACK: u32 = 1;

// From linux/netlink.h, linux/rtnetlink.h and linux/if.h.
const RTM_NEWLINK: u16 = 16;
const NLM_F_REQUEST: u16 = 1 << 0;
const NLM_F_ACK: u16 = 1 << 2;
const NLMSG_ERROR: u16 = 2;
const IFF_UP: u32 = 1 << 0;

/// Length of a struct nlmsghdr.
const HEADER_BYTES: usize = 16;

/// Brings the loopback interface up; the kernel then gives it 127.0.0.1 and ::1. Source: rtnetlink(7).
///
/// # Errors
/// EPERM without CAP_NET_ADMIN, ENODEV when there is no such interface.
pub(crate) fn bring_up() -> io::Result<()> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    rustix::net::send(&socket, &request(), SendFlags::empty())?;
    let mut answer = [0; 256];
    let (count, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    outcome(&answer[..count])
}

/// A struct nlmsghdr that asks for an answer, and a struct ifinfomsg that changes the one flag.
fn request() -> [u8; 2 * HEADER_BYTES] {
    let halves = |[first, second]: [u16; 2]| {
        let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
        [a, b, c, d]
    };
    let words = [
        (2 * HEADER_BYTES as u32).to_ne_bytes(),
        halves([RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK]),
        [0; 4], // Sequence number: there is one request.
        [0; 4], // Port: the kernel fills it in.
        [0; 4], // Family and type: any.
        LOOPBACK.to_ne_bytes(),
        IFF_UP.to_ne_bytes(),
        IFF_UP.to_ne_bytes(), // Which flags to change.
    ];
    let mut request = [0; 2 * HEADER_BYTES];
    request.iter_mut().zip(words.as_flattened()).for_each(|(to, from)| *to = *from);
    request
}

/// What a struct nlmsghdr of kind NLMSG_ERROR says: zero, or a negated errno after it.
fn outcome(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
    let error = answer
        .get(HEADER_BYTES..)
        .and_then(|rest| rest.first_chunk())
        .map(|error| i32::from_ne_bytes(*error));
    match (kind, error) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(error)) => Err(Errno::from_raw_os_error(-error).into()),
        _ => Err(io::Error::other(format!("the kernel answered {answer:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bringing_up_a_loopback_that_is_up_succeeds_or_wants_privilege() {
        if let Err(error) = bring_up() {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
        }
    }

    #[test]
    fn an_answer_is_zero_or_an_errno_after_its_header() {
        let answer = |error: i32| {
            let mut answer = vec![0; HEADER_BYTES];
            answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
            answer.extend(error.to_ne_bytes());
            answer
        };
        assert!(outcome(&answer(0)).is_ok());
        let denied = outcome(&answer(-Errno::PERM.raw_os_error())).unwrap_err();
        assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied);
        assert!(outcome(&answer(0)[..HEADER_BYTES]).is_err(), "an answer that is cut short");
    }
}
