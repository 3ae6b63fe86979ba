//! Anonymous memory, mapped and not yet touched: a page costs nothing until it is written.

use std::ops::Range;
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};
use std::{io, slice};

/// A private anonymous mapping. Page-aligned, zeroed, unmapped on drop.
#[derive(Debug)]
pub struct Map {
    base: NonNull<u8>,
    len: usize,
}

impl Map {
    /// Maps `len` bytes without reserving swap for them.
    ///
    /// # Errors
    /// ENOMEM when the address space or the overcommit limit is exhausted.
    pub fn new(len: usize) -> io::Result<Self> {
        let len = len.max(1);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { base: NonNull::new(base.cast()).expect("mmap does not place a mapping at 0"), len })
    }

    /// Maps `len` bytes of `fd` from `offset` on, shared with whoever else has them.
    ///
    /// # Errors
    /// Those of mmap(2).
    pub(super) fn of_file(fd: RawFd, offset: i64, len: usize) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists; the kernel validates
        // the descriptor and the offset.
        let base = unsafe { libc::mmap(ptr::null_mut(), len, access, libc::MAP_SHARED, fd, offset) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { base: NonNull::new(base.cast()).expect("mmap does not place a mapping at 0"), len })
    }

    /// First byte of the mapping.
    pub(super) const fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The bytes of `range`.
    ///
    /// # Panics
    /// If it is out of bounds.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of a map of {}", self.len);
        // SAFETY: the range is inside the mapping, which is initialised (by the kernel) and lives as long
        // as `self`; the shared borrow of `self` excludes `bytes_mut`.
        unsafe { slice::from_raw_parts(self.base.as_ptr().add(range.start), range.len()) }
    }

    /// The bytes of `range`, writable.
    ///
    /// # Panics
    /// If it is out of bounds.
    pub fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of a map of {}", self.len);
        // SAFETY: as in `bytes`; the exclusive borrow of `self` makes this the only view.
        unsafe { slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len()) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are those of a mapping made in `new` and unmapped nowhere else; no borrow of it
        // outlives `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}
