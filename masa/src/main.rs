//! The command line of MASA: run a node, replay and explain its recordings, listen to what it says.

mod calibrate;
mod data_room;
mod demo;
mod doctor;
mod explain;
mod georeference;
mod listen;
mod node;
mod pki;
mod privacy;
mod replay;
mod sim;
mod terminal;
mod track;
mod v2x;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Smart-road edge runtime: cameras and sensors in, ETSI V2X messages out, over Zenoh and MQTT.
#[derive(Debug, Parser)]
#[command(name = "masa", version, max_term_width = 110)]
struct Arguments {
    /// What to log: error, warn, info, debug, trace, or a tracing filter such as `masa_links=debug`.
    #[arg(long, global = true, env = "MASA_LOG", default_value = "info")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Node(node::NodeCommand),
    Doctor(doctor::Doctor),
    Listen(listen::Listen),
    DataRoom(data_room::DataRoomCommand),
    Replay(replay::Replay),
    Sim(sim::Sim),
    Explain(explain::Explain),
    Georeference(georeference::Georeference),
    Calibrate(calibrate::Calibrate),
    Pki(pki::Pki),
    Privacy(privacy::Privacy),
    V2x(v2x::V2x),
    Track(track::Track),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    terminal::init_logging(&arguments.log);
    let result = match arguments.command {
        Command::Demo(command) => command.run(),
        Command::Node(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Listen(command) => command.run(),
        Command::DataRoom(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Sim(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Georeference(command) => command.run(),
        Command::Calibrate(command) => command.run(),
        Command::Pki(command) => command.run(),
        Command::Privacy(command) => command.run(),
        Command::V2x(command) => command.run(),
        Command::Track(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that closes the pipe has seen enough.
        Err(error) if terminal::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("masa: {error:#}");
            ExitCode::FAILURE
        }
    }
}
