//! What an entry of the submission queue asks for, read from the 64 bytes that the kernel would read.

use io_uring::{opcode, squeue};

use super::world::{FileNumber, Mark};

const FIXED_FILE: u8 = 1 << 0;
const IO_LINK: u8 = 1 << 2;
const BUFFER_SELECT: u8 = 1 << 5;
const CQE_SKIP_SUCCESS: u8 = 1 << 6;
const ACCEPT_MULTISHOT: u16 = 1 << 0;
const RECV_POLL_FIRST: u16 = 1 << 0;
const RECV_MULTISHOT: u16 = 1 << 1;
const RECV_BUNDLE: u16 = 1 << 4;
const CANCEL_ANY: u32 = 1 << 2;
const POLL_ADD_MULTI: u32 = 1 << 0;

/// struct io_uring_sqe of linux/io_uring.h, as far as an echo server fills it in.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawEntry {
    opcode: u8,
    flags: u8,
    ioprio: u16,
    fd: i32,
    off: u64,
    addr: u64,
    len: u32,
    op_flags: u32,
    user_data: u64,
    buf_group: u16,
    personality: u16,
    /// Of a close, the place in the table; of a receive, the limit of all it receives (`optlen`).
    file_index: u32,
    rest: [u64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Accept {
        multishot: bool,
    },
    Recv(Recv),
    RecvInto {
        addr: u64,
        len: usize,
        poll_first: bool,
    },
    Send {
        addr: u64,
        len: usize,
        wait_all: bool,
        zero_copy: bool,
    },
    /// A send of the segments that the header at this address names when the entry is taken.
    SendVector {
        header: u64,
        wait_all: bool,
    },
    /// What is left of a send without a copy: to say that its bytes have been read.
    Notify {
        addr: u64,
    },
    Shutdown,
    Close,
    Poll,
    /// A multishot poll, of a connection.
    Watch {
        asked: u32,
    },
    Cancel {
        target: u64,
    },
    CancelAll,
}

/// A receive into a provided buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recv {
    /// Most bytes of one completion; 0 is whatever fits.
    pub(super) bytes_max: usize,
    pub(super) poll_first: bool,
    pub(super) bundle: bool,
    pub(super) group: u16,
    pub(super) multishot: bool,
    /// Most bytes of all completions; 0 is no limit.
    pub(super) total_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) what: What,
    pub(super) file: FileNumber,
    pub(super) user_data: u64,
    /// Whether the next entry waits for this one, and is cancelled if it falls short (IOSQE_IO_LINK).
    pub(super) linked: bool,
    /// It completes only if it falls short (IOSQE_CQE_SKIP_SUCCESS), and then what waits for it does not.
    pub(super) quiet: bool,
    /// The entry that waits for this one.
    pub(super) then: Option<Box<Entry>>,
    /// It has looked at its socket once and found nothing.
    pub(super) waits: bool,
    /// What a send has brought away so far.
    pub(super) sent_bytes: usize,
    /// What a receive has received so far.
    pub(super) received_bytes: usize,
    /// What a send has sent, if that is to be read again.
    pub(super) read_again: Vec<u8>,
    /// Its peer when a poll last looked.
    pub(super) mark: Option<Mark>,
    /// Address and length of each part of a send of several.
    pub(super) segments: Vec<(u64, usize)>,
}

impl Entry {
    /// # Panics
    /// On an entry that Linux would refuse, or that an echo server has no business with.
    pub(super) fn read(entry: &squeue::Entry, direct: bool) -> Self {
        const { assert!(size_of::<RawEntry>() == 64 && size_of::<squeue::Entry>() == 64) };
        // SAFETY: both are `repr(C)`, of 64 bytes and made of integers; the crate zeroes an entry before it fills it in.
        let raw = unsafe { std::ptr::from_ref(entry).cast::<RawEntry>().read() };
        let what = raw.what();
        let transfers = what.transfers() || what == What::Shutdown;
        assert!(!transfers || direct == (raw.flags & FIXED_FILE != 0), "{what:?} of the wrong kind of file");
        let file = match what {
            What::Close if direct => raw.file_index.cast_signed() - 1,
            What::Watch { .. } => raw.fd,
            _ if transfers || what == What::Close => raw.fd,
            _ => -1,
        };
        let (linked, quiet) = (raw.flags & IO_LINK != 0, raw.flags & CQE_SKIP_SUCCESS != 0);
        assert!(linked || !quiet, "{what:?} is never heard of again");
        assert!(
            !linked || matches!(what, What::Send { wait_all: true, .. }),
            "{what:?} does not break its link"
        );
        Self {
            what,
            file,
            user_data: raw.user_data,
            linked,
            quiet,
            then: None,
            waits: false,
            sent_bytes: 0,
            received_bytes: 0,
            read_again: Vec::new(),
            mark: None,
            segments: Vec::new(),
        }
    }

