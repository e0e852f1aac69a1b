//! `masa sim serve`: the simulator for clients.

use anyhow::Context;
use clap::Args;
use masa_sim::door::{Settings, SumoSettings, open};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Let clients (Python: sim/python) load worlds, step them, and put actors and sensors into them.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// A shipped map's name, or an OpenDRIVE or SUMO file; again for more files that clients may load. The first is loaded.
    #[arg(long, default_value = "masa")]
    map: Vec<String>,
    /// Where to listen. Other addresses than this machine's own need a token.
    #[arg(long, default_value = "127.0.0.1:2000")]
    listen: SocketAddr,
    /// What clients must show.
    #[arg(long, env = "MASA_SIM_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let shipped = |map: &String| masa_sim::Roads::SHIPPED.iter().any(|(name, _)| name == map);
        let (names, files): (Vec<_>, Vec<_>) = self.map.into_iter().partition(shipped);
        let maps = files.into_iter().map(PathBuf::from).collect();
        let map = names.into_iter().next().unwrap_or_default();
        serve(Settings { listen: self.listen, token: self.token, maps, map, sumo: None })
    }
}

/// Serves until it is interrupted.
pub(super) fn serve(settings: Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
    runtime.block_on(async {
        let opened = open(&settings).await?;
        println!("listening on {}", opened.address());
        let interrupted = async {
            // Without a handler there is nothing to wait for: it is ended from outside.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        Ok(opened.serve(interrupted).await?)
    })
}

/// Settings of a door onto SUMO's traffic.
pub(super) fn with_sumo(listen: SocketAddr, token: Option<String>, net: PathBuf, sumo: SumoSettings) -> Settings {
    Settings { listen, token, maps: vec![net], map: String::new(), sumo: Some(sumo) }
}
