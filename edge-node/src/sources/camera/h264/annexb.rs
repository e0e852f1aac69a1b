//! NAL units and access units in an Annex B byte stream (ITU-T H.264, clauses 7.4.1.2.3 and B.1).
//!
//! In: bytes with start codes. Out: NAL units without them, or whole access units. An access unit begins at the first
//! parameter set, SEI or delimiter after a slice, or at a slice whose `first_mb_in_slice` is zero; arbitrary slice order
//! and redundant pictures (profiles that openh264 does not decode) are not told apart.

use std::io::{self, Read};

/// Largest access unit accepted, bytes: far above what a 4K key frame takes.
pub(crate) const MAX_ACCESS_UNIT_BYTES: usize = 16 << 20;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 << 10;

const NAL_SLICE: u8 = 1;
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;

/// A NAL unit without its start code; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nal<'a>(&'a [u8]);

impl<'a> Nal<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    fn kind(self) -> u8 {
        self.0[0] & 0x1F
    }

    pub(crate) fn is_sps(self) -> bool {
        self.kind() == NAL_SPS
    }

    pub(crate) fn is_parameter_set(self) -> bool {
        matches!(self.kind(), NAL_SPS | NAL_PPS)
    }

    pub(crate) fn is_idr(self) -> bool {
        self.kind() == NAL_IDR
    }

    pub(crate) fn is_slice(self) -> bool {
        (NAL_SLICE..=NAL_IDR).contains(&self.kind())
    }

    /// Whether this slice is bi-predicted (`slice_type` 1 or 6, clause 7.4.3).
    pub(crate) fn is_b_slice(self) -> bool {
        if self.kind() != NAL_SLICE {
            return false;
        }
        // Both numbers fit into the first bytes; a start-code emulation byte cannot occur before them unless the picture
        // has more than 2^15 macroblocks before this slice, which only later slices of the same picture have.
        let mut bits = Bits { bytes: &self.0[1..], at: 0 };
        bits.exp_golomb(); // first_mb_in_slice
        matches!(bits.exp_golomb(), Some(1 | 6))
    }

    /// Whether this NAL unit begins a new access unit, given that a slice has been seen in the current one.
    fn begins_access_unit(self) -> bool {
        match self.kind() {
            // first_mb_in_slice is ue(v): zero is the single bit 1.
            NAL_SLICE | 2 | NAL_IDR => self.0.get(1).is_some_and(|byte| byte & 0x80 != 0),
            6..=9 | 14..=18 => true,
            _ => false,
        }
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }

    fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let mut value = 0;
        for _ in 0..zeros {
            value = value << 1 | self.bit()?;
        }
        Some((1 << zeros) - 1 + value)
    }
}

/// Position of the next `00 00 01` in `bytes` from `from` on.
fn find_start_code(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // The third byte decides how far to jump: anything above 1 cannot be part of a start code that begins here.
    while let Some(&third) = bytes.get(at + 2) {
        match third {
            0 => at += 1,
            1 if bytes[at] == 0 && bytes[at + 1] == 0 => return Some(at),
            _ => at += 3,
        }
    }
    None
}

/// The NAL units of `annex_b`, trailing zero bytes removed.
pub(crate) fn nal_units(annex_b: &[u8]) -> impl Iterator<Item = Nal<'_>> {
    let mut start = find_start_code(annex_b, 0).map(|at| at + 3);
    std::iter::from_fn(move || {
        loop {
            let begin = start?;
            let next = find_start_code(annex_b, begin);
            start = next.map(|at| at + 3);
            let nal = &annex_b[begin..next.unwrap_or(annex_b.len())];
            let length = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            if let Some(nal) = Nal::new(&nal[..length]) {
                return Some(nal);
            }
        }
    })
}

/// Appends `nal` with a four-byte start code.
pub(crate) fn append_nal(annex_b: &mut Vec<u8>, nal: &[u8]) {
    annex_b.extend_from_slice(&[0, 0, 0, 1]);
    annex_b.extend_from_slice(nal);
}

/// Cuts a byte stream into access units.
pub(crate) struct AccessUnitReader<R> {
    input: R,
    /// Bytes read and not yet handed out; begins at a start code, once one was found.
    buffer: Vec<u8>,
    /// Position of `buffer[0]` in the input.
    offset: u64,
    /// Where in `buffer` the search goes on.
    searched: usize,
    /// Whether `buffer[..searched]` holds a slice.
    has_slice: bool,
    at_end: bool,
    chunk: Vec<u8>,
}