    /// Copies what the entry points at, as the kernel does when it takes an entry from the queue.
    pub(super) fn import(&mut self) {
        let What::SendVector { header, .. } = self.what else { return };
        // SAFETY: the server left a header and its segments there, and does not touch them before the entry is taken.
        let segments = unsafe {
            let header = &*(header as *const libc::msghdr);
            std::slice::from_raw_parts(header.msg_iov, header.msg_iovlen)
        };
        self.segments = segments.iter().map(|one| (one.iov_base as u64, one.iov_len)).collect();
        assert!(self.segments.iter().all(|segment| segment.1 > 0), "a segment of no bytes is sent");
    }

    /// Whether it is a receive that may fill several buffers.
    pub(super) const fn is_bundle(&self) -> bool {
        matches!(self.what, What::Recv(Recv { bundle: true, .. }))
    }

    /// Whether `result` breaks a chain: an error, or a send that was to wait for all and did not send all.
    pub(super) fn falls_short(&self, result: i32) -> bool {
        match self.what {
            What::Send { len, wait_all: true, .. } => {
                usize::try_from(result).is_ok_and(|sent| sent < len) || result < 0
            }
            _ => result < 0,
        }
    }

    /// Whether a cancellation finds it.
    pub(super) const fn can_be_cancelled(&self) -> bool {
        !matches!(self.what, What::Notify { .. })
    }

    pub(super) const fn sends(&self) -> bool {
        matches!(self.what, What::Send { .. } | What::SendVector { .. })
    }

    /// Whether it, or what waits for it, keeps `file` open.
    pub(super) fn uses(&self, file: FileNumber) -> bool {
        let holds = self.what.transfers() || matches!(self.what, What::Watch { .. });
        (self.file == file && holds) || self.then.as_ref().is_some_and(|next| next.uses(file))
    }

    /// Whether a send is to read what a receive may write, were both running.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        match (self.what, other.what) {
            (What::RecvInto { addr, len, .. }, What::Send { addr: sent, len: sent_len, .. })
            | (What::Send { addr: sent, len: sent_len, .. }, What::RecvInto { addr, len, .. }) => {
                addr < sent + sent_len as u64 && sent < addr + len as u64
            }
            _ => false,
        }
    }
}

impl What {
    pub(super) const fn transfers(self) -> bool {
        matches!(
            self,
            Self::Recv(_)
                | Self::RecvInto { .. }
                | Self::Send { .. }
                | Self::SendVector { .. }
                | Self::Notify { .. }
        )
    }
}

impl RawEntry {
    fn recv(self) -> What {
        let (bytes_max, total_bytes) = (self.len as usize, self.file_index as usize);
        let has = |flag: u16| self.ioprio & flag != 0;
        let (poll_first, bundle, multishot) = (has(RECV_POLL_FIRST), has(RECV_BUNDLE), has(RECV_MULTISHOT));
        let provided = self.flags & BUFFER_SELECT != 0;
        assert!(provided == (self.addr == 0), "a receive has one buffer, its own or a provided one");
        assert!(provided || !multishot && !bundle, "a receive goes on where it has received already");
        if !provided {
            return What::RecvInto { addr: self.addr, len: bytes_max, poll_first };
        }
        // Before Linux 6.17, which brought both, a multishot receive with a length was refused.
        assert!(
            !multishot || bytes_max == 0 || total_bytes > 0,
            "a multishot receive with a length and no limit"
        );
        assert!(multishot || total_bytes == 0, "a single receive with a limit");
        assert!(!multishot || !bundle, "a multishot receive of bundles");
        What::Recv(Recv { bytes_max, poll_first, bundle, group: self.buf_group, multishot, total_bytes })
    }

    fn what(self) -> What {
        let (len, flags) = (self.len as usize, self.op_flags.cast_signed());
        match self.opcode {
            opcode::Accept::CODE => What::Accept { multishot: self.ioprio & ACCEPT_MULTISHOT != 0 },
            opcode::Recv::CODE => self.recv(),
            opcode::SendMsg::CODE => {
                assert!(flags & libc::MSG_NOSIGNAL != 0, "a send that may raise SIGPIPE");
                assert!(self.addr != 0, "a message without a header");
                What::SendVector { header: self.addr, wait_all: flags & libc::MSG_WAITALL != 0 }
            }
            opcode::Send::CODE | opcode::SendZc::CODE => {
                assert!(flags & libc::MSG_NOSIGNAL != 0, "a send that may raise SIGPIPE");
                let (wait_all, zero_copy) =
                    (flags & libc::MSG_WAITALL != 0, self.opcode == opcode::SendZc::CODE);
                What::Send { addr: self.addr, len, wait_all, zero_copy }
            }
            opcode::Shutdown::CODE => What::Shutdown,
            opcode::Close::CODE => What::Close,
            opcode::PollAdd::CODE if self.len == POLL_ADD_MULTI => What::Watch { asked: self.op_flags },
            opcode::PollAdd::CODE => What::Poll,
            opcode::AsyncCancel::CODE if self.op_flags & CANCEL_ANY != 0 => What::CancelAll,
            opcode::AsyncCancel::CODE if self.op_flags == 0 => What::Cancel { target: self.addr },
            other => panic!("opcode {other} is nothing that an echo server asks for"),
        }
    }
}
