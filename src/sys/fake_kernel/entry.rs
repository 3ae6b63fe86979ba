//! What an entry of the submission queue asks for, read from the 64 bytes that the kernel would read.

use io_uring::{opcode, squeue};

use super::world::{FileNumber, Mark};

const FIXED_FILE: u8 = 1 << 0;
const IO_LINK: u8 = 1 << 2;
const IO_HARDLINK: u8 = 1 << 3;
const BUFFER_SELECT: u8 = 1 << 5;
const ACCEPT_MULTISHOT: u16 = 1 << 0;
const RECV_POLL_FIRST: u16 = 1 << 0;
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
    file_index: u32,
    rest: [u64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Accept {
        multishot: bool,
    },
    Recv {
        bytes_max: usize,
        poll_first: bool,
    },
    Send {
        addr: u64,
        len: usize,
        wait_all: bool,
        zero_copy: bool,
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

/// How the next entry depends on this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    None,
    /// It is cancelled if this one falls short (IOSQE_IO_LINK).
    Soft,
    /// It follows whatever comes of this one (IOSQE_IO_HARDLINK).
    Hard,
}

impl Link {
    const fn of(flags: u8) -> Self {
        if flags & IO_HARDLINK != 0 {
            Self::Hard
        } else if flags & IO_LINK != 0 {
            Self::Soft
        } else {
            Self::None
        }
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) what: What,
    pub(super) file: FileNumber,
    pub(super) user_data: u64,
    /// Whether the next entry waits for this one.
    pub(super) link: Link,
    /// The entry that waits for this one.
    pub(super) then: Option<Box<Entry>>,
    /// It has looked at its socket once and found nothing.
    pub(super) waits: bool,
    /// What a send has brought away so far.
    pub(super) sent_bytes: usize,
    /// Those bytes, if they are to be read again.
    pub(super) read_again: Vec<u8>,
    /// Its peer when a poll last looked.
    pub(super) mark: Option<Mark>,
}

impl Entry {
    /// # Panics
    /// On an entry that Linux would refuse, or that an echo server has no business with.
    pub(super) fn read(entry: &squeue::Entry, direct: bool) -> Self {
        const { assert!(size_of::<RawEntry>() == 64 && size_of::<squeue::Entry>() == 64) };
        // SAFETY: both are `repr(C)`, of 64 bytes and made of integers; the crate zeroes an entry before it fills it in.
        let raw = unsafe { std::ptr::from_ref(entry).cast::<RawEntry>().read() };
        let what = raw.what();
        let transfers = matches!(what, What::Recv { .. } | What::Send { .. } | What::Shutdown);
        assert!(!transfers || direct == (raw.flags & FIXED_FILE != 0), "{what:?} of the wrong kind of file");
        let file = match what {
            What::Close if direct => raw.file_index.cast_signed() - 1,
            What::Close | What::Watch { .. } => raw.fd,
            What::Recv { .. } | What::Send { .. } | What::Shutdown => raw.fd,
            _ => -1,
        };
        let link = Link::of(raw.flags);
        Self {
            what,
            file,
            user_data: raw.user_data,
            link,
            then: None,
            waits: false,
            sent_bytes: 0,
            read_again: Vec::new(),
            mark: None,
        }
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

    pub(super) const fn transfers(&self) -> bool {
        matches!(self.what, What::Recv { .. } | What::Send { .. } | What::Notify { .. })
    }

    pub(super) const fn sends(&self) -> bool {
        matches!(self.what, What::Send { .. })
    }

    /// Whether its file stays open as long as it is outstanding.
    pub(super) const fn holds(&self) -> bool {
        self.transfers() || matches!(self.what, What::Watch { .. })
    }
}

impl RawEntry {
    fn what(self) -> What {
        let (len, flags) = (self.len as usize, self.op_flags.cast_signed());
        match self.opcode {
            opcode::Accept::CODE => What::Accept { multishot: self.ioprio & ACCEPT_MULTISHOT != 0 },
            opcode::Recv::CODE => {
                assert!(self.flags & BUFFER_SELECT != 0 && self.addr == 0, "a receive brings its own buffer");
                What::Recv { bytes_max: len, poll_first: self.ioprio & RECV_POLL_FIRST != 0 }
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
