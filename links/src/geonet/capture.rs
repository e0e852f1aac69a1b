//! Captures: pcap files in and out.
//!
//! In: pcap files of link type Ethernet (1), IEEE 802.11 (105) or radiotap (127). Out: Ethernet frames with their time; a
//! pcap file of Ethernet frames with nanoseconds. Absent: pcapng (`editcap -F pcap` converts).

use super::dot11;
use masa_v2x_proto::geonet::ETHERTYPE;
use masa_v2x_proto::time::Timestamp;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapReader, PcapWriter};
use pcap_file::{DataLink, Endianness, PcapError, TsResolution};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Octets of a pcap record's header.
const RECORD_HEADER: u64 = 16;

/// A capture that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file system refused.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is no pcap file, or a record is damaged.
    #[error("{path}: record {record}: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Number of the record, from 1; 0 for the file's header.
        record: u64,
        /// What is wrong.
        reason: String,
    },
    /// Frames of another kind of link.
    #[error("{path}: link type {number}; 1 (Ethernet), 105 (IEEE 802.11) and 127 (radiotap) can be read", path = path.display())]
    LinkType {
        /// The file.
        path: PathBuf,
        /// Its link type.
        number: u32,
    },
}

/// One record of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedFrame {
    /// Number in the file, from 1.
    pub number: u64,
    /// When it was captured.
    pub at: Timestamp,
    /// What it holds.
    pub content: Content,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A GeoNetworking frame.
    Geonet {
        /// As Ethernet frame.
        ethernet: Vec<u8>,
        /// By how many octets the record's own headers are longer than Ethernet's: what to add to offsets in the frame.
        ahead: usize,
    },
    /// Something else, or cut short by the capture.
    Other,
}

/// Reads a capture record by record.
#[derive(Debug)]
pub struct CaptureReader<R: Read = BufReader<File>> {
    reader: PcapReader<R>,
    link: DataLink,
    path: PathBuf,
    number: u64,
}

impl CaptureReader {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be read, is no pcap file or of a link type that is not known here.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let file = File::open(path).map_err(|source| CaptureError::File { path: path.to_owned(), source })?;
        Self::new(BufReader::new(file), path)
    }
}

impl<R: Read> CaptureReader<R> {
    /// Reads from `source`; `path` stands in errors.
    ///
    /// # Errors
    /// What is no pcap file or of a link type that is not known here.
    pub fn new(source: R, path: &Path) -> Result<Self, CaptureError> {
        let reader = PcapReader::new(source).map_err(|error| CaptureError::Damaged {
            path: path.to_owned(),
            record: 0,
            reason: match error {
                PcapError::InvalidField(_) => "not a pcap file (pcapng: convert it with `editcap -F pcap`)".into(),
                other => other.to_string(),
            },
        })?;
        let link = reader.header().datalink;
        if !matches!(link, DataLink::ETHERNET | DataLink::IEEE802_11 | DataLink::IEEE802_11_RADIOTAP) {
            return Err(CaptureError::LinkType { path: path.to_owned(), number: link.into() });
        }
        Ok(Self { reader, link, path: path.to_owned(), number: 0 })
    }
}

impl<R: Read> Iterator for CaptureReader<R> {
    type Item = Result<CapturedFrame, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.reader.next_packet()?;
        self.number += 1;
        let number = self.number;
        Some(match record {
            Ok(record) => {
                let at = Timestamp::from_unix_ns(i64::try_from(record.timestamp.as_nanos()).unwrap_or(i64::MAX));
                Ok(CapturedFrame { number, at, content: content(self.link, &record.data) })
            }
            Err(error) => {
                Err(CaptureError::Damaged { path: self.path.clone(), record: number, reason: error.to_string() })
            }
        })
    }
}

fn content(link: DataLink, record: &[u8]) -> Content {
    let found = match link {
        DataLink::IEEE802_11 => dot11::to_ethernet(record),
        DataLink::IEEE802_11_RADIOTAP => dot11::without_radiotap(record)
            .and_then(|(frame, at)| dot11::to_ethernet(frame).map(|(ethernet, ahead)| (ethernet, at + ahead))),
        _ => Some((record.to_vec(), 0)),
    };
    match found {
        Some((ethernet, ahead)) if ethernet.get(12..14) == Some(&ETHERTYPE.to_be_bytes()) => {
            Content::Geonet { ethernet, ahead }
        }
        _ => Content::Other,
    }
}

