//! `masa data-room`: the city side, and its records as files.

mod token;

use crate::terminal;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use masa_data_room::store::embedded::EmbeddedStore;
use masa_data_room::store::export::{Export, export};
use masa_data_room::store::{Filter, Personal, Store};
use masa_data_room::{DataRoom, DataRoomSettings, Kind, Source, Tenant};
use masa_edge_node::config::parse_toml;
use masa_links::clock;
use masa_v2x_proto::time::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Time that the batch under way gets when the data room stops.
const FLUSH: Duration = Duration::from_secs(5);

/// Run a data room: what every node says, stored once, queryable, served on one port.
///
/// Without a configuration it needs nothing: a broker on 127.0.0.1:1883, records in ./data-room, servers on 127.0.0.1:8090.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DataRoomCommand {
    /// The data room's configuration file.
    #[arg(value_name = "CONFIG")]
    config: Option<PathBuf>,
    /// Stop after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    #[command(subcommand)]
    command: Option<Subcommands>,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    Export(ExportCommand),
    Token(token::TokenCommand),
}

/// Write records into a Parquet file, also while the data room runs.
#[derive(Debug, Args)]
struct ExportCommand {
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    parquet: PathBuf,
    /// The data room's configuration file; absent: the store in ./data-room.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose records.
    #[arg(long, default_value = "city")]
    tenant: String,
    /// Only this kind; may be repeated.
    #[arg(long, value_parser = kind_of)]
    kind: Vec<Kind>,
    /// Only of this node: site and station, such as modena/4001.
    #[arg(long, value_name = "SITE/STATION", value_parser = source_of)]
    source: Option<Source>,
    /// Measured from here on, RFC 3339, such as 2026-05-01T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    from: Option<Timestamp>,
    /// Measured before.
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    until: Option<Timestamp>,
    /// Personal data too; leaves an audit entry, and an embedded data room must not be running.
    #[arg(long)]
    personal: bool,
}

fn kind_of(name: &str) -> Result<Kind, String> {
    Kind::try_from(name.to_owned())
}

fn source_of(text: &str) -> Result<Source, String> {
    let (site, station) = text.split_once('/').ok_or("expected site/station")?;
    let station = station.parse().map_err(|_| format!("{station:?} is no station"))?;
    Ok(Source { site: site.to_owned(), station })
}

fn time_of(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp = text.parse().map_err(|e| format!("{e}"))?;
    Ok(Timestamp::from_unix_ms(time.as_millisecond()))
}

fn settings(config: Option<&Path>) -> anyhow::Result<DataRoomSettings> {
    let Some(path) = config else { return Ok(DataRoomSettings::default()) };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut settings: DataRoomSettings = parse_toml(&text, path, &|name| std::env::var(name).ok())?;
    // Relative to the file it stands in.
    let api = &mut settings.api;
    for file in [&mut settings.store.embedded.folder, &mut api.folder].into_iter().chain(&mut api.notify_authorities) {
        *file = path.parent().unwrap_or(Path::new("")).join(&*file);
    }
    Ok(settings)
}

impl DataRoomCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
        runtime.block_on(async {
            match self.command {
                Some(Subcommands::Export(command)) => command.run().await,
                Some(Subcommands::Token(command)) => command.run(),
                None => run(&settings(self.config.as_deref())?, self.duration).await,
            }
        })
    }
}

async fn run(settings: &DataRoomSettings, duration: Option<f64>) -> anyhow::Result<()> {
    let duration = duration.map(Duration::try_from_secs_f64).transpose().context("--duration")?;
    let data_room = DataRoom::start(settings).await?;
    println!("data room: http://{}/", data_room.address());
    if let Some(broker) = data_room.broker_address() {
        println!("nodes publish to: mqtt://{broker}");
    }
    terminal::until_stopped(duration).await?;
    let report = data_room.room().ledger.report();
    data_room.shutdown(FLUSH).await;
    println!("{} records of {} sources stored, {} duplicates", report.stored, report.sources.len(), report.duplicates);
    for (reason, count) in &report.refused {
        println!("  {count} refused: {reason}");
    }
    if let Some(trouble) = &report.trouble {
        bail!("the store took nothing at the end: {trouble}");
    }
    Ok(())
}

impl ExportCommand {
    async fn run(self) -> anyhow::Result<()> {
        let settings = settings(self.config.as_deref())?;
        let store: Arc<dyn Store> = match (&settings.store.postgres, self.personal) {
            (None, false) => Arc::new(EmbeddedStore::open_to_read(&settings.store.embedded)?),
            _ => masa_data_room::run::open_store(&settings.store).await?,
        };
        let what = Export {
            filter: Filter {
                tenant: Tenant::new(self.tenant)?,
                kinds: self.kind,
                source: self.source,
                personal: if self.personal { Personal::Include } else { Personal::Exclude },
                ..Filter::default()
            },
            from: self.from.unwrap_or(Timestamp::from_unix_ns(i64::MIN)),
            until: self.until.unwrap_or(Timestamp::from_unix_ns(i64::MAX)),
            by: "masa data-room export".into(),
            at: clock::now(),
        };
        let exported = export(store.as_ref(), &what, &self.parquet).await?;
        store.close().await;
        match exported.records {
            0 => println!("no such records; no file written"),
            records => println!("{records} records, {} bytes: {}", exported.bytes, self.parquet.display()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_configuration_is_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/data-room/city.toml");
        let settings = settings(Some(&path)).expect("deploy/data-room/city.toml");
        assert!(settings.store.postgres.is_some() && settings.policies.faults().is_none());
        assert_eq!(settings.ingest.tenants.len(), 2);
        assert!(settings.broker().is_none(), "the city has its own");
    }

    #[test]
    fn a_misspelt_key_is_named_with_file_and_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("room.toml");
        std::fs::write(&path, "sweep-s = 300\n[policies]\nopen-day = 3\n").expect("written");
        let error = format!("{:#}", settings(Some(&path)).expect_err("no such key"));
        assert!(error.contains("room.toml:3") && error.contains("did you mean `open-days`"), "{error}");
    }

    #[test]
    fn sources_and_times_are_read_from_words() {
        assert_eq!(source_of("modena/4001"), Ok(Source { site: "modena".into(), station: 4001 }));
        assert!(source_of("modena").is_err() && source_of("modena/x").is_err());
        assert_eq!(time_of("2026-05-01T08:00:00Z"), Ok(Timestamp::from_unix_ms(1_777_622_400_000)));
        assert!(kind_of("denm").is_ok() && kind_of("dnm").is_err());
    }
}
