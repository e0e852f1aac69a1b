//! A connection to SUMO.
//!
//! In: calls, one at a time. Out: values. A message and its answer are bounded; a peer that says nothing for a minute is
//! given up.

use super::wire::{Reader, Value, WireError, write_command, write_text};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use thiserror::Error;

/// Longest message, bytes.
const MAX_MESSAGE: usize = 64 << 20;
/// How long SUMO may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What TraCI calls its domains: the number that its commands begin from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Domain {
    /// Traffic lights.
    Lights = 0x02,
    /// Vehicles.
    Vehicle = 0x04,
    /// Routes.
    Route = 0x06,
    /// The simulation itself.
    Simulation = 0x0b,
    /// People.
    Person = 0x0e,
}

impl Domain {
    fn of_subscription(response: u8) -> Option<Self> {
        let all = [Self::Lights, Self::Vehicle, Self::Route, Self::Simulation, Self::Person];
        all.into_iter().find(|domain| 0xe0 + *domain as u8 == response)
    }
}

/// Values by variable, of each object that was subscribed to.
pub type Results = BTreeMap<(Domain, String), BTreeMap<u8, Value>>;

/// Why a call failed.
#[derive(Debug, Error)]
pub enum TraciError {
    /// The connection.
    #[error("SUMO at {peer}: {source}")]
    Connection {
        /// Where SUMO is.
        peer: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// SUMO refused.
    #[error("SUMO refused command {command:#04x}: {reason}")]
    Refused {
        /// TraCI's number of the command.
        command: u8,
        /// What SUMO says.
        reason: String,
    },
    /// Bytes that are not TraCI.
    #[error("SUMO at {peer}: {source}")]
    Wire {
        /// Where SUMO is.
        peer: SocketAddr,
        /// Where in the message.
        source: WireError,
    },
    /// SUMO could not be started.
    #[error("cannot start {program}: {reason}")]
    Start {
        /// The program.
        program: String,
        /// What went wrong.
        reason: String,
    },
}

/// A connection to SUMO.
#[derive(Debug)]
pub struct Traci {
    stream: TcpStream,
    peer: SocketAddr,
}

const GET_VERSION: u8 = 0x00;
const SIMULATION_STEP: u8 = 0x02;
const CLOSE: u8 = 0x7f;

impl Traci {
    /// Connects.
    ///
    /// # Errors
    /// [`TraciError::Connection`]
    pub fn connect(peer: SocketAddr) -> Result<Self, TraciError> {
        let failed = |source| TraciError::Connection { peer, source };
        let stream = TcpStream::connect_timeout(&peer, PATIENCE).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        Ok(Self { stream, peer })
    }

    fn wire(&self) -> impl Fn(WireError) -> TraciError + use<> {
        let peer = self.peer;
        move |source| TraciError::Wire { peer, source }
    }

    /// Sends commands in one message and gives the whole answer.
    fn exchange(&mut self, commands: &[u8]) -> Result<Vec<u8>, TraciError> {
        let peer = self.peer;
        let failed = |source| TraciError::Connection { peer, source };
        let mut message = ((commands.len() + 4) as u32).to_be_bytes().to_vec();
        message.extend(commands);
        self.stream.write_all(&message).map_err(failed)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).map_err(failed)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(4..=MAX_MESSAGE).contains(&length) {
            return Err((self.wire())(WireError { at: 0, what: format!("a message of {length} bytes") }));
        }
        let mut answer = Vec::new();
        (&mut self.stream).take(length as u64 - 4).read_to_end(&mut answer).map_err(failed)?;
        if answer.len() < length - 4 {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(answer)
    }

    /// Reads the status that answers a command.
    fn status(reader: &mut Reader<'_>, command: u8) -> Result<Result<(), String>, WireError> {
        let (answered, mut content) = reader.command()?;
        if answered != command {
            return reader.wrong(format!("command {answered:#04x} was answered, not {command:#04x}"));
        }
        let result = content.byte()?;
        let reason = content.text()?;
        Ok(if result == 0 { Ok(()) } else { Err(reason) })
    }

