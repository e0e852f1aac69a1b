//! The resize before the network beside OpenCV's: the same random picture, the same sizes, one thread.
//!
//! Ours is what `masa_inference` does before it fills the tensor: two taps, no anti-aliasing, vector instructions that the
//! processor has (`fast_image_resize`). Prints times, ratios and how far the two results are apart.

use clap::Parser;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use masa_benches::{ask_peer, least_us};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Deserialize;
use std::ffi::OsString;
use std::hint::black_box;
use std::path::PathBuf;

/// Source and target, pixels: the junction clip for YOLOX-Nano and FastestDet, HD and 4K for the former.
const SIZES: [[u32; 4]; 4] =
    [[800, 600, 416, 312], [800, 600, 352, 352], [1_920, 1_080, 416, 234], [3_840, 2_160, 416, 234]];
const CALLS: u32 = 200;

/// The resize before the network beside OpenCV's.
#[derive(Debug, Parser)]
struct Arguments {
    /// Python with opencv and numpy for the peer; without it ours runs alone.
    #[arg(long, env = "MASA_PYTHON")]
    python: Option<PathBuf>,
}

/// What the peer says.
#[derive(Deserialize)]
struct Report {
    us: f64,
    /// Mean and greatest difference of a byte of its result from ours.
    difference: (f64, u8),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    println!("source → target           ours, µs   OpenCV / ours   difference, mean and greatest");
    for [from_w, from_h, to_w, to_h] in SIZES {
        let mut source = vec![0; (from_w * from_h * 3) as usize];
        Pcg64Mcg::seed_from_u64(1).fill_bytes(&mut source);
        let mut target = vec![0; (to_w * to_h * 3) as usize];
        let mut resizer = Resizer::new();
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
        let ours_us = {
            let source = TypedImageRef::<U8x3>::from_buffer(from_w, from_h, &source)?;
            let mut target = TypedImage::<U8x3>::from_buffer(to_w, to_h, &mut target)?;
            let mut resized = Ok(());
            let us =
                least_us(CALLS, || (), |()| resized = resizer.resize_typed(black_box(&source), &mut target, &options));
            resized?;
            us
        };
        print!("{:<26} {ours_us:>8.1}", format!("{from_w}×{from_h} → {to_w}×{to_h}"));
        if let Some(python) = &arguments.python {
            let (picture, result) = (folder.path().join("picture"), folder.path().join("result"));
            std::fs::write(&picture, &source)?;
            std::fs::write(&result, &target)?;
            let mut words: Vec<OsString> = vec![picture.into(), result.into()];
            words.extend([from_w, from_h, to_w, to_h].map(|side| side.to_string().into()));
            let Report { us, difference: (mean, greatest) } = ask_peer(python, "resize.py", &words)?;
            print!(" {:>15.2}   {mean:.2}, {greatest}", us / ours_us);
        }
        println!();
    }
    Ok(())
}
