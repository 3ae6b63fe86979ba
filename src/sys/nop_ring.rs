//! A ring that is asked for nothing, to see what asking costs.

use std::io;

use io_uring::{IoUring, opcode};

/// A ring of operations that do nothing (IORING_OP_NOP).
pub struct NopRing {
    ring: IoUring,
    batch: usize,
}

impl NopRing {
    /// One that submits `batch` operations in each call, set up as the server's ring is.
    ///
    /// # Errors
    /// When there is no io_uring, or not that set-up.
    pub fn new(batch: usize) -> io::Result<Self> {
        let entries = u32::try_from(batch).unwrap_or(u32::MAX);
        let mut builder = IoUring::builder();
        builder.setup_coop_taskrun().setup_single_issuer().setup_defer_taskrun();
        Ok(Self { ring: builder.build(entries)?, batch })
    }

    /// Submits a batch in one system call, waits for all of it, and takes its completions.
    ///
    /// # Errors
    /// Those of io_uring_enter(2).
    pub fn round(&mut self) -> io::Result<()> {
        let mut queue = self.ring.submission();
        for _ in 0..self.batch {
            // SAFETY: the operation names no descriptor and no memory.
            unsafe { queue.push(&opcode::Nop::new().build()) }.map_err(io::Error::other)?;
        }
        drop(queue);
        self.ring.submit_and_wait(self.batch)?;
        self.ring.completion().for_each(drop);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_completes_all_that_it_submits_and_the_next_one_does_too() {
        let mut ring = NopRing::new(4).unwrap();
        for _ in 0..3 {
            ring.round().unwrap();
            assert_eq!(ring.ring.submission().len(), 0);
            assert_eq!(ring.ring.completion().len(), 0);
        }
    }
}