    fn call(&mut self, command: u8, content: &[u8]) -> Result<Vec<u8>, TraciError> {
        let mut message = Vec::new();
        write_command(&mut message, command, content);
        let answer = self.exchange(&message)?;
        let mut reader = Reader::new(&answer);
        match Self::status(&mut reader, command).map_err(self.wire())? {
            Ok(()) => Ok(answer),
            Err(reason) => Err(TraciError::Refused { command, reason }),
        }
    }

    /// TraCI's version and SUMO's name.
    ///
    /// # Errors
    /// [`TraciError`]
    pub fn version(&mut self) -> Result<(i32, String), TraciError> {
        let answer = self.call(GET_VERSION, &[])?;
        let mut reader = Reader::new(&answer);
        let read = |reader: &mut Reader<'_>| {
            reader.command()?;
            let (_, mut content) = reader.command()?;
            Ok((content.integer()?, content.text()?))
        };
        read(&mut reader).map_err(self.wire())
    }

    /// Moves SUMO on by a step; what is subscribed to comes back.
    ///
    /// # Errors
    /// [`TraciError`]
    pub fn step(&mut self) -> Result<Results, TraciError> {
        let answer = self.call(SIMULATION_STEP, &0.0_f64.to_be_bytes())?;
        let read = || {
            let mut reader = Reader::new(&answer);
            reader.command()?;
            // Five bytes of header, an id and a count at least.
            let count = reader.count(6)?;
            let mut results = Results::new();
            for _ in 0..count {
                subscription(&mut reader, &mut results)?;
            }
            Ok(results)
        };
        read().map_err(self.wire())
    }

    /// Subscribes to variables of an object; their values now.
    ///
    /// # Errors
    /// [`TraciError`]
    pub fn subscribe(&mut self, domain: Domain, id: &str, variables: &[u8]) -> Result<Results, TraciError> {
        const FOREVER: f64 = 1073741824.0;
        let mut content = Vec::new();
        content.extend((-FOREVER).to_be_bytes());
        content.extend(FOREVER.to_be_bytes());
        write_text(&mut content, id);
        content.push(variables.len() as u8);
        content.extend(variables);
        let answer = self.call(0xd0 + domain as u8, &content)?;
        let read = || {
            let mut reader = Reader::new(&answer);
            reader.command()?;
            let mut results = Results::new();
            subscription(&mut reader, &mut results)?;
            Ok(results)
        };
        read().map_err(self.wire())
    }

    /// A variable of an object.
    ///
    /// # Errors
    /// [`TraciError`]
    pub fn get(&mut self, domain: Domain, variable: u8, id: &str) -> Result<Value, TraciError> {
        let mut content = vec![variable];
        write_text(&mut content, id);
        let answer = self.call(0xa0 + domain as u8, &content)?;
        let read = || {
            let mut reader = Reader::new(&answer);
            reader.command()?;
            let (_, mut content) = reader.command()?;
            content.byte()?;
            content.text()?;
            content.value()
        };
        read().map_err(self.wire())
    }

    /// Sets a variable of an object.
    ///
    /// # Errors
    /// [`TraciError`]
    pub fn set(&mut self, domain: Domain, variable: u8, id: &str, value: &Value) -> Result<(), TraciError> {
        let mut content = vec![variable];
        write_text(&mut content, id);
        value.write(&mut content);
        self.call(0xc0 + domain as u8, &content).map(|_| ())
    }

    /// Ends SUMO's run.
    ///
    /// # Errors
    /// [`TraciError`]
    pub fn close(&mut self) -> Result<(), TraciError> {
        self.call(CLOSE, &[]).map(|_| ())
    }
}

/// Reads the values of one object.
fn subscription(reader: &mut Reader<'_>, results: &mut Results) -> Result<(), WireError> {
    let (response, mut content) = reader.command()?;
    let Some(domain) = Domain::of_subscription(response) else {
        return reader.wrong(format!("a subscription's answer {response:#04x}"));
    };
    let id = content.text()?;
    let count = content.byte()?;
    let mut values = BTreeMap::new();
    for _ in 0..count {
        let (variable, status, value) = (content.byte()?, content.byte()?, content.value()?);
        if status == 0 {
            values.insert(variable, value);
        }
    }
    results.insert((domain, id), values);
    Ok(())
}
