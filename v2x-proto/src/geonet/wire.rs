//! Reading and writing of whole octets in network order, with errors that say where.

use super::error::{FrameError, FrameErrorKind};

/// Reads from the front of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Offset of the next octet.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn slice(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], FrameError> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            let kind = FrameErrorKind::Truncated { needed: length, available: self.rest.len() };
            return Err(FrameError::at_byte(field, self.at, kind));
        };
        self.rest = rest;
        self.at += length;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], FrameError> {
        let taken = self.slice(N, field)?;
        Ok(taken.try_into().expect("`slice` gives what it was asked for"))
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, FrameError> {
        self.array::<1>(field).map(|[octet]| octet)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, FrameError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, FrameError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, field: &'static str) -> Result<i32, FrameError> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, FrameError> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// Writes into a caller's buffer.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    pub(crate) fn put(&mut self, bytes: &[u8], field: &'static str) -> Result<(), FrameError> {
        let room = self.out.len();
        let Some(place) = self.out.get_mut(self.at..self.at + bytes.len()) else {
            return Err(FrameError::at_byte(field, self.at, FrameErrorKind::BufferFull { room }));
        };
        place.copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// Octets written.
    pub(crate) fn written(&self) -> usize {
        self.at
    }
}
