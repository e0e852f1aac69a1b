//! Reads a recording back, one entry at a time, in file order.

use super::{EVENT_PREFIX, Error, FORMAT, GAP_TOPIC, HEADER_TOPIC, MESSAGE_PREFIX, proto};
use crate::effect::OutMessage;
use crate::event::Event;
use mcap::io::MessageReader;
use mcap::sans_io::LinearReaderOptions;
use prost::Message;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The largest record a reader accepts, bytes: a chunk with pictures fits, a forged length does not.
const RECORD_LIMIT: usize = 256 << 20;

/// One entry of a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Something entered the node.
    Event(Event),
    /// A message left the node.
    Message(OutMessage),
    /// So many records were lost here.
    Gap(u64),
}

/// An open recording: its header, then its entries as an iterator.
pub struct Recording {
    path: PathBuf,
    header: proto::Header,
    messages: MessageReader<BufReader<File>>,
    index: u64,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("path", &self.path).field("index", &self.index).finish_non_exhaustive()
    }
}

impl Recording {
    /// Opens a recording and reads its header. A file cut short by a crash opens too; its entries end at the cut.
    ///
    /// # Errors
    /// When the file is unreadable, not of a MASA node, or of a newer format.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let options = LinearReaderOptions::default().with_skip_end_magic(true).with_record_length_limit(RECORD_LIMIT);
        let mut messages = MessageReader::new_with_options(BufReader::new(file), options);
        let no_header = || Error::NoHeader { path: path.to_owned() };
        let first = messages
            .next()
            .ok_or_else(no_header)?
            .map_err(|source| Error::Container { path: path.to_owned(), source })?;
        if first.channel.topic != HEADER_TOPIC {
            return Err(no_header());
        }
        let header = proto::Header::decode(&*first.data).map_err(|source| Error::Protobuf {
            topic: HEADER_TOPIC.into(),
            index: 0,
            source,
        })?;
        if header.format > FORMAT {
            return Err(Error::Newer { path: path.to_owned(), found: header.format });
        }
        Ok(Self { path: path.to_owned(), header, messages, index: 0 })
    }

    /// What the recording says of itself.
    pub fn header(&self) -> &proto::Header {
        &self.header
    }

    fn parse(&self, topic: &str, data: &[u8]) -> Result<Option<Entry>, Error> {
        let protobuf = |source| Error::Protobuf { topic: topic.to_owned(), index: self.index, source };
        Ok(if topic.starts_with(EVENT_PREFIX) {
            Some(Entry::Event(proto::Event::decode(data).map_err(protobuf)?.try_into()?))
        } else if topic.starts_with(MESSAGE_PREFIX) {
            Some(Entry::Message(proto::PublishedMessage::decode(data).map_err(protobuf)?.try_into()?))
        } else if topic == GAP_TOPIC {
            Some(Entry::Gap(proto::Gap::decode(data).map_err(protobuf)?.lost))
        } else {
            None
        })
    }
}

impl Iterator for Recording {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let message = match self.messages.next()? {
                Ok(message) => message,
                // The end of a file that a crash cut short is an end, not an error.
                Err(mcap::McapError::UnexpectedEof | mcap::McapError::UnexpectedEoc) => return None,
                Err(source) => return Some(Err(Error::Container { path: self.path.clone(), source })),
            };
            self.index += 1;
            match self.parse(&message.channel.topic, &message.data) {
                Ok(Some(entry)) => return Some(Ok(entry)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
