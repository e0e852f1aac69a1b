//! The picture under the site map: a PMTiles archive, given by byte ranges.

use super::routes::Desk;
use crate::api::Problem;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::io::SeekFrom;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Longest range of one answer, bytes.
const MAX_RANGE_BYTES: u64 = 4 << 20;

/// `/control-room/background`: one range of the archive, which must be asked for (RFC 9110, clause 14).
pub(super) async fn background(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Problem> {
    let path = desk.background.as_deref().ok_or_else(|| Problem::NotFound("there is no background".into()))?;
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(range);
    let (from, to) = range.ok_or_else(|| Problem::Invalid("Range: bytes=<first>-<last>, at most 4 MiB".into()))?;
    let (bytes, size) = read(path, from, to).await.map_err(|error| {
        tracing::warn!(%error, path = %path.display(), "the background cannot be read");
        Problem::Unavailable("the background cannot be read".into())
    })?;
    if bytes.is_empty() {
        return Ok(
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, format!("bytes */{size}"))]).into_response()
        );
    }
    let content_range = format!("bytes {from}-{}/{size}", from + bytes.len() as u64 - 1);
    let kind = "application/vnd.pmtiles".to_owned();
    Ok((StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, content_range), (header::CONTENT_TYPE, kind)], bytes)
        .into_response())
}

/// First and last byte of a range that is short enough.
fn range(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = (from.parse::<u64>().ok()?, to.parse::<u64>().ok()?);
    (from <= to && to - from < MAX_RANGE_BYTES).then_some((from, to))
}

/// The bytes that there are between two positions, and the size of the file.
async fn read(path: &Path, from: u64, to: u64) -> std::io::Result<(Vec<u8>, u64)> {
    let mut file = tokio::fs::File::open(path).await?;
    let size = file.metadata().await?.len();
    if from >= size {
        return Ok((Vec::new(), size));
    }
    file.seek(SeekFrom::Start(from)).await?;
    let mut bytes = Vec::new();
    file.take(to - from + 1).read_to_end(&mut bytes).await?;
    Ok((bytes, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_whole_in_order_and_short() {
        assert_eq!(range("bytes=0-16383"), Some((0, 16_383)));
        for bad in [
            "bytes=5-4",
            "bytes=0-",
            "bytes=-5",
            "items=0-1",
            "bytes=0-1,3-4",
            "bytes=0-4194304",
            "bytes=0-18446744073709551616",
        ] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_range_ends_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pmtiles");
        std::fs::write(&path, b"0123456789").unwrap();
        assert_eq!(read(&path, 2, 4).await.unwrap(), (b"234".to_vec(), 10));
        assert_eq!(read(&path, 8, 99).await.unwrap(), (b"89".to_vec(), 10));
        assert_eq!(read(&path, 10, 12).await.unwrap(), (Vec::new(), 10));
    }
}
