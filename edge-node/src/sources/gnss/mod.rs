//! A GNSS receiver that tells a mobile station where it is: NMEA 0183 over TCP, from gpsd, or from a serial device.
//!
//! In: [`GnssSettings`]. Out: a [`Worker`] that yields [`GnssOutput`]: the station's state once an epoch, what was refused
//! and why, and changes of state in words. RMC and GGA are needed; GST gives the accuracy, VTG the course where RMC has
//! none. Nothing that arrives can stop the source; a silent or lost receiver is connected to again, for ever.
//!
//! Absent: dead reckoning, acceleration and yaw rate (a vehicle's bus knows them), TLS, the receiver's set-up.

mod epoch;
mod sentence;
mod settings;

pub use settings::{GnssMedium, GnssSettings, GnssTime};

use crate::event::{EgoState, SourceState, StatusChange};
use crate::sources::backoff::Backoff;
use crate::sources::clock::{Clock, Waited};
use crate::sources::queue::{self, Sender, Sent, WhenFull};
use crate::sources::stop::StopToken;
use crate::sources::worker::{Worker, excerpt};
use epoch::Assembler;
use sentence::Lines;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// States that may wait for the core: a second of a fast receiver; beyond it the oldest go and are counted.
const QUEUE: usize = 16;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// What gpsd is asked for.
const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"nmea\":true};\n";

/// What comes out of a receiver.
#[derive(Clone, Debug, PartialEq)]
pub enum GnssOutput {
    /// Where the station is.
    Ego(EgoState),
    /// A line or an epoch that says nothing.
    Rejected {
        /// Why.
        reason: Reject,
        /// The beginning of the line.
        excerpt: String,
    },
    /// A change of state.
    Status(StatusChange),
}

/// Why a line, or an epoch, gives no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Longer than a sentence can be.
    #[error("longer than a sentence")]
    TooLong,
    /// Bytes that are not ASCII: another protocol, or the wrong bit rate.
    #[error("not ASCII text: another protocol, or the wrong bit rate")]
    NotText,
    /// No `$`, or no checksum.
    #[error("no sentence with a checksum")]
    NoSentence,
    /// The checksum is wrong.
    #[error("the checksum is {found:02X}, not {told:02X}")]
    Checksum {
        /// What the line says.
        told: u8,
        /// What it is.
        found: u8,
    },
    /// A sentence whose fields do not fit.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The receiver has no fix.
    #[error("the receiver has no fix")]
    NoFix,
    /// An epoch lacks a sentence.
    #[error("no {0} in this epoch")]
    Incomplete(&'static str),
    /// The receiver does not know date or time.
    #[error("the receiver does not know date or time")]
    NoTime,
    /// Not later than the state before.
    #[error("not later than the epoch before")]
    Late,
}

impl Reject {
    /// Name in metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::NotText => "not-text",
            Self::NoSentence => "no-sentence",
            Self::Checksum { .. } => "checksum",
            Self::Malformed(_) => "malformed",
            Self::NoFix => "no-fix",
            Self::Incomplete(_) => "incomplete",
            Self::NoTime => "no-time",
            Self::Late => "late",
        }
    }
}

/// Reads a receiver. `salt` is the source's number: it makes waits differ between sources.
///
/// # Errors
/// When the system refuses a thread. A receiver that cannot be reached shows as a state.
pub fn spawn(settings: &GnssSettings, salt: u64, clock: Clock, stop: &StopToken) -> io::Result<Worker<GnssOutput>> {
    let (sender, receiver) = queue::bounded(QUEUE, WhenFull::DropOldest);
    let stop = stop.child();
    let backoff = Backoff::new(settings.reconnect.clone(), salt);
    let source = Source { settings: settings.clone(), sender, clock, stop: stop.clone() };
    Worker::start("gnss", receiver, stop, move || source.run(backoff))
}

struct Source {
    settings: GnssSettings,
    sender: Sender<GnssOutput>,
    clock: Clock,
    stop: StopToken,
}

/// Why a connection is over.
enum End {
    Stopped,
    /// A file was read.
    Read,
    Lost(String),
}

impl Source {
    async fn run(self, mut backoff: Backoff) {
        let from = match &self.settings.source {
            GnssMedium::Tcp(address) => address.clone(),
            GnssMedium::Gpsd(address) => format!("gpsd at {address}"),
            GnssMedium::Device(path) => path.display().to_string(),
        };
        self.status(SourceState::Connecting, format!("connecting to {from}"));
        loop {
            let what = match self.serve(&from, &mut backoff).await {
                End::Stopped => break,
                End::Read => return self.status(SourceState::Ended, format!("{from}: read to its end")),
                End::Lost(what) => what,
            };
            let wait = backoff.next_wait();
            let detail = format!("{from}: {what}; next attempt in {:.1} s", wait.as_secs_f64());
            self.status(SourceState::Connecting, detail);
            if self.clock.sleep(wait, &self.stop).await == Waited::Stopped {
                break;
            }
        }
        self.status(SourceState::Ended, "stopped".to_owned());
    }

