//! What a connection sends: bytes that say whose they are and where they belong.
//!
//! All connections cut their bytes out of one random table, each from its own start, so that checking is one
//! `memcmp` and a lost, doubled, reordered or foreign byte shows as soon as the next few are compared. The length of
//! the table is a prime: no whole number of buffers that a server could lose is a whole number of its periods.

use std::fmt;
use std::sync::LazyLock;

/// Bytes after which the pattern repeats.
const PERIOD: usize = 1_048_573;

static TABLE: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..PERIOD).map(|_| (scramble(&mut state) >> 56) as u8).collect()
});

/// The splitmix64 generator: one step, one number.
fn scramble(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The endless byte sequence of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    start: usize,
}

/// The first byte that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Position in the stream.
    pub(crate) at: u64,
    /// The byte sent there.
    pub(crate) expected: u8,
    /// The byte that came back.
    pub(crate) found: u8,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} came back as {:#04x}, sent was {:#04x}", self.at, self.found, self.expected)
    }
}

impl Pattern {
    /// The sequence of connection `id`.
    pub(crate) fn new(id: u64) -> Self {
        let mut state = id;
        Self { start: (scramble(&mut state) % PERIOD as u64) as usize }
    }

    /// The bytes from `position` on, as many as are contiguous up to `len`; at least one unless `len` is zero.
    pub(crate) fn slice(self, position: u64, len: usize) -> &'static [u8] {
        let from = (self.start + (position % PERIOD as u64) as usize) % PERIOD;
        &TABLE[from..PERIOD.min(from + len)]
    }

    /// Compares `bytes` with those that belong at `position`.
    pub(crate) fn check(self, position: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        let mut done = 0;
        while done < bytes.len() {
            let expected = self.slice(position + done as u64, bytes.len() - done);
            let found = &bytes[done..done + expected.len()];
            if let Some(index) = first_difference(expected, found) {
                let at = position + (done + index) as u64;
                return Err(Mismatch { at, expected: expected[index], found: found[index] });
            }
            done += expected.len();
        }
        Ok(())
    }
}

fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    if left == right { None } else { left.iter().zip(right).position(|(a, b)| a != b) }
}
