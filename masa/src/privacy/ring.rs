//! `masa privacy key`, `open` and `openings`: the raw ring.

use anyhow::{Context, ensure};
use clap::Args;
use masa_edge_node::recorder::raw_ring::{Opening, RawKey, open, read_openings};
use masa_edge_node::sources::clock::Clock;
use masa_v2x_proto::time::Timestamp;
use std::path::PathBuf;

/// Make a key for `[raw-ring]` in a new file that only the owner can read.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// The new file.
    file: PathBuf,
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        RawKey::create(&self.file)?;
        println!("{}", self.file.display());
        Ok(())
    }
}

/// Where a ring is, and its key.
#[derive(Debug, Args)]
struct Ring {
    /// The ring's directory.
    directory: PathBuf,
    /// The ring's key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Decrypt raw pictures of the last minutes into a directory for the owner alone. The opening is logged first.
#[derive(Debug, Args)]
pub(crate) struct Open {
    #[command(flatten)]
    ring: Ring,
    /// Why it is opened: goes into the log.
    #[arg(long)]
    reason: String,
    /// Of this camera only.
    #[arg(long)]
    camera: Option<String>,
    /// From this time on (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Until this time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Where the pictures go.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let at: jiff::Timestamp = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    i64::try_from(at.as_nanosecond()).map(Timestamp::from_unix_ns).map_err(|_| "out of range".to_owned())
}

impl Open {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        ensure!(!self.reason.trim().is_empty(), "say why it is opened: --reason");
        let opening =
            Opening { by: user()?, reason: self.reason, camera: self.camera, from: self.from, until: self.until };
        let key = RawKey::load(&self.ring.key)?;
        let opened = open(&self.ring.directory, &key, &opening, Clock::system().now(), &self.output)?;
        println!("{} frames in {} files", opened.frames, opened.files.len());
        if opened.expired > 0 {
            println!("{} segments had had their time and were deleted", opened.expired);
        }
        Ok(())
    }
}

/// Who runs this: the number the system knows them by, and their name where it is told.
fn user() -> anyhow::Result<String> {
    use std::os::unix::fs::MetadataExt;
    // The owner of this process's entry is who it runs as.
    let uid = std::fs::metadata("/proc/self").context("/proc/self")?.uid();
    Ok(match std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")) {
        Ok(name) => format!("uid {uid} ({name})"),
        Err(_) => format!("uid {uid}"),
    })
}

/// Print who opened a ring, when and why; fails when the log was tampered with.
#[derive(Debug, Args)]
pub(crate) struct Openings {
    #[command(flatten)]
    ring: Ring,
}

impl Openings {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let records = read_openings(&self.ring.directory, &RawKey::load(&self.ring.key)?)?;
        for record in &records {
            let camera = record.camera.as_deref().unwrap_or("all cameras");
            let (from, until) = (record.from.as_deref().unwrap_or(""), record.until.as_deref().unwrap_or(""));
            println!("{}  {}  {camera}  {from}–{until}  {}", record.at, record.by, record.reason);
        }
        println!("{} openings, the log holds together", records.len());
        Ok(())
    }
}
