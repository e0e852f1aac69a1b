//! Parts of a `multipart/x-mixed-replace` stream (RFC 2046, 5.1), as cameras send it.
//!
//! In: bytes as they arrive. Out: whole parts, bounded in size. Cameras differ: the boundary parameter may have the
//! leading dashes or not, parts may state their length or not, lines may end with a lone line feed.

use masa_v2x_proto::time::Timestamp;

/// Longest header block of a part, bytes.
const MAX_HEADER_BYTES: usize = 8 << 10;

/// One part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// When the end of its headers arrived.
    pub(crate) arrived_at: Timestamp,
    /// `X-Timestamp`: seconds of Unix time.
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) body: Vec<u8>,
}

/// Cuts a stream into parts.
pub(crate) struct MultipartParser {
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    max_part_bytes: usize,
    state: State,
    now: Timestamp,
}

#[derive(Clone, Copy)]
enum State {
    /// Before a delimiter.
    Between,
    /// After a delimiter.
    Headers,
    Body {
        arrived_at: Timestamp,
        timestamp: Option<Timestamp>,
        length: Option<usize>,
        searched: usize,
    },
}

impl MultipartParser {
    /// From the value of a `Content-Type` header.
    ///
    /// # Errors
    /// When it is no multipart type with a boundary.
    pub(crate) fn new(content_type: &str, max_part_bytes: usize) -> Result<Self, String> {
        let no_multipart = || format!("the answer is `{content_type}`, not multipart/x-mixed-replace with a boundary");
        let (kind, parameters) = content_type.split_once(';').ok_or_else(no_multipart)?;
        if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
            return Err(no_multipart());
        }
        let boundary = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        });
        let boundary =
            boundary.map(|boundary| boundary.trim_start_matches('-')).filter(|boundary| !boundary.is_empty());
        let delimiter = format!("--{}", boundary.ok_or_else(no_multipart)?).into_bytes();
        Ok(Self { delimiter, buffer: Vec::new(), max_part_bytes, state: State::Between, now: Timestamp::default() })
    }

    /// Takes bytes that arrived at `now`.
    pub(crate) fn feed(&mut self, bytes: &[u8], now: Timestamp) {
        self.buffer.extend_from_slice(bytes);
        self.now = now;
    }

    /// The next whole part, if it is there.
    ///
    /// # Errors
    /// When a part or its headers are too large.
    pub(crate) fn next_part(&mut self) -> Result<Option<Part>, String> {
        loop {
            match self.state {
                State::Between => {
                    let Some(at) = find(&self.buffer, &self.delimiter, 0) else {
                        // The delimiter may have begun at the end.
                        let useless = self.buffer.len().saturating_sub(self.delimiter.len());
                        self.buffer.drain(..useless);
                        return Ok(None);
                    };
                    self.buffer.drain(..at + self.delimiter.len());
                    self.state = State::Headers;
                }
                State::Headers => {
                    let Some((length, end)) = headers_end(&self.buffer) else {
                        if self.buffer.len() > MAX_HEADER_BYTES {
                            return Err(format!("the headers of a part exceed {MAX_HEADER_BYTES} bytes"));
                        }
                        return Ok(None);
                    };
                    self.state = self.body_after(&String::from_utf8_lossy(&self.buffer[..length]))?;
                    self.buffer.drain(..end);
                }
                State::Body { arrived_at, timestamp, length, searched } => {
                    let end = match length {
                        Some(length) => (length <= self.buffer.len()).then_some(length),
                        None => find(&self.buffer, &self.delimiter, searched),
                    };
                    let Some(end) = end else {
                        if self.buffer.len() > self.max_part_bytes {
                            return Err(self.too_large(self.buffer.len()));
                        }
                        let searched = self.buffer.len().saturating_sub(self.delimiter.len());
                        self.state = State::Body { arrived_at, timestamp, length, searched };
                        return Ok(None);
                    };
                    let rest = self.buffer.split_off(end);
                    let mut body = std::mem::replace(&mut self.buffer, rest);
                    self.state = State::Between;
                    if length.is_none() {
                        // The line break before a delimiter belongs to it.
                        for end in [b"\n", b"\r"] {
                            if body.ends_with(end) {
                                body.pop();
                            }
                        }
                    }
                    if body.len() > self.max_part_bytes {
                        return Err(self.too_large(body.len()));
                    }
                    return Ok(Some(Part { arrived_at, timestamp, body }));
                }
            }
        }
    }

    fn body_after(&self, headers: &str) -> Result<State, String> {
        let value_of = |wanted: &str| {
            headers.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let length = value_of("content-length").and_then(|length| length.parse().ok());
        if let Some(length) = length.filter(|length| *length > self.max_part_bytes) {
            return Err(self.too_large(length));
        }
        let seconds = value_of("x-timestamp").and_then(|seconds| seconds.parse::<f64>().ok());
        // Beyond the year 2200 no camera has a clock.
        let timestamp = seconds
            .filter(|seconds| (0.0..7.3e9).contains(seconds))
            // A double holds seconds of our time to a quarter of a microsecond.
            .map(|seconds| Timestamp::from_unix_ns((seconds * 1e6).round() as i64 * 1000));
        Ok(State::Body { arrived_at: self.now, timestamp, length, searched: 0 })
    }

    fn too_large(&self, bytes: usize) -> String {
        format!("a part of {bytes} bytes or more exceeds the limit of {}", self.max_part_bytes)
    }
}

