//! Runs a detector on images and prints what it sees and how long each stage takes:
//! `cargo run --release -p masa-inference --example detect -- MODEL.toml [--model FILE] [--library LIB] [--provider P]
//! [--repeat N] IMAGE…`

use std::{path::PathBuf, process::ExitCode};

use masa_inference::{Detector, EngineKind, EngineSettings, ExecutionProvider, RgbImage, StageTimes};

/// Largest image side that is read, pixels.
const MAX_SIDE_PX: u32 = 8192;

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = EngineSettings::default();
    let (mut paths, mut model, mut repeat) = (Vec::new(), None, 1_u32);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--model" => model = Some(PathBuf::from(value()?)),
            "--library" => {
                settings.engine = EngineKind::Onnxruntime;
                settings.library = Some(value()?.into());
            }
            "--provider" => {
                settings.provider = match value()?.as_str() {
                    "cpu" => ExecutionProvider::Cpu,
                    "cuda" => ExecutionProvider::Cuda,
                    "tensorrt" => ExecutionProvider::Tensorrt,
                    other => return Err(format!("provider {other}: not cpu, cuda or tensorrt").into()),
                };
            }
            "--repeat" => repeat = value()?.parse()?,
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    let [description, images @ ..] = paths.as_slice() else { return Err("which model description?".into()) };
    let mut detector = Detector::open(description, model.as_deref(), &settings)?;
    println!("{} on {} ({})", detector.description().model.name, settings.engine, detector.provider());
    let mut detections = Vec::new();
    for path in images {
        let image = RgbImage::decode(&std::fs::read(path)?, MAX_SIDE_PX)?;
        let times: Result<Vec<StageTimes>, _> =
            (0..repeat.max(1)).map(|_| detector.detect(&image, &mut detections)).collect();
        let times = times?;
        println!("{} {}×{}", path.display(), image.width, image.height);
        for detection in &detections {
            let b = detection.bounding_box;
            let (class, score) = (detection.class, detection.score);
            println!("  {class:?} {score:.3} [{:.1}, {:.1}, {:.1}, {:.1}]", b.x1_px, b.y1_px, b.x2_px, b.y2_px);
        }
        let median = |stage: fn(&StageTimes) -> u32| {
            let mut all: Vec<u32> = times.iter().map(stage).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        println!(
            "  median µs of {}: preprocess {}, inference {}, postprocess {}",
            times.len(),
            median(|t| t.preprocess_us),
            median(|t| t.inference_us),
            median(|t| t.postprocess_us)
        );
    }
    Ok(())
}