    /// Reads until the connection ends.
    async fn serve(&self, from: &str, backoff: &mut Backoff) -> End {
        let opened = tokio::select! {
            () = self.stop.stopped() => return End::Stopped,
            opened = tokio::time::timeout(CONNECT, open(&self.settings.source)) => opened,
        };
        let (mut bytes, ends) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return End::Lost(error.to_string()),
            Err(_) => return End::Lost(format!("no answer within {} s", CONNECT.as_secs())),
        };
        let silence = Duration::try_from_secs_f64(self.settings.silence_s).unwrap_or(Duration::MAX);
        let mut reading = Reading { assembler: Assembler::new(&self.settings), is_up: false };
        let (mut lines, mut buffer) = (Lines::default(), [0; 1024]);
        loop {
            let read = tokio::select! {
                () = self.stop.stopped() => return End::Stopped,
                read = tokio::time::timeout(silence, bytes.read(&mut buffer)) => read,
            };
            match read {
                Ok(Ok(0)) if ends => return End::Read,
                Ok(Ok(0)) => return End::Lost("closed by the other side".to_owned()),
                Ok(Ok(count)) => lines.take(&buffer[..count], |line| self.take(line, from, &mut reading, backoff)),
                Ok(Err(error)) => return End::Lost(error.to_string()),
                Err(_) => return End::Lost(format!("silent for {} s", self.settings.silence_s)),
            }
        }
    }

    fn take(&self, line: &[u8], from: &str, reading: &mut Reading, backoff: &mut Backoff) {
        // gpsd tells of itself in JSON, between the receiver's sentences.
        if line.starts_with(b"{") && matches!(self.settings.source, GnssMedium::Gpsd(_)) {
            return;
        }
        let sentence = match sentence::parse(line) {
            Ok(sentence) => sentence,
            Err(reason) => return self.reject(reason, line),
        };
        if !reading.is_up {
            reading.is_up = true;
            backoff.reset();
            self.status(SourceState::Up, format!("{from}: the receiver talks"));
        }
        match sentence.and_then(|sentence| reading.assembler.take(sentence, self.clock.now())) {
            None => {}
            Some(Ok(state)) => {
                if let Sent::Displaced(_) | Sent::Refused(_) = self.sender.send(GnssOutput::Ego(state)) {
                    metrics::counter!("masa_gnss_dropped_total", "reason" => "queue-full").increment(1);
                }
            }
            Some(Err(reason)) => self.reject(reason, line),
        }
    }

    fn reject(&self, reason: Reject, line: &[u8]) {
        let excerpt = excerpt(line);
        // Ten a second from a receiver with the wrong bit rate: the counter tells the operator.
        tracing::debug!(%reason, excerpt, "nothing from the receiver");
        self.sender.report(GnssOutput::Rejected { reason, excerpt });
    }

    fn status(&self, state: SourceState, detail: String) {
        tracing::info!(?state, detail, "GNSS receiver");
        self.sender.report(GnssOutput::Status(StatusChange { name: "gnss".to_owned(), state, detail }));
    }
}

/// What one connection has said.
struct Reading {
    assembler: Assembler,
    is_up: bool,
}

/// The bytes of a medium, and whether they have an end.
async fn open(medium: &GnssMedium) -> io::Result<(Box<dyn AsyncRead + Send + Unpin>, bool)> {
    match medium {
        GnssMedium::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream), false))
        }
        GnssMedium::Gpsd(address) => {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            stream.write_all(WATCH).await?;
            Ok((Box::new(stream), false))
        }
        GnssMedium::Device(path) if tokio::fs::metadata(path).await?.is_file() => {
            Ok((Box::new(tokio::fs::File::open(path).await?), true))
        }
        GnssMedium::Device(path) => {
            // Without blocking: a read from a silent device could not be given up.
            #[cfg(unix)]
            return Ok((
                Box::new(tokio::net::unix::pipe::OpenOptions::new().unchecked(true).open_receiver(path)?),
                false,
            ));
            #[cfg(not(unix))]
            Err(io::Error::new(io::ErrorKind::Unsupported, format!("{}: not a file", path.display())))
        }
    }
}
