//! Writes a data set of shipped networks or files:
//! `cargo run -p masa-sim --release --example dataset -- DIR IMAGES SEED MAP…`

use masa_sim::random::Seed;
use masa_sim::truth::dataset::{self, DatasetSettings};
use masa_sim::Roads;
use std::path::Path;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, images, seed, names @ ..] = arguments.as_slice() else {
        return Err("dataset DIR IMAGES SEED MAP…".into());
    };
    let mut maps = Vec::new();
    for name in names {
        let roads = Roads::shipped(name).or_else(|_| Roads::load(name))?;
        let stem = Path::new(name).file_name().and_then(|n| n.to_str()).unwrap_or(name);
        maps.push((stem.split('.').next().unwrap_or(stem).to_owned(), Arc::new(roads)));
    }
    let settings = DatasetSettings::new(maps, images.parse()?, Seed(seed.parse()?));
    let summary = dataset::write(&settings, Path::new(directory))?;
    println!("{} images; {:?}", summary.images, summary.annotations);
    Ok(())
}
