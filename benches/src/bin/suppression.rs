//! Non-maximum suppression beside every pair compared, OpenCV and supervision.
//!
//! All are given the same boxes of four classes; the program fails where they keep others. Prints times of one thread and
//! ratios.

use anyhow::ensure;
use clap::Parser;
use masa_benches::{ask_peer, least_us};
use masa_inference::description::SuppressAcross;
use masa_inference::suppression::{Candidate, MAX_CANDIDATES, MAX_DETECTIONS, suppress};
use masa_inference::{BoundingBox, ObjectClass};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;

const IOU: f32 = 0.5;
const CALLS: u32 = 1_000;

/// Non-maximum suppression beside every pair compared, OpenCV and supervision.
#[derive(Debug, Parser)]
struct Arguments {
    /// Python with opencv, numpy and supervision for the peers; without it ours runs beside every pair only.
    #[arg(long, env = "MASA_PYTHON")]
    python: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    println!("candidates  stay  ours, µs  every pair / ours");
    for (count, objects) in [(100, 12), (100, 100), (1_000, 120), (8_400, 200)] {
        let scene = scene(count, objects);
        let (ours_us, stay) = measure(&scene, |found| suppress(found, Some(IOU), SuppressAcross::Class));
        let (pairs_us, of_pairs) = measure(&scene, every_pair);
        ensure!(stay == of_pairs, "{count} candidates: every pair compared keeps others");
        print!("{count:>10} {:>5} {ours_us:>9.1} {:>18.2}", stay.len(), pairs_us / ours_us);
        if let Some(python) = &arguments.python {
            let path = folder.path().join("scene.json");
            let boxes: Vec<_> = scene.iter().map(|found| (found.corners, found.class.index(), found.score)).collect();
            std::fs::write(&path, serde_json::to_vec(&boxes)?)?;
            let peers: BTreeMap<String, (f64, Vec<u32>)> = ask_peer(python, "suppression.py", &[path.into()])?;
            for (peer, (us, theirs)) in peers {
                ensure!(stay == theirs, "{count} candidates: {peer} keeps others");
                print!("   {peer} / ours {:.1}", us / ours_us);
            }
        }
        println!();
    }
    Ok(())
}

/// `count` boxes of four classes around `objects` places of a picture of 1920×1080, as a detector with a low threshold
/// gives them.
fn scene(count: usize, objects: usize) -> Vec<Candidate> {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let mut within = |low: f32, high: f32| random.random_range(low..high);
    let places: Vec<_> = (0..objects)
        .map(|_| [within(0.0, 1_800.0), within(0.0, 1_000.0), within(12.0, 122.0), within(12.0, 82.0)])
        .collect();
    let place = |order: usize| {
        let [x, y, w, h] = places[order % objects];
        let (x, y) = (x + within(0.0, 0.1 * w), y + within(0.0, 0.1 * h));
        let class = ObjectClass::ALL[order % objects % 4];
        Candidate { corners: [x, y, x + w, y + h], class, score: within(0.0, 1.0), order: order as u32 }
    };
    (0..count).map(place).collect()
}

/// The least time, microseconds, and the orders of what stayed.
fn measure(scene: &[Candidate], call: impl Fn(&mut Vec<Candidate>)) -> (f64, Vec<u32>) {
    let us = least_us(CALLS, || black_box(scene).to_vec(), &call);
    let mut found = scene.to_vec();
    call(&mut found);
    (us, found.iter().map(|candidate| candidate.order).collect())
}

/// The same suppression without a look at what is near.
fn every_pair(candidates: &mut Vec<Candidate>) {
    let by_rank = |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score).then(a.order.cmp(&b.order));
    if candidates.len() > MAX_CANDIDATES {
        candidates.select_nth_unstable_by(MAX_CANDIDATES - 1, by_rank);
        candidates.truncate(MAX_CANDIDATES);
    }
    candidates.sort_unstable_by(by_rank);
    let boxed = |[x1_px, y1_px, x2_px, y2_px]: [f32; 4]| BoundingBox { x1_px, y1_px, x2_px, y2_px };
    let mut kept: Vec<Candidate> = Vec::with_capacity(MAX_DETECTIONS);
    for candidate in candidates.iter() {
        let is_double = |better: &Candidate| {
            better.class == candidate.class && boxed(better.corners).iou(&boxed(candidate.corners)) > IOU
        };
        if kept.len() < MAX_DETECTIONS && !kept.iter().any(is_double) {
            kept.push(*candidate);
        }
    }
    *candidates = kept;
}
