//! What a wait for completions passes to the kernel beside a count: a limit of time, in one of three ways.
//!
//! Source: io_uring_enter(2), io_uring_enter2(2), io_uring_register_region(3), and linux/io_uring.h for the structs.

use std::io;
use std::os::fd::RawFd;
use std::ptr;

use io_uring::types::Timespec;

use super::Errno;
use super::map::Map;
use crate::units::Nanos;

const ENTER_EXT_ARG: u32 = 1 << 3;
const ENTER_EXT_ARG_REG: u32 = 1 << 6;
const REGISTER_MEM_REGION: u32 = 34;

/// How to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitMode {
    /// For one completion.
    Plain,
    /// For `count` completions, but no longer than `span` if there is one (6.12).
    Batch {
        /// Completions to wait for.
        count: u32,
        /// For how long, at microsecond resolution.
        span: Nanos,
    },
    /// As plain, the limit of time in memory that the kernel has mapped once (6.13).
    Region,
}

/// struct io_uring_getevents_arg.
#[repr(C)]
#[derive(Default)]
struct GeteventsArg {
    sigmask: u64,
    sigmask_sz: u32,
    min_wait_usec: u32,
    ts: u64,
}

/// struct io_uring_reg_wait.
#[repr(C)]
#[derive(Default)]
struct RegWait {
    ts_sec: i64,
    ts_nsec: i64,
    min_wait_usec: u32,
    flags: u32,
    sigmask: u64,
    sigmask_sz: u32,
    pad: [u32; 3],
    pad2: [u64; 2],
}

const REG_WAIT_TS: u32 = 1 << 0;
const PAGE_BYTES: usize = 4096;

/// How this process waits, and the memory that this takes.
pub(super) struct Waiting {
    mode: WaitMode,
    region: Option<Map>,
}

impl Waiting {
    /// Waiting in `mode` on the ring `ring_fd`, which is not enabled yet if the mode is [`WaitMode::Region`].
    ///
    /// # Errors
    /// EINVAL on a kernel that does not know the mode; ENOMEM.
    pub(super) fn new(mode: WaitMode, ring_fd: RawFd) -> io::Result<Self> {
        let region = match mode {
            WaitMode::Region => Some(register_region(ring_fd)?),
            WaitMode::Plain | WaitMode::Batch { .. } => None,
        };
        Ok(Self { mode, region })
    }

    /// Submits `to_submit` entries of the ring `fd` and waits for `min_complete` completions, until `timeout` has passed.
    pub(super) fn enter(
        &mut self,
        fd: RawFd,
        flags: u32,
        to_submit: u32,
        min_complete: u32,
        timeout: Option<Nanos>,
    ) -> Result<usize, Errno> {
        let span = timeout.map(|span| Timespec::from(std::time::Duration::from(span)));
        let ts = span.as_ref().map_or(0, |span| ptr::from_ref(span) as u64);
        match (self.mode, timeout) {
            (WaitMode::Batch { count, span }, _) if min_complete == 1 => {
                let min_wait_usec = u32::try_from(span.0 / 1000).unwrap_or(u32::MAX);
                let arg = GeteventsArg { min_wait_usec, ts, ..GeteventsArg::default() };
                enter(
                    fd,
                    flags | ENTER_EXT_ARG,
                    to_submit,
                    count,
                    ptr::from_ref(&arg) as usize,
                    size_of_val(&arg),
                )
            }
            (_, None) => enter(fd, flags, to_submit, min_complete, 0, 0),
            (WaitMode::Region, Some(timeout)) => {
                self.write_region(timeout);
                let flags = flags | ENTER_EXT_ARG | ENTER_EXT_ARG_REG;
                enter(fd, flags, to_submit, min_complete, 0, size_of::<RegWait>())
            }
            (_, Some(_)) => {
                let arg = GeteventsArg { ts, ..GeteventsArg::default() };
                let (address, size) = (ptr::from_ref(&arg) as usize, size_of_val(&arg));
                enter(fd, flags | ENTER_EXT_ARG, to_submit, min_complete, address, size)
            }
        }
    }

    fn write_region(&mut self, timeout: Nanos) {
        let region = self.region.as_ref().expect("a region is registered for this mode");
        let span = std::time::Duration::from(timeout);
        let wait = RegWait {
            ts_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
            ts_nsec: i64::from(span.subsec_nanos()),
            flags: REG_WAIT_TS,
            ..RegWait::default()
        };
        // SAFETY: the mapping is a page, aligned as a page, and so has room for one struct. The kernel reads it only inside
        // of an enter, and this thread, the only one that enters, is not in one.
        unsafe { region.base().cast::<RegWait>().as_ptr().write(wait) };
    }
}

/// io_uring_enter2(2), with an argument of `size` bytes at `address`, or at that offset of the region.
fn enter(
    fd: RawFd,
    flags: u32,
    to_submit: u32,
    min_complete: u32,
    address: usize,
    size: usize,
) -> Result<usize, Errno> {
    // SAFETY: `address` is 0, an offset, or that of a valid argument whose `ts` is 0 or points at a timespec; both outlive
    // the call. The entries that get submitted were vouched for by whoever pushed them.
    let result =
        unsafe { libc::syscall(libc::SYS_io_uring_enter, fd, to_submit, min_complete, flags, address, size) };
    Errno::check_len(result as isize)
}

/// A page that the ring `ring_fd` takes arguments of waits from.
fn register_region(ring_fd: RawFd) -> io::Result<Map> {
    /// struct io_uring_region_desc.
    #[repr(C)]
    #[derive(Default)]
    struct RegionDesc {
        user_addr: u64,
        size: u64,
        flags: u32,
        id: u32,
        mmap_offset: u64,
        resv: [u64; 4],
    }
    /// struct io_uring_mem_region_reg.
    #[repr(C)]
    struct MemRegionReg {
        region_uptr: u64,
        flags: u64,
        resv: [u64; 2],
    }
    const USER_MEMORY: u32 = 1 << 0;
    const WAIT_ARGUMENTS: u64 = 1 << 0;
    let map = Map::new(PAGE_BYTES)?;
    let user_addr = map.base().as_ptr() as u64;
    let mut desc =
        RegionDesc { user_addr, size: PAGE_BYTES as u64, flags: USER_MEMORY, ..RegionDesc::default() };
    let mut request =
        MemRegionReg { region_uptr: (&raw mut desc) as u64, flags: WAIT_ARGUMENTS, resv: [0; 2] };
    // SAFETY: `request` and the struct that it points at are valid and outlive the call. The page stays mapped as long as
    // `Waiting`, which is dropped after the ring.
    let result = unsafe {
        libc::syscall(libc::SYS_io_uring_register, ring_fd, REGISTER_MEM_REGION, &raw mut request, 1)
    };
    Errno::check_len(result as isize).map_err(|errno| io::Error::from_raw_os_error(errno.0))?;
    Ok(map)
}

const _: () = assert!(size_of::<RegWait>() == 64 && size_of::<GeteventsArg>() == 24);