/// Writes a capture of Ethernet frames, buffered: the last ones reach the file with [`CaptureWriter::finish`].
pub struct CaptureWriter<W: Write = BufWriter<File>> {
    writer: PcapWriter<W>,
    path: PathBuf,
    number: u64,
    bytes: u64,
}

impl<W: Write> std::fmt::Debug for CaptureWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureWriter").field("path", &self.path).field("frames", &self.number).finish()
    }
}

impl CaptureWriter {
    /// Creates a file, or replaces it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path) -> Result<Self, CaptureError> {
        let file = File::create(path).map_err(|source| CaptureError::File { path: path.to_owned(), source })?;
        Self::new(BufWriter::new(file), path)
    }
}

impl<W: Write> CaptureWriter<W> {
    /// Writes to `sink`; `path` stands in errors.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn new(sink: W, path: &Path) -> Result<Self, CaptureError> {
        let header = PcapHeader {
            datalink: DataLink::ETHERNET,
            ts_resolution: TsResolution::NanoSecond,
            endianness: Endianness::Little,
            ..PcapHeader::default()
        };
        let writer = PcapWriter::with_header(sink, header).map_err(|error| write_error(path, 0, error))?;
        Ok(Self { writer, path: path.to_owned(), number: 0, bytes: 24 })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, at: Timestamp, frame: &[u8]) -> Result<(), CaptureError> {
        self.number += 1;
        let since = Duration::from_nanos(u64::try_from(at.unix_ns()).unwrap_or(0));
        let packet = PcapPacket::new(since, u32::try_from(frame.len()).unwrap_or(u32::MAX), frame);
        self.writer.write_packet(&packet).map_err(|error| write_error(&self.path, self.number, error))?;
        self.bytes += RECORD_HEADER + frame.len() as u64;
        Ok(())
    }

    /// Octets written, header included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// When the last octets cannot be written.
    pub fn finish(self) -> Result<W, CaptureError> {
        let mut sink = self.writer.into_writer();
        sink.flush().map_err(|source| CaptureError::File { path: self.path, source })?;
        Ok(sink)
    }
}

fn write_error(path: &Path, record: u64, error: PcapError) -> CaptureError {
    match error {
        PcapError::IoError(source) => CaptureError::File { path: path.to_owned(), source },
        other => CaptureError::Damaged { path: path.to_owned(), record, reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8]) -> Result<Vec<CapturedFrame>, CaptureError> {
        CaptureReader::new(file, Path::new("a.pcap"))?.collect()
    }

    fn ethernet(ethertype: [u8; 2]) -> Vec<u8> {
        [&[0xFF; 12][..], &ethertype, &[0x11, 0, 5, 1]].concat()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = CaptureWriter::new(Vec::new(), Path::new("a.pcap")).unwrap();
        let at = Timestamp::from_unix_ns(1_700_000_000_123_456_789);
        writer.write(at, &ethernet([0x89, 0x47])).unwrap();
        writer.write(at, &ethernet([0x08, 0x00])).unwrap();
        let bytes = writer.bytes();
        let file = writer.finish().unwrap();
        assert_eq!(file.len() as u64, bytes);
        let frames = read(&file).unwrap();
        let first = Content::Geonet { ethernet: ethernet([0x89, 0x47]), ahead: 0 };
        assert_eq!(frames[0], CapturedFrame { number: 1, at, content: first });
        assert_eq!(frames[1].content, Content::Other);
    }

    #[test]
    fn damage_is_named_by_record() {
        let mut writer = CaptureWriter::new(Vec::new(), Path::new("a.pcap")).unwrap();
        let at = Timestamp::from_unix_ms(0);
        writer.write(at, &ethernet([0x89, 0x47])).unwrap();
        writer.write(at, &ethernet([0x89, 0x47])).unwrap();
        let file = writer.finish().unwrap();
        let words = |file: &[u8]| read(file).unwrap_err().to_string();
        assert!(words(&file[..file.len() - 3]).starts_with("a.pcap: record 2: "), "{}", words(&file[..file.len() - 3]));
        assert!(words(b"nonsense").starts_with("a.pcap: record 0: "));
        let mut other_link = file;
        other_link[20] = 147;
        assert!(words(&other_link).contains("link type 147"), "{}", words(&other_link));
    }
}
