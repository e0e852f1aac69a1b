//! `masa sim cosim`: SUMO moves the traffic, our world shows it.

use anyhow::{Context, bail};
use clap::Args;
use masa_sim::door::SumoSettings;
use masa_sim::traci::{Sumo, launch, network_of, program};
use masa_sim::{Roads, Weather, World};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Run SUMO's traffic in our world, through TraCI: alone for some time, or with a door for clients.
#[derive(Debug, Args)]
pub(crate) struct Cosim {
    /// SUMO's configuration.
    config: PathBuf,
    /// SUMO's program; unless told that of SUMO_HOME, or of the search path.
    #[arg(long)]
    sumo: Option<PathBuf>,
    /// Length of a step, seconds.
    #[arg(long, default_value_t = 0.1)]
    step: f64,
    /// How long to run without a door, seconds.
    #[arg(long, default_value_t = 300.0, conflicts_with = "listen")]
    duration: f64,
    /// Let clients in here: they step the world.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// What clients must show.
    #[arg(long, env = "MASA_SIM_TOKEN", hide_env_values = true, requires = "listen")]
    token: Option<String>,
}

impl Cosim {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if !(0.001..=1.0).contains(&self.step) {
            bail!("a step of {} s is not within 0.001 and 1", self.step);
        }
        let net = network_of(&self.config).map_err(anyhow::Error::msg)?;
        let sumo = self.sumo.unwrap_or_else(program);
        if let Some(listen) = self.listen {
            let sumo = SumoSettings { program: sumo, config: self.config };
            return super::serve::serve(super::serve::with_sumo(listen, self.token, net, sumo));
        }
        let roads = Arc::new(Roads::load(&net).with_context(|| net.display().to_string())?);
        let sumo = Sumo::new(launch(&sumo, &self.config, self.step, &[])?, roads.clone())?;
        let handle = sumo.handle();
        let mut world = World::new(roads, self.step, Weather::default());
        world.set_signal_control(handle.signals());
        world.add(Box::new(sumo));
        let steps = (self.duration / self.step).round() as u64;
        let each = (60.0 / self.step).round().max(1.0) as u64;
        for step in 1..=steps {
            let now = world.step();
            if let Some(error) = handle.state().error {
                bail!(error);
            }
            if step % each == 0 || step == steps {
                let (count, state) = (now.actors.len(), handle.state());
                let mean = now.actors.iter().map(|actor| actor.speed_mps).sum::<f64>() / count.max(1) as f64;
                println!(
                    "{:7.1} s: {count} on the road at {mean:.1} m/s; {} vehicles and {} people departed",
                    now.time_s, state.vehicles, state.people
                );
            }
        }
        Ok(())
    }
}
