//! `masa sim xosc`: an OpenSCENARIO file, checked and run.

use anyhow::{Context, bail};
use clap::Args;
use masa_sim::openscenario::{Files, Network, Scenario, Storyboard};
use masa_sim::{Roads, Weather, World};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// Run an OpenSCENARIO XML file and print what happens when; or say which element is not supported, with its line.
#[derive(Debug, Args)]
pub(crate) struct Xosc {
    /// The scenario.
    scenario: PathBuf,
    /// The OpenDRIVE file, whatever the scenario names.
    #[arg(long)]
    roads: Option<PathBuf>,
    /// Where to look for catalogs and roads, besides the places that the scenario names.
    #[arg(long)]
    directory: Vec<PathBuf>,
    /// A parameter instead of the file's own, as NAME=VALUE.
    #[arg(long, value_parser = pair)]
    parameter: Vec<(String, String)>,
    /// Length of a step, seconds.
    #[arg(long, default_value_t = 0.05)]
    step: f64,
    /// End after this many seconds, if the scenario has not ended itself.
    #[arg(long, default_value_t = 120.0)]
    duration: f64,
    /// Write each entity's state of each step here, as CSV.
    #[arg(long)]
    trajectories: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Xosc {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if !(0.001..=1.0).contains(&self.step) {
            bail!("a step of {} s is not within 0.001 and 1", self.step);
        }
        let parameters = self.parameter.into_iter().collect();
        let files = Files { roads: self.roads, directories: self.directory, parameters };
        let scenario = Arc::new(Scenario::load(&self.scenario, &files)?);
        let network = scenario.roads.as_ref().map(|file| Network::load(file)).transpose()?.unwrap_or_default();
        let roads = scenario.roads.as_ref().map(Roads::load).transpose()?.unwrap_or_default();
        let roads = Arc::new(roads);
        let storyboard = Storyboard::new(scenario.clone(), Arc::new(network), Some(roads.clone()), 2)?;
        let status = storyboard.status();
        let mut world = World::new(roads, self.step, Weather::default());
        world.add(Box::new(storyboard));
        let mut table = self
            .trajectories
            .map(|path| {
                let file = std::fs::File::create(&path).with_context(|| path.display().to_string())?;
                let mut table = std::io::BufWriter::new(file);
                writeln!(table, "time_s,entity,x_m,y_m,yaw_rad,speed_mps,acceleration_mps2")?;
                anyhow::Ok(table)
            })
            .transpose()?;
        let mut told = 0;
        loop {
            if let Some(table) = &mut table {
                let now = world.now();
                for actor in &now.actors {
                    let name = &scenario.entities[(actor.id.0 & 0xff_ffff) as usize].name;
                    let p = actor.pose.position;
                    let (yaw, speed, acceleration) = (actor.pose.yaw_rad, actor.speed_mps, actor.acceleration_mps2);
                    writeln!(
                        table,
                        "{:.3},{name},{:.4},{:.4},{yaw:.5},{speed:.4},{acceleration:.4}",
                        now.time_s, p.x, p.y
                    )?;
                }
            }
            let (ended_s, weather) = {
                let status = status.lock().map_err(|_| anyhow::anyhow!("the storyboard panicked"))?;
                for (time_s, path, transition) in &status.log[told..] {
                    println!("{time_s:8.2} s  {transition:5}  {path}");
                }
                told = status.log.len();
                (status.ended_s, status.weather)
            };
            if let Some(ended_s) = ended_s {
                println!("{ended_s:8.2} s  the storyboard has ended");
                break;
            }
            if world.now().time_s >= self.duration - 1e-9 {
                println!("{:8.2} s  time is up", self.duration);
                break;
            }
            if let Some(weather) = weather {
                world.set_weather(weather);
            }
            world.step();
        }
        Ok(())
    }
}
