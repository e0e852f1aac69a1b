//! `masa sim map`: a picture of a road network, or the site map of a control room.

use anyhow::Context;
use clap::Args;
use masa_sim::Roads;
use masa_sim::roads::picture::{PictureSettings, picture};
use std::path::{Path, PathBuf};

/// Draw a road network: a SUMO or OpenDRIVE file, or one that comes with the program.
#[derive(Debug, Args)]
pub(crate) struct Map {
    /// A `.net.xml` or `.xodr` file, or the name of a shipped network (`masa sim map --list`).
    #[arg(value_name = "FILE|NAME", required_unless_present = "list")]
    network: Option<String>,
    /// Where the picture goes (PNG), or the site map of a control room (GeoJSON, `.geojson`).
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    output: Option<PathBuf>,
    /// Longer side of the picture, pixels.
    #[arg(long, default_value_t = 1600, value_parser = clap::value_parser!(u32).range(64..=8192))]
    size: u32,
    /// Name the shipped networks.
    #[arg(long)]
    list: bool,
}

impl Map {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.list {
            for (name, what) in Roads::SHIPPED {
                println!("{name:<12} {what}");
            }
        }
        let (Some(network), Some(output)) = (&self.network, &self.output) else { return Ok(()) };
        let roads = if Path::new(network).is_file() { Roads::load(network)? } else { Roads::shipped(network)? };
        if output.extension().is_some_and(|extension| extension == "geojson") {
            let map = roads.to_geojson().context("the source does not say where on the globe the network is")?;
            std::fs::write(output, map.to_string()).with_context(|| format!("writing {}", output.display()))?;
            println!(
                "{}: {} features in {}",
                roads.name,
                map["features"].as_array().map_or(0, Vec::len),
                output.display()
            );
            return Ok(());
        }
        let settings = PictureSettings { size_px: self.size, ..PictureSettings::default() };
        let picture = picture(&roads, None, &settings);
        picture.save(output).with_context(|| format!("writing {}", output.display()))?;
        println!(
            "{}: {} edges, {} lanes, {} junctions, {} signal controllers; {} × {} pixels in {}",
            roads.name,
            roads.edges.len(),
            roads.lanes.len(),
            roads.junctions.len(),
            roads.signals.len(),
            picture.width(),
            picture.height(),
            output.display()
        );
        Ok(())
    }
}
