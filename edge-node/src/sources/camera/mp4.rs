//! The sample table of an H.264 track in an MP4 file (ISO/IEC 14496-12 and -15), fragmented or not.
//!
//! In: a seekable file. Out: where each access unit lies, when it is shown, and the parameter sets. Reads boxes, never
//! samples, so a file of any length costs its tables only. Written here because a parser for a roadside must not panic:
//! re_mp4 0.5, which the tests compare with, indexes its tables unchecked and refuses files whose last box is cut short.
//! Edit lists are not applied: times start at the earliest sample, as with re_mp4.

use super::h264::annexb::append_nal;
use std::io::{self, Read, Seek, SeekFrom};

#[cfg(test)]
mod tests;

/// Largest `moov` or `moof` box read, bytes: 24 hours at 60 frames/s need about 60 MB.
const MAX_TABLE_BYTES: u64 = 256 << 20;
/// Most samples in a track: 46 hours at 30 frames/s.
const MAX_SAMPLES: usize = 5_000_000;

/// Why a file is no MP4 that can be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mp4Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{what}")]
    Invalid { offset: u64, what: String },
}

/// An H.264 track.
#[derive(Debug, Default)]
pub(crate) struct Mp4Track {
    /// Sequence and picture parameter sets with start codes.
    pub(crate) parameter_sets: Vec<u8>,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub(crate) length_bytes: usize,
    /// In decoding order.
    pub(crate) samples: Vec<Sample>,
    timescale: u32,
    id: u32,
}

/// Where an access unit lies and when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    /// Shown at, in ticks of the track from its earliest sample.
    pub(crate) shown_ticks: i64,
    pub(crate) duration_ticks: u32,
}

impl Mp4Track {
    /// Presentation time of a sample from the start of the track, nanoseconds.
    pub(crate) fn shown_ns(&self, sample: &Sample) -> i64 {
        self.ticks_to_ns(sample.shown_ticks)
    }

    /// End of the presentation, nanoseconds.
    pub(crate) fn end_ns(&self) -> i64 {
        let ends = self.samples.iter().map(|sample| sample.shown_ticks.saturating_add(sample.duration_ticks.into()));
        self.ticks_to_ns(ends.max().unwrap_or(0))
    }

    fn ticks_to_ns(&self, ticks: i64) -> i64 {
        let ns = i128::from(ticks) * 1_000_000_000 / i128::from(self.timescale.max(1));
        i64::try_from(ns).unwrap_or(i64::MAX)
    }

    /// Reads the tables of the first H.264 track.
    ///
    /// # Errors
    /// [`Mp4Error`] names the byte of the box that is missing, cut short or contradictory.
    pub(crate) fn read(file: &mut (impl Read + Seek)) -> Result<Self, Mp4Error> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut track: Option<Self> = None;
        let mut defaults = SampleDefaults::default();
        let mut at = 0;
        let mut cut_box = None;
        while let Some(head) = BoxHead::read(file, at, length)? {
            let end = at.saturating_add(head.size);
            cut_box = (end > length).then_some((at, head));
            match &head.kind {
                b"moov" if track.is_none() => {
                    let table = read_table(file, at, head, length)?;
                    let moov = Node { bytes: &table, offset: at + head.header };
                    defaults = SampleDefaults::of_movie(moov)?;
                    track = Some(read_movie(moov)?);
                }
                b"moof" => {
                    // A fragment cut short ends a recording; what came before still plays.
                    if end > length {
                        break;
                    }
                    let table = read_table(file, at, head, length)?;
                    if let Some(track) = &mut track {
                        track.read_fragment(Node { bytes: &table, offset: at + head.header }, at, defaults)?;
                    }
                }
                _ => {}
            }
            at = end;
        }
        let Some(mut track) = track else {
            let what = match cut_box {
                Some((_, head)) => format!(
                    "the index (`moov` box) is missing and the `{}` box is cut short: the recording was not finished, or \
                     the copy is incomplete",
                    head.name()
                ),
                None => "no `moov` box: not an MP4 file, or one that was not finished".to_owned(),
            };
            return Err(Mp4Error::Invalid { offset: cut_box.map_or(length, |(at, _)| at), what });
        };
        let first = track.samples.iter().map(|sample| sample.shown_ticks).min().unwrap_or(0);
        for sample in &mut track.samples {
            sample.shown_ticks = sample.shown_ticks.saturating_sub(first);
        }
        Ok(track)
    }
}

#[derive(Clone, Copy)]
struct BoxHead {
    kind: [u8; 4],
    /// Whole box, bytes.
    size: u64,
    /// Size and type fields, bytes.
    header: u64,
}

