//! Repairs recordings that a crash or power cut left without an end, so that seeking readers accept them again.

use super::Error;
use mcap::io::MessageReader;
use mcap::sans_io::LinearReaderOptions;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The last eight bytes of a finished MCAP file.
const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The file.
    pub path: PathBuf,
    /// Messages kept.
    pub messages: u64,
}

/// The `.mcap` files of `directory`, in name order; a missing directory has none.
///
/// # Errors
/// When the directory cannot be read.
pub fn recordings(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::Io { path: directory.to_owned(), source }),
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "mcap"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// Rewrites `path` with a proper end when it has none; `None` when it was whole.
///
/// # Errors
/// When the file cannot be read or rewritten; the original is then untouched.
pub fn repair(path: &Path) -> Result<Option<Repair>, Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let container = |source| Error::Container { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    if is_finished(&mut file).map_err(io)? {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let temporary = path.with_extension("mcap.repair");
    let output = File::create(&temporary).map_err(io)?;
    let mut writer = mcap::Writer::new(BufWriter::new(output)).map_err(container)?;
    let options = LinearReaderOptions::default().with_skip_end_magic(true);
    let mut messages = 0;
    for message in MessageReader::new_with_options(BufReader::new(file), options) {
        // Whatever follows the first broken record was never whole.
        let Ok(message) = message else { break };
        writer.write(&message).map_err(container)?;
        messages += 1;
    }
    writer.finish().map_err(container)?;
    drop(writer);
    fs::rename(&temporary, path).map_err(io)?;
    Ok(Some(Repair { path: path.to_owned(), messages }))
}

fn is_finished(file: &mut File) -> std::io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    if length < 2 * MAGIC.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-(MAGIC.len() as i64)))?;
    let mut tail = [0; 8];
    file.read_exact(&mut tail)?;
    Ok(tail == MAGIC)
}
