//! TraCI's bytes: commands and values, big-endian.
//!
//! In: bytes of a peer, never trusted. Out: values, or where the bytes are wrong. Nothing is allocated that is not there.

use thiserror::Error;

/// Bytes that are not TraCI.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("byte {at}: {what}")]
pub struct WireError {
    /// Where in the message.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

/// A value with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A small number.
    Byte(i8),
    /// A small number without sign.
    UByte(u8),
    /// A number.
    Integer(i32),
    /// A number.
    Double(f64),
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// Two metres.
    Position2([f64; 2]),
    /// Three metres.
    Position3([f64; 3]),
    /// Several values.
    Compound(Vec<Value>),
}

impl Value {
    /// As a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            Self::Integer(value) => Some(f64::from(*value)),
            Self::Byte(value) => Some(f64::from(*value)),
            Self::UByte(value) => Some(f64::from(*value)),
            _ => None,
        }
    }

    /// As a text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Writes it with its type.
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::UByte(value) => into.extend([0x07, *value]),
            Self::Byte(value) => into.extend([0x08, value.to_be_bytes()[0]]),
            Self::Integer(value) => {
                into.push(0x09);
                into.extend(value.to_be_bytes());
            }
            Self::Double(value) => {
                into.push(0x0b);
                into.extend(value.to_be_bytes());
            }
            Self::Text(text) => {
                into.push(0x0c);
                write_text(into, text);
            }
            Self::Texts(texts) => {
                into.push(0x0e);
                into.extend((texts.len() as i32).to_be_bytes());
                texts.iter().for_each(|text| write_text(into, text));
            }
            Self::Position2(position) => {
                into.push(0x01);
                position.iter().for_each(|value| into.extend(value.to_be_bytes()));
            }
            Self::Position3(position) => {
                into.push(0x03);
                position.iter().for_each(|value| into.extend(value.to_be_bytes()));
            }
            Self::Compound(values) => {
                into.push(0x0f);
                into.extend((values.len() as i32).to_be_bytes());
                values.iter().for_each(|value| value.write(into));
            }
        }
    }
}

/// A text with its length.
pub(crate) fn write_text(into: &mut Vec<u8>, text: &str) {
    into.extend((text.len() as i32).to_be_bytes());
    into.extend(text.as_bytes());
}

/// A command with its length.
pub(crate) fn write_command(into: &mut Vec<u8>, command: u8, content: &[u8]) {
    match u8::try_from(content.len() + 2) {
        Ok(length) => into.push(length),
        Err(_) => {
            into.push(0);
            into.extend((content.len() as i32 + 6).to_be_bytes());
        }
    }
    into.push(command);
    into.extend(content);
}

/// Reads a message.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Values within values at most.
const MAX_DEPTH: u32 = 8;

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(crate) fn wrong<T>(&self, what: impl Into<String>) -> Result<T, WireError> {
        Err(WireError { at: self.at, what: what.into() })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..count)) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => self.wrong(format!("{count} bytes are missing")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("as many bytes as were taken"))
    }

    pub(crate) fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn integer(&mut self) -> Result<i32, WireError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    fn double(&mut self) -> Result<f64, WireError> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    /// A count of things of which each takes at least `least` bytes.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize, WireError> {
        let count = self.integer()?;
        match usize::try_from(count) {
            Ok(count) if count.saturating_mul(least) <= self.bytes.len() - self.at => Ok(count),
            _ => self.wrong(format!("{count} things do not fit")),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, WireError> {
        let length = self.count(1)?;
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.wrong("a text is not UTF-8"),
        }
    }

    /// The next command: its number and content.
    pub(crate) fn command(&mut self) -> Result<(u8, Reader<'a>), WireError> {
        let start = self.at;
        let length = match self.byte()? {
            0 => self.integer()?,
            short => i32::from(short),
        };
        let command = self.byte()?;
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        match end {
            Some(end) if end >= self.at && end <= self.bytes.len() => {
                let content = Reader { bytes: &self.bytes[..end], at: self.at };
                self.at = end;
                Ok((command, content))
            }
            _ => self.wrong(format!("a command of {length} bytes")),
        }
    }

    pub(crate) fn value(&mut self) -> Result<Value, WireError> {
        self.value_within(MAX_DEPTH)
    }

    fn value_within(&mut self, depth: u32) -> Result<Value, WireError> {
        Ok(match self.byte()? {
            0x01 => Value::Position2([self.double()?, self.double()?]),
            0x03 => Value::Position3([self.double()?, self.double()?, self.double()?]),
            0x07 => Value::UByte(self.byte()?),
            0x08 => Value::Byte(i8::from_be_bytes(self.array()?)),
            0x09 => Value::Integer(self.integer()?),
            0x0b => Value::Double(self.double()?),
            0x0c => Value::Text(self.text()?),
            0x0e => {
                let count = self.count(4)?;
                Value::Texts((0..count).map(|_| self.text()).collect::<Result<_, _>>()?)
            }
            0x0f if depth > 0 => {
                let count = self.count(2)?;
                Value::Compound((0..count).map(|_| self.value_within(depth - 1)).collect::<Result<_, _>>()?)
            }
            other => return self.wrong(format!("a value of type {other:#04x}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_have_traci_s_bytes() {
        let mut bytes = Vec::new();
        Value::Compound(vec![Value::Text("ab".into()), Value::Double(1.5), Value::Integer(-2)]).write(&mut bytes);
        let expected = [
            &[0x0f, 0, 0, 0, 3, 0x0c, 0, 0, 0, 2, b'a', b'b', 0x0b, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0][..],
            &[0x09, 0xff, 0xff, 0xff, 0xfe],
        ]
        .concat();
        assert_eq!(bytes, expected);
        let mut command = Vec::new();
        write_command(&mut command, 0x02, &0.0_f64.to_be_bytes());
        assert_eq!(command, [10, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts: Vec<String>, number: f64, integer: i32, long in 0_usize..600) {
            let value = Value::Compound(vec![
                Value::Texts(texts),
                Value::Double(if number.is_nan() { 0.0 } else { number }),
                Value::Integer(integer),
                Value::Text("x".repeat(long)),
                Value::Position3([1.0, 2.0, 3.0]),
            ]);
            let mut content = Vec::new();
            value.write(&mut content);
            let mut bytes = Vec::new();
            write_command(&mut bytes, 0xa4, &content);
            let mut reader = Reader::new(&bytes);
            let (command, mut content) = reader.command().unwrap();
            prop_assert_eq!((command, content.value().unwrap()), (0xa4, value));
            prop_assert!(content.is_empty() && reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while let Ok((_, mut content)) = reader.command() {
                while content.value().is_ok() {}
                if reader.is_empty() {
                    break;
                }
            }
        }
    }
}