impl BoxHead {
    fn read(file: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Option<Self>> {
        if length.saturating_sub(at) < 8 {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [s0, s1, s2, s3, kind @ ..] = head;
        let (size, header) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            // "Extends to the end of the file."
            0 => (length - at, 8),
            1 if length - at >= 16 => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                (u64::from_be_bytes(large), 16)
            }
            size => (u64::from(size), 8),
        };
        // A size below the header's would never end.
        Ok((size >= header).then_some(Self { kind, size, header }))
    }

    fn name(&self) -> String {
        String::from_utf8_lossy(&self.kind).into_owned()
    }
}

fn read_table(file: &mut (impl Read + Seek), at: u64, head: BoxHead, length: u64) -> Result<Vec<u8>, Mp4Error> {
    if at.saturating_add(head.size) > length {
        let what =
            format!("the `{}` box is cut short: it needs {} bytes, the file has {length}", head.name(), at + head.size);
        return Err(Mp4Error::Invalid { offset: at, what });
    }
    if head.size > MAX_TABLE_BYTES {
        let what = format!("the `{}` box is larger than {MAX_TABLE_BYTES} bytes", head.name());
        return Err(Mp4Error::Invalid { offset: at, what });
    }
    file.seek(SeekFrom::Start(at + head.header))?;
    let mut table = vec![0; (head.size - head.header) as usize];
    file.read_exact(&mut table)?;
    Ok(table)
}

/// The payload of a box and where it lies in the file.
#[derive(Clone, Copy)]
struct Node<'a> {
    bytes: &'a [u8],
    offset: u64,
}

impl<'a> Node<'a> {
    fn children(self) -> impl Iterator<Item = ([u8; 4], Node<'a>)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let head = self.bytes.get(at..at + 8)?;
            let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
            // A child that claims more than its parent has is cut at the parent's end; its table checks will tell.
            let end = if size == 0 { self.bytes.len() } else { at.checked_add(size)?.min(self.bytes.len()) };
            let bytes = self.bytes.get(at + 8..end)?;
            let child = Node { bytes, offset: self.offset + at as u64 + 8 };
            at = end;
            Some(([head[4], head[5], head[6], head[7]], child))
        })
    }

    fn child(self, kind: &[u8; 4]) -> Option<Self> {
        self.children().find(|(child, _)| child == kind).map(|(_, node)| node)
    }

    fn need(self, kind: &[u8; 4]) -> Result<Self, Mp4Error> {
        let missing = || self.invalid(0, format!("no `{}` box", String::from_utf8_lossy(kind)));
        self.child(kind).ok_or_else(missing)
    }

    fn u32(self, at: usize) -> Result<u32, Mp4Error> {
        let bytes = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map(|bytes| u32::from_be_bytes(*bytes)).ok_or_else(|| self.invalid(at, "the box is cut short".to_owned()))
    }

    fn u64(self, at: usize) -> Result<u64, Mp4Error> {
        Ok(u64::from(self.u32(at)?) << 32 | u64::from(self.u32(at + 4)?))
    }

    /// The rows of a table whose count stands at `count_at`, each `width` 32-bit numbers wide.
    fn rows<const W: usize>(self, count_at: usize) -> Result<impl Iterator<Item = [u32; W]> + 'a, Mp4Error> {
        let count = self.u32(count_at)? as usize;
        let bytes = count.checked_mul(W * 4).and_then(|length| self.bytes.get(count_at + 4..)?.get(..length));
        let bytes = bytes.ok_or_else(|| self.invalid(count_at, format!("a table of {count} rows is cut short")))?;
        Ok(bytes.chunks_exact(W * 4).map(|row| {
            std::array::from_fn(|n| u32::from_be_bytes([row[n * 4], row[n * 4 + 1], row[n * 4 + 2], row[n * 4 + 3]]))
        }))
    }

    fn invalid(self, at: usize, what: String) -> Mp4Error {
        Mp4Error::Invalid { offset: self.offset + at as u64, what }
    }
}

fn read_movie(moov: Node<'_>) -> Result<Mp4Track, Mp4Error> {
    let mut other_codec = None;
    for (_, trak) in moov.children().filter(|(kind, _)| kind == b"trak") {
        let mdia = trak.need(b"mdia")?;
        let is_video = mdia.child(b"hdlr").is_some_and(|hdlr| hdlr.bytes.get(8..12) == Some(b"vide"));
        if !is_video {
            continue;
        }
        let stbl = mdia.need(b"minf")?.need(b"stbl")?;
        let stsd = stbl.need(b"stsd")?;
        let entries = Node { bytes: stsd.bytes.get(8..).unwrap_or_default(), offset: stsd.offset + 8 };
        let Some((codec, entry)) = entries.children().next() else { continue };
        if !matches!(&codec, b"avc1" | b"avc3") {
            other_codec = Some(entry.invalid(
                0,
                format!("the video is `{}`, only H.264 (`avc1`, `avc3`) is played", String::from_utf8_lossy(&codec)),
            ));
            continue;
        }
        let mut track = Mp4Track::default();
        let tkhd = trak.need(b"tkhd")?;
        track.id = tkhd.u32(if tkhd.bytes.first() == Some(&1) { 20 } else { 12 })?;
        let mdhd = mdia.need(b"mdhd")?;
        track.timescale = mdhd.u32(if mdhd.bytes.first() == Some(&1) { 20 } else { 12 })?;
        track.read_configuration(entry)?;
        track.read_samples(stbl)?;
        return Ok(track);
    }
    Err(other_codec.unwrap_or_else(|| moov.invalid(0, "no video track".to_owned())))
}

