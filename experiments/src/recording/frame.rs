//! One document as one zstd frame, and what it is compressed beside.
//!
//! Records of one recording differ in little but their numbers, so the first documents are the dictionary of those behind
//! them, as raw content: a frame without it is three times as long. A frame holds a checksum and the length of its
//! document, so a torn one is known by itself.

use std::io::{self, Read};

use zstd::bulk::Compressor;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::CParameter;

/// 7 ms for a record of 25 KB. Level 3 takes less than a tenth of it and needs 6 % more.
const LEVEL: i32 = 19;

/// A dictionary of this length takes no further document. The first document alone needs 4 % more, all documents 3 % less
/// and ten times as long.
const DICTIONARY_BYTES: usize = 64 << 10;

/// The first documents of a recording, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dictionary(Vec<u8>);

impl Dictionary {
    /// Of all documents in `frames`, which begins with a recording's first frame, that it takes; and where the last of
    /// them ends.
    ///
    /// # Errors
    /// When a frame is torn or changed.
    pub(super) fn of(frames: &[u8]) -> io::Result<(Self, usize)> {
        let (mut dictionary, mut rest) = (Self::default(), frames);
        while !rest.is_empty() && !dictionary.is_full() {
            let mut decoder = Decoder::with_dictionary(rest, &dictionary.0)?.single_frame();
            let mut document = Vec::new();
            decoder.read_to_end(&mut document)?;
            rest = decoder.finish();
            dictionary.take(&document);
        }
        Ok((dictionary, frames.len() - rest.len()))
    }

    /// Takes `document`, which follows those before it, if it is not full yet.
    pub(super) fn take(&mut self, document: &[u8]) {
        if !self.is_full() {
            self.0.extend_from_slice(document);
        }
    }

    /// Whether it stays as it is.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= DICTIONARY_BYTES
    }

    /// `document` as a frame.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(super) fn encode(&self, document: &[u8]) -> io::Result<Vec<u8>> {
        let mut compressor = Compressor::with_dictionary(LEVEL, &self.0)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        compressor.compress(document)
    }

    /// The document in `frame`.
    ///
    /// # Errors
    /// When it is torn or changed.
    pub(super) fn decode(&self, frame: &[u8]) -> io::Result<Vec<u8>> {
        let mut document = Vec::new();
        Decoder::with_dictionary(frame, &self.0)?.read_to_end(&mut document)?;
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text of 14 KB that does not repeat itself, as `seed` says.
    fn document(seed: u64) -> Vec<u8> {
        let number = |n: u64| n.wrapping_add(seed << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        (0..2000).map(|n| format!("{},", number(n))).collect::<String>().into_bytes()
    }

    #[test]
    fn documents_come_back_from_their_frames_whatever_is_in_the_dictionary_by_then() {
        let (mut dictionary, mut frames) = (Dictionary::default(), Vec::<Vec<u8>>::new());
        for seed in 0..10 {
            let frame = dictionary.encode(&document(seed)).unwrap();
            assert_eq!(Dictionary::of(frames.concat().as_slice()).unwrap().0, dictionary);
            assert_eq!(dictionary.decode(&frame).unwrap(), document(seed));
            dictionary.take(&document(seed));
            frames.push(frame);
        }
        let taken = DICTIONARY_BYTES.div_ceil(document(0).len());
        let (whole, end) = Dictionary::of(frames.concat().as_slice()).unwrap();
        assert!(whole.is_full() && (1..10).contains(&taken));
        assert_eq!(end, frames[..taken].concat().len());
    }

    #[test]
    fn what_is_the_same_as_in_an_earlier_document_costs_next_to_nothing() {
        let mut dictionary = Dictionary::default();
        let alone = dictionary.encode(&document(1)).unwrap().len();
        dictionary.take(&document(1));
        let again = dictionary.encode(&document(1)).unwrap();
        assert!(again.len() * 20 < alone, "{} of {alone} bytes", again.len());
        assert!(
            Dictionary::default().decode(&again).is_err(),
            "the second frame leans on the first document"
        );
    }

    #[test]
    fn a_frame_that_is_cut_short_anywhere_is_torn() {
        let dictionary = Dictionary::default();
        let frame = dictionary.encode(&document(1)).unwrap();
        for length in 1..frame.len() {
            assert!(dictionary.decode(&frame[..length]).is_err(), "{length} of {} bytes", frame.len());
            assert!(Dictionary::of(&frame[..length]).is_err(), "{length} of {} bytes", frame.len());
        }
    }
}
