//! SUMO as a child process, and its configuration.

use super::client::{Traci, TraciError};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A SUMO that runs for us; it ends when this is dropped.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    /// The connection.
    pub traci: Traci,
}

impl Drop for Launched {
    fn drop(&mut self) {
        // Whoever does not listen any more is ended.
        let closed = self.traci.close();
        if closed.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Starts SUMO on a configuration, with steps of `step_s` seconds and `arguments` of its own, and connects.
///
/// # Errors
/// [`TraciError`]
pub fn launch(program: &Path, config: &Path, step_s: f64, arguments: &[String]) -> Result<Launched, TraciError> {
    let failed = |reason: String| TraciError::Start { program: program.display().to_string(), reason };
    // A free port: somebody may take it before SUMO does, which then says so.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let port = port.map_err(|error| failed(error.to_string()))?.port();
    let mut child = Command::new(program)
        .arg("--configuration-file")
        .arg(config)
        .args(["--remote-port", &port.to_string(), "--step-length", &step_s.to_string()])
        .args(["--no-step-log", "true"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let said = wait_until_it_listens(&mut child).map_err(&failed);
    let connected = said.and_then(|()| Traci::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    match connected {
        Ok(traci) => Ok(Launched { child, traci }),
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// Reads what SUMO prints until it says that it listens; the rest is read by threads, so that it never blocks.
fn wait_until_it_listens(child: &mut Child) -> Result<(), String> {
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("its output cannot be read".to_owned());
    };
    let errors = std::thread::spawn(move || {
        let mut said = String::new();
        for line in BufReader::new(err).lines().map_while(Result::ok) {
            tracing::debug!(line, "SUMO");
            if said.len() < 4000 {
                said.push_str(&line);
                said.push('\n');
            }
        }
        said
    });
    let mut lines = BufReader::new(out).lines();
    let listens = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Starting server on port"));
    if !listens {
        return Err(errors.join().unwrap_or_default().trim().to_owned());
    }
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| tracing::debug!(line, "SUMO")));
    Ok(())
}

/// The network that a configuration names.
///
/// # Errors
/// What is wrong with the configuration.
pub fn network_of(config: &Path) -> Result<PathBuf, String> {
    let said = |what: &dyn std::fmt::Display| format!("{}: {what}", config.display());
    let text = std::fs::read_to_string(config).map_err(|error| said(&error))?;
    let document = roxmltree::Document::parse(&text).map_err(|error| said(&error))?;
    let file = document
        .descendants()
        .find(|node| matches!(node.tag_name().name(), "net-file" | "net" | "n"))
        .and_then(|node| node.attribute("value").or_else(|| node.attribute("v")));
    match file {
        Some(file) => Ok(config.parent().unwrap_or(Path::new("")).join(file)),
        None => Err(said(&"it names no <net-file>")),
    }
}

/// The SUMO program: `SUMO_HOME/bin/sumo` where that is set, else `sumo` of the search path.
pub fn program() -> PathBuf {
    let home = std::env::var_os("SUMO_HOME").map(|home| Path::new(&home).join("bin/sumo"));
    home.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("sumo"))
}