impl Mp4Track {
    /// `VisualSampleEntry` with its `AVCDecoderConfigurationRecord` (14496-15, 5.3.3.1).
    fn read_configuration(&mut self, entry: Node<'_>) -> Result<(), Mp4Error> {
        const VISUAL_SAMPLE_ENTRY_BYTES: usize = 78;
        let boxes = Node {
            bytes: entry.bytes.get(VISUAL_SAMPLE_ENTRY_BYTES..).unwrap_or_default(),
            offset: entry.offset + VISUAL_SAMPLE_ENTRY_BYTES as u64,
        };
        let record = boxes.need(b"avcC")?;
        let cut = |at| record.invalid(at, "the decoder configuration (`avcC`) is cut short".to_owned());
        let &[_, _, _, _, lengths, sequence_sets, ..] = record.bytes else { return Err(cut(0)) };
        self.length_bytes = usize::from(lengths & 3) + 1;
        let mut at = 6;
        for count in [Some(sequence_sets & 0x1F), None] {
            let count = match count {
                Some(count) => count,
                None => {
                    at += 1;
                    *record.bytes.get(at - 1).ok_or_else(|| cut(at))?
                }
            };
            for _ in 0..count {
                let length = record.bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| cut(at))?;
                let length = usize::from(u16::from_be_bytes(*length));
                let nal = record.bytes.get(at + 2..at + 2 + length).ok_or_else(|| cut(at))?;
                append_nal(&mut self.parameter_sets, nal);
                at += 2 + length;
            }
        }
        Ok(())
    }

    fn read_samples(&mut self, stbl: Node<'_>) -> Result<(), Mp4Error> {
        let stsz = stbl.need(b"stsz")?;
        let (same_size, count) = (stsz.u32(4)?, stsz.u32(8)? as usize);
        if count == 0 {
            return Ok(());
        }
        if count > MAX_SAMPLES {
            return Err(stsz.invalid(8, format!("{count} samples, more than {MAX_SAMPLES}")));
        }
        let mut sizes: Box<dyn Iterator<Item = u32>> = if same_size == 0 {
            Box::new(stsz.rows::<1>(8)?.map(|[size]| size))
        } else {
            Box::new(std::iter::repeat_n(same_size, count))
        };
        let mut durations = runs(stbl.need(b"stts")?.rows::<2>(4)?);
        // Version 0 is unsigned and version 1 signed; writers put signed numbers into either.
        let shifts = stbl.child(b"ctts").map(|ctts| ctts.rows::<2>(4)).transpose()?;
        let mut shifts = shifts.into_iter().flat_map(runs);
        let mut decoded_at = 0_i64;
        let mut take = |chunk_offset: u64, samples: usize, track: &mut Self| {
            let mut offset = chunk_offset;
            for _ in 0..samples.min(count - track.samples.len()) {
                let (Some(bytes), duration) = (sizes.next(), durations.next().unwrap_or(0)) else { return };
                let shown_ticks = decoded_at.saturating_add((shifts.next().unwrap_or(0) as i32).into());
                track.samples.push(Sample { offset, bytes, shown_ticks, duration_ticks: duration });
                decoded_at = decoded_at.saturating_add(duration.into());
                offset = offset.saturating_add(bytes.into());
            }
        };
        let stsc = stbl.need(b"stsc")?;
        let mut chunk_runs = stsc.rows::<3>(4)?.peekable();
        let mut samples_per_chunk = 0;
        for (chunk, offset) in (1..).zip(chunk_offsets(stbl)?) {
            while let Some([_, samples, _]) = chunk_runs.next_if(|[first, ..]| *first <= chunk) {
                samples_per_chunk = samples as usize;
            }
            take(offset, samples_per_chunk, self);
        }
        let found = self.samples.len();
        if found < count {
            return Err(stsc.invalid(0, format!("the chunks hold {found} samples, the track has {count}")));
        }
        Ok(())
    }

    /// A `moof` box that begins at byte `moof_at` of the file.
    fn read_fragment(&mut self, moof: Node<'_>, moof_at: u64, defaults: SampleDefaults) -> Result<(), Mp4Error> {
        for (_, traf) in moof.children().filter(|(kind, _)| kind == b"traf") {
            let tfhd = traf.need(b"tfhd")?;
            if tfhd.u32(4)? != self.id {
                continue;
            }
            let (base, defaults) = defaults.of_fragment(tfhd, moof_at)?;
            let mut decoded_at = match traf.child(b"tfdt") {
                Some(tfdt) if tfdt.bytes.first() == Some(&1) => i64::try_from(tfdt.u64(4)?).unwrap_or(i64::MAX),
                Some(tfdt) => tfdt.u32(4)?.into(),
                None => {
                    self.samples.last().map_or(0, |last| last.shown_ticks.saturating_add(last.duration_ticks.into()))
                }
            };
            let mut offset = base;
            for (_, trun) in traf.children().filter(|(kind, _)| kind == b"trun") {
                self.read_run(trun, base, &mut offset, &mut decoded_at, defaults)?;
            }
        }
        Ok(())
    }

    fn read_run(
        &mut self,
        trun: Node<'_>,
        base: u64,
        offset: &mut u64,
        decoded_at: &mut i64,
        defaults: SampleDefaults,
    ) -> Result<(), Mp4Error> {
        let (flags, count) = (trun.u32(0)?, trun.u32(4)? as usize);
        if self.samples.len().saturating_add(count) > MAX_SAMPLES {
            return Err(trun.invalid(4, format!("more than {MAX_SAMPLES} samples")));
        }
        let mut at = 8;
        let mut field = |bit: u32| -> Result<Option<u32>, Mp4Error> {
            if flags & bit == 0 {
                return Ok(None);
            }
            at += 4;
            trun.u32(at - 4).map(Some)
        };
        if let Some(shift) = field(0x1)? {
            *offset = base.saturating_add_signed((shift as i32).into());
        }
        field(0x4)?; // first_sample_flags
        for _ in 0..count {
            let duration_ticks = field(0x100)?.unwrap_or(defaults.duration_ticks);
            let bytes = field(0x200)?.unwrap_or(defaults.bytes);
            field(0x400)?; // sample_flags
            let shift = field(0x800)?.unwrap_or(0) as i32;
            let shown_ticks = decoded_at.saturating_add(shift.into());
            self.samples.push(Sample { offset: *offset, bytes, shown_ticks, duration_ticks });
            *decoded_at = decoded_at.saturating_add(duration_ticks.into());
            *offset = offset.saturating_add(bytes.into());
        }
        Ok(())
    }
}

