//! MOTChallenge: `gt/gt.txt` and `seqinfo.ini` of a sequence of one camera.
//!
//! A line is `frame, id, left, top, width, height, asked, class, visibility`: frames from 1, boxes the visible extent in
//! pixels, classes those of MOT16 (1 pedestrian, 3 car, 4 bicycle, 5 motorbike, 6 other vehicle, 8 distractor).

use super::FrameTruth;
use crate::actor::ActorKind;
use std::fmt::Write;

/// Number of a kind in MOT16.
pub const fn class(kind: ActorKind) -> u8 {
    match kind {
        ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair => 1,
        ActorKind::Car | ActorKind::Van => 3,
        ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => 4,
        ActorKind::Motorcycle => 5,
        ActorKind::Truck | ActorKind::Bus | ActorKind::Tram => 6,
        ActorKind::Dog | ActorKind::Deer | ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier => 8,
    }
}

/// The text of `gt.txt`. Who is less than `least_visible` visible, and every distractor, is not asked for.
pub fn ground_truth(frames: &[FrameTruth], least_visible: f64) -> String {
    let mut out = String::new();
    for (number, frame) in frames.iter().enumerate() {
        for actor in &frame.actors {
            let Some([left, top, right, bottom]) = actor.visible_px else { continue };
            let class = class(actor.kind);
            let asked = u8::from(actor.visible >= least_visible && class != 8);
            let (width, height) = (right - left, bottom - top);
            let _ = writeln!(
                out,
                "{},{},{left:.1},{top:.1},{width:.1},{height:.1},{asked},{class},{:.3}",
                number + 1,
                actor.id.0,
                actor.visible
            );
        }
    }
    out
}

/// The text of `seqinfo.ini`; pictures are `img1/000001.jpg` onward.
pub fn sequence_info(name: &str, frames: usize, rate_hz: f64, size_px: [u32; 2]) -> String {
    let [width, height] = size_px;
    format!(
        "[Sequence]\nname={name}\nimDir=img1\nframeRate={rate_hz}\nseqLength={frames}\nimWidth={width}\nimHeight={height}\nimExt=.jpg\n"
    )
}
