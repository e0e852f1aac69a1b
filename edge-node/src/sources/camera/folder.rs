//! A folder of JPEG and PNG pictures, in the order of their names, numbers compared as numbers.

use super::file::constant_rate_ns;
use super::picture;
use super::playback::Playback;
use super::settings::{FileNameUnit, FolderSettings, FolderTimes};
use super::sink::Flow;
use super::{CameraError, CameraSource, Context, Encoded};
use masa_v2x_proto::time::Timestamp;
use std::path::{Path, PathBuf};

/// Largest picture file read, bytes.
const MAX_PICTURE_BYTES: u64 = 64 << 20;

/// A folder being played.
pub(crate) struct FolderSource {
    settings: FolderSettings,
}

impl FolderSource {
    pub(crate) fn new(settings: FolderSettings) -> Self {
        Self { settings }
    }
}

impl CameraSource for FolderSource {
    fn run(&mut self, context: &mut Context) -> Result<String, CameraError> {
        let settings = &self.settings;
        let pictures = list(settings)?;
        let first_ns = pictures[0].media_ns;
        let start_at = match settings.times {
            FolderTimes::FileNames { .. } => settings.start_at.or(Some(Timestamp::from_unix_ns(first_ns))),
            FolderTimes::FrameRate { .. } => settings.start_at,
        };
        let mut playback = Playback::new(context, settings.pace, start_at);
        let summary = playback.play(settings.at_end, |playback| Ok(play_once(&pictures, playback)))?;
        if playback.shown() == 0 && playback.missing() > 0 {
            return Err(CameraError::File { path: settings.path.clone(), offset: 0, what: summary });
        }
        Ok(summary)
    }
}

/// The picture files of a folder in the order in which they are played: the k-th is frame k, from 1.
///
/// # Errors
/// The folder cannot be read or has no picture, or names do not say what `times` expects of them.
pub fn folder_pictures(settings: &FolderSettings) -> Result<Vec<PathBuf>, CameraError> {
    Ok(list(settings)?.into_iter().map(|picture| picture.path).collect())
}

struct Picture {
    path: PathBuf,
    /// From file names: Unix time. From a rate: since the first picture.
    media_ns: i64,
}

/// The pictures of the folder in order; at least one.
fn list(settings: &FolderSettings) -> Result<Vec<Picture>, CameraError> {
    let folder = &settings.path;
    let io = |source| CameraError::Io { path: folder.clone(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        if matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png")) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let what = "no .jpg, .jpeg or .png file in this folder".to_owned();
        return Err(CameraError::File { path: folder.clone(), offset: 0, what });
    }
    paths.sort_by_cached_key(|path| natural_key(&name_of(path)));
    let mut pictures = Vec::with_capacity(paths.len());
    for (number, path) in paths.into_iter().enumerate() {
        let media_ns = match settings.times {
            FolderTimes::FrameRate { hz } if hz > 0.0 && hz.is_finite() => constant_rate_ns(number as u64, hz),
            FolderTimes::FrameRate { hz } => {
                return Err(CameraError::Settings(format!("`times.hz` is {hz}, it must be above zero")));
            }
            FolderTimes::FileNames { unit } => {
                time_in_name(&name_of(&path), unit).ok_or_else(|| CameraError::File {
                    path: path.clone(),
                    offset: 0,
                    what: "no number in the name that could be its time".to_owned(),
                })?
            }
        };
        pictures.push(Picture { path, media_ns });
    }
    // Names order what has one rate; times order what has times.
    pictures.sort_by_key(|picture| picture.media_ns);
    Ok(pictures)
}

fn play_once(pictures: &[Picture], playback: &mut Playback<'_>) -> (i64, Flow) {
    let first_ns = pictures[0].media_ns;
    for picture in pictures {
        let media_ns = picture.media_ns - first_ns;
        let began = playback.context.clock.elapsed();
        match read(&picture.path) {
            Ok((bytes, (image, codec))) => {
                let decode_us = playback.context.clock.micros_since(began);
                let encoded = Encoded { codec, bytes: bytes.into() };
                if playback.show(media_ns, image, encoded, decode_us) == Flow::Stop {
                    return (0, Flow::Stop);
                }
            }
            Err(error) => playback.lose(media_ns, &error),
        }
    }
    (length_ns(pictures), Flow::Continue)
}

fn read(path: &Path) -> Result<(Vec<u8>, (masa_inference::RgbImage, super::Codec)), CameraError> {
    let io = |source| CameraError::Io { path: path.to_owned(), source };
    let wrong = |what| CameraError::File { path: path.to_owned(), offset: 0, what };
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > MAX_PICTURE_BYTES {
        return Err(wrong(format!("{length} bytes, more than {MAX_PICTURE_BYTES}")));
    }
    let bytes = std::fs::read(path).map_err(io)?;
    let picture = picture::decode(&bytes).map_err(wrong)?;
    Ok((bytes, picture))
}

/// From the first picture to one mean distance past the last; a lone picture lasts a second.
fn length_ns(pictures: &[Picture]) -> i64 {
    let span = pictures[pictures.len() - 1].media_ns - pictures[0].media_ns;
    match pictures.len() as i64 - 1 {
        0 => 1_000_000_000,
        gaps => span + span / gaps,
    }
}

fn name_of(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Sorts `frame2` before `frame10`.
fn natural_key(name: &str) -> Vec<(u128, String)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text_ends = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, after) = rest.split_at(text_ends);
        let digits_end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (digits, after) = after.split_at(digits_end);
        // Text compares first at equal position: (0, text) then (number, digits).
        key.push((0, text.to_owned()));
        if !digits.is_empty() {
            key.push((digits.parse().unwrap_or(u128::MAX), digits.to_owned()));
        }
        rest = after;
    }
    key
}

/// The last number in a name, as nanoseconds.
fn time_in_name(name: &str, unit: FileNameUnit) -> Option<i64> {
    let digits = name.split(|c: char| !c.is_ascii_digit()).rfind(|digits| !digits.is_empty())?;
    digits.parse::<i64>().ok()?.checked_mul(unit.ns())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_their_numbers() {
        let mut names = ["b1", "a10", "a9", "a9b", "a", "a010"];
        names.sort_by_cached_key(|name| natural_key(name));
        assert_eq!(names, ["a", "a9", "a9b", "a010", "a10", "b1"]);
    }

    #[test]
    fn times_are_read_from_the_last_number() {
        let ms = |name| time_in_name(name, FileNameUnit::Milliseconds);
        assert_eq!(ms("cam2_1714557600123"), Some(1_714_557_600_123_000_000));
        assert_eq!(ms("cam2_0007_left"), Some(7_000_000));
        assert_eq!(ms("left"), None);
        assert_eq!(ms("99999999999999999999"), None);
    }
}