/// What a fragment's samples have when it does not say (`trex`, `tfhd`).
#[derive(Clone, Copy, Default)]
struct SampleDefaults {
    duration_ticks: u32,
    bytes: u32,
}

impl SampleDefaults {
    fn of_movie(moov: Node<'_>) -> Result<Self, Mp4Error> {
        let Some(trex) = moov.child(b"mvex").and_then(|mvex| mvex.child(b"trex")) else { return Ok(Self::default()) };
        Ok(Self { duration_ticks: trex.u32(12)?, bytes: trex.u32(16)? })
    }

    /// The base offset and the defaults of a track fragment.
    fn of_fragment(mut self, tfhd: Node<'_>, moof_at: u64) -> Result<(u64, Self), Mp4Error> {
        let flags = tfhd.u32(0)?;
        let mut at = 8;
        let mut base = moof_at;
        if flags & 0x1 != 0 {
            base = tfhd.u64(at)?;
            at += 8;
        }
        if flags & 0x2 != 0 {
            at += 4; // sample_description_index
        }
        if flags & 0x8 != 0 {
            self.duration_ticks = tfhd.u32(at)?;
            at += 4;
        }
        if flags & 0x10 != 0 {
            self.bytes = tfhd.u32(at)?;
        }
        Ok((base, self))
    }
}

fn chunk_offsets<'a>(stbl: Node<'a>) -> Result<Box<dyn Iterator<Item = u64> + 'a>, Mp4Error> {
    if let Some(stco) = stbl.child(b"stco") {
        return Ok(Box::new(stco.rows::<1>(4)?.map(|[offset]| offset.into())));
    }
    let co64 = stbl.need(b"co64")?;
    Ok(Box::new(co64.rows::<2>(4)?.map(|[high, low]| u64::from(high) << 32 | u64::from(low))))
}

/// Expands rows of (count, value).
fn runs(rows: impl Iterator<Item = [u32; 2]>) -> impl Iterator<Item = u32> {
    rows.flat_map(|[count, value]| std::iter::repeat_n(value, count as usize))
}
