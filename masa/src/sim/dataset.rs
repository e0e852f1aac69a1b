//! `masa sim dataset`: rendered pictures with their truth, to train and test detectors.

use anyhow::Context;
use clap::Args;
use masa_sim::Roads;
use masa_sim::random::Seed;
use masa_sim::truth::dataset::{self, DatasetSettings};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Write a data set: JPEG pictures of many places, lights and weathers, and COCO files of all and of each network.
#[derive(Debug, Args)]
pub(crate) struct Dataset {
    /// Folder that gets `images` and `annotations`.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// How many pictures, of all networks together.
    #[arg(long, default_value_t = 100)]
    images: usize,
    /// Networks: names of shipped ones (`masa sim map --list`) or `.net.xml` and `.xodr` files.
    #[arg(long, value_name = "NAME|FILE", value_delimiter = ',', required = true)]
    maps: Vec<String>,
    /// Decides places, actors, lights and noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Width and height, pixels.
    #[arg(long, value_name = "WIDTH,HEIGHT", value_delimiter = ',', num_args = 2, default_values_t = [640, 384])]
    size: Vec<u32>,
    /// Pictures of one camera in one weather.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    images_per_camera: u16,
}

impl Dataset {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let maps = self.maps.iter().map(|name| network(name)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut settings = DatasetSettings::new(maps, self.images, Seed(self.seed));
        settings.images_per_camera = usize::from(self.images_per_camera);
        if let [width, height] = self.size[..] {
            anyhow::ensure!((16..=4096).contains(&width) && (16..=4096).contains(&height), "a picture of {width}×{height} pixels");
            settings.size_px = [width, height];
        }
        let summary = dataset::write(&settings, &self.output)?;
        println!("{} pictures in {}", summary.images, self.output.display());
        for path in summary.annotations {
            println!("{}", path.display());
        }
        Ok(())
    }
}

/// A network with the name that its annotations get: the file's name up to the first dot.
fn network(name: &str) -> anyhow::Result<(String, Arc<Roads>)> {
    let path = Path::new(name);
    let roads = if path.is_file() { Roads::load(name)? } else { Roads::shipped(name)? };
    let file = path.file_name().and_then(|file| file.to_str()).with_context(|| format!("{name} has no name"))?;
    Ok((file.split('.').next().unwrap_or(file).to_owned(), Arc::new(roads)))
}