/// Length of the header block and where the body begins.
fn headers_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let with_returns = find(bytes, b"\r\n\r\n", 0).map(|at| (at, at + 4));
    let without = find(bytes, b"\n\n", 0).map(|at| (at, at + 2));
    with_returns.into_iter().chain(without).min()
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/x-mixed-replace; boundary=frame";

    fn parse(content_type: &str, chunks: &[&[u8]]) -> Vec<Part> {
        let mut parser = MultipartParser::new(content_type, 100).unwrap();
        let mut parts = Vec::new();
        for (n, chunk) in chunks.iter().enumerate() {
            parser.feed(chunk, Timestamp::from_unix_ms(n as i64));
            while let Some(part) = parser.next_part().unwrap() {
                parts.push(part);
            }
        }
        parts
    }

    fn bodies(parts: &[Part]) -> Vec<&[u8]> {
        parts.iter().map(|part| part.body.as_slice()).collect()
    }

    #[test]
    fn parts_with_and_without_length_are_cut() {
        let stream =
            b"junk--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n--frame\r\n\r\n--frame\r\n\r\n\
                       no\r\nlength\r\n--frame\nX-Timestamp: 1714557600.25\ncontent-length: 2\n\nok--frame--";
        let whole = parse(TYPE, &[stream]);
        assert_eq!(bodies(&whole), [&b"--frame\r\n"[..], b"no\r\nlength", b"ok"]);
        assert_eq!(whole[2].timestamp, Some(Timestamp::from_unix_ms(1_714_557_600_250)));
        let bytes: Vec<_> = stream.chunks(1).collect();
        assert_eq!(bodies(&parse(TYPE, &bytes)), bodies(&whole));
    }

    #[test]
    fn a_part_arrives_with_its_headers_not_with_its_end() {
        let parts = parse(TYPE, &[b"--frame\r\n", b"Content-Length: 4\r\n\r\nab", b"cd"]);
        assert_eq!(parts[0].arrived_at, Timestamp::from_unix_ms(1));
    }

    #[test]
    fn boundaries_are_read_as_cameras_write_them() {
        for boundary in ["frame", "\"frame\"", "--frame", "----frame"] {
            let content_type = format!("Multipart/X-Mixed-Replace;charset=x; Boundary={boundary}");
            assert_eq!(parse(&content_type, &[b"--frame\r\nContent-Length: 1\r\n\r\nx"]).len(), 1, "{boundary}");
        }
        for wrong in
            ["image/jpeg", "multipart/x-mixed-replace", "text/html; boundary=x", "multipart/mixed; boundary=--"]
        {
            assert!(MultipartParser::new(wrong, 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        for stream in [
            b"--frame\r\nContent-Length: 101\r\n\r\n".to_vec(),
            [&b"--frame\r\n\r\n"[..], &[b'x'; 200]].concat(),
            [&b"--frame\r\n\r\n"[..], &[b'x'; 101], b"--frame"].concat(),
            [&b"--frame\r\n"[..], &[b'x'; MAX_HEADER_BYTES + 1]].concat(),
        ] {
            let mut parser = MultipartParser::new(TYPE, 100).unwrap();
            parser.feed(&stream, Timestamp::default());
            assert!(parser.next_part().is_err());
        }
        let mut parser = MultipartParser::new(TYPE, 100).unwrap();
        for _ in 0..100 {
            parser.feed(&[b'-'; 1000], Timestamp::default());
            assert_eq!(parser.next_part(), Ok(None));
            assert!(parser.buffer.len() < 20);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_without_panic(chunks in prop::collection::vec(".{0,30}|--frame|\r\n\r\n|Content-Length: [0-9]{1,22}", 0..30)) {
            let mut parser = MultipartParser::new(TYPE, 1000).unwrap();
            for chunk in chunks {
                parser.feed(chunk.as_bytes(), Timestamp::default());
                while let Ok(Some(part)) = parser.next_part() {
                    prop_assert!(part.body.len() <= 1000);
                }
            }
        }
    }
}
