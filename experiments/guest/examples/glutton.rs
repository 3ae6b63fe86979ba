//! Takes memory until there is none, to see what becomes of a guest that works beyond its means.

use std::hint::black_box;

const CHUNK_BYTES: usize = 1 << 20;

fn main() {
    let mut taken = Vec::new();
    loop {
        // Written, not only reserved: the kernel gives a page when it is touched.
        taken.push(black_box(vec![1_u8; CHUNK_BYTES]));
        println!("{} MiB", taken.len());
    }
}