impl<R: Read> AccessUnitReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            offset: 0,
            searched: 0,
            has_slice: false,
            at_end: false,
            chunk: vec![0; CHUNK_BYTES],
        }
    }

    /// The next access unit and its byte position; `None` at the end of the input.
    ///
    /// # Errors
    /// The reader's, and `InvalidData` for an access unit above [`MAX_ACCESS_UNIT_BYTES`].
    pub(crate) fn next_unit(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        loop {
            // A NAL unit's first two bytes decide, so they must be there; at the end, whatever there is.
            while let Some(at) = find_start_code(&self.buffer, self.searched) {
                let Some(nal) = self.buffer.get(at + 3..at + 5).and_then(Nal::new) else { break };
                if self.has_slice && nal.begins_access_unit() {
                    // The zero byte of a four-byte start code belongs to the NAL unit that it announces.
                    let cut = if at > 0 && self.buffer[at - 1] == 0 { at - 1 } else { at };
                    return Ok(Some(self.cut(cut)));
                }
                self.has_slice |= nal.is_slice();
                self.searched = at + 3;
            }
            if self.at_end {
                let rest = self.buffer.len();
                return Ok(self.has_slice.then(|| self.cut(rest)));
            }
            if self.buffer.len() > MAX_ACCESS_UNIT_BYTES {
                let what = format!("no access unit ends within {MAX_ACCESS_UNIT_BYTES} bytes of byte {}", self.offset);
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            self.fill()?;
        }
    }

    fn cut(&mut self, at: usize) -> (u64, Vec<u8>) {
        let rest = self.buffer.split_off(at);
        let unit = std::mem::replace(&mut self.buffer, rest);
        let offset = self.offset;
        self.offset += unit.len() as u64;
        self.searched = 0;
        self.has_slice = false;
        (offset, unit)
    }

    fn fill(&mut self) -> io::Result<()> {
        // What cannot be part of a start code need not be searched again.
        self.searched = self.searched.max(self.buffer.len().saturating_sub(4));
        let read = self.input.read(&mut self.chunk)?;
        self.buffer.extend_from_slice(&self.chunk[..read]);
        self.at_end = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPS: &[u8] = &[0x67, 0x42];
    const PPS: &[u8] = &[0x68, 0xCE];
    /// `first_mb_in_slice` 0, `slice_type` 7 (I).
    const IDR: &[u8] = &[0x65, 0x88, 0x84];
    /// `first_mb_in_slice` 0, `slice_type` 5 (P): 1, 00110.
    const P: &[u8] = &[0x41, 0b1001_1010, 0x20];
    /// The second slice of a picture: `first_mb_in_slice` 1 (010), `slice_type` 5.
    const P_SECOND: &[u8] = &[0x41, 0b0100_0110, 0x20];
    /// `first_mb_in_slice` 0, `slice_type` 6 (B): 1, 00111.
    const B: &[u8] = &[0x01, 0b1001_1110, 0x20];

    fn stream(nals: &[&[u8]]) -> Vec<u8> {
        let mut annex_b = Vec::new();
        nals.iter().for_each(|nal| append_nal(&mut annex_b, nal));
        annex_b
    }

    /// Hands out one byte at a time: every boundary falls between two reads.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let (Some((first, rest)), Some(slot)) = (self.0.split_first(), into.first_mut()) else { return Ok(0) };
            *slot = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn units(input: impl Read) -> Vec<(u64, Vec<u8>)> {
        let mut reader = AccessUnitReader::new(input);
        std::iter::from_fn(|| reader.next_unit().unwrap()).collect()
    }

    #[test]
    fn access_units_are_cut_before_parameter_sets_and_first_slices() {
        let all = stream(&[SPS, PPS, IDR, P, P_SECOND, B, SPS, PPS, IDR]);
        let expected = [stream(&[SPS, PPS, IDR]), stream(&[P, P_SECOND]), stream(&[B]), stream(&[SPS, PPS, IDR])];
        for got in [units(&all[..]), units(Drip(&all))] {
            let bytes: Vec<_> = got.iter().map(|(_, unit)| unit.clone()).collect();
            assert_eq!(bytes, expected);
            let lengths = expected.iter().map(|unit| unit.len() as u64);
            let offsets: Vec<_> = lengths.scan(0, |at, length| Some(std::mem::replace(at, *at + length))).collect();
            assert_eq!(got.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), offsets);
        }
    }

    #[test]
    fn slice_types_are_read() {
        for (nal, is_b) in [(SPS, false), (IDR, false), (P, false), (P_SECOND, false), (B, true)] {
            assert_eq!(Nal::new(nal).unwrap().is_b_slice(), is_b, "{nal:x?}");
        }
    }

    #[test]
    fn a_stream_without_slices_has_no_access_unit() {
        assert!(units(&stream(&[SPS, PPS])[..]).is_empty());
        assert!(units(&b"not video at all"[..]).is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_without_panic_and_loss(bytes in prop::collection::vec(0_u8..4, 0..400)) {
            let mut end = 0;
            for (offset, unit) in units(Drip(&bytes)) {
                prop_assert_eq!(offset, end);
                prop_assert_eq!(&bytes[offset as usize..][..unit.len()], &unit[..]);
                end += unit.len() as u64;
                for nal in nal_units(&unit) {
                    nal.is_b_slice();
                }
            }
        }

        #[test]
        fn nal_units_come_back_from_the_stream(nals in prop::collection::vec(prop::collection::vec(1_u8.., 1..20), 0..8)) {
            let annex_b = stream(&nals.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(nal_units(&annex_b).map(|nal| nal.bytes().to_vec()).collect::<Vec<_>>(), nals);
        }
    }
}
