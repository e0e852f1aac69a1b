//! How kinds accelerate and brake.

use crate::actor::ActorKind;

/// How one usually accelerates and brakes, metres a second squared.
pub(super) const fn usual_mps2(kind: ActorKind) -> f64 {
    match kind {
        ActorKind::Car | ActorKind::Van | ActorKind::Motorcycle => 2.0,
        ActorKind::Truck | ActorKind::Bus | ActorKind::Tram => 1.2,
        ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => 1.2,
        ActorKind::Dog | ActorKind::Deer => 4.0,
        _ => 2.5,
    }
}

/// The hardest one can brake on a dry road, metres a second squared.
pub(super) const fn hardest_mps2(kind: ActorKind) -> f64 {
    match kind {
        ActorKind::Truck | ActorKind::Bus => 6.5,
        ActorKind::Tram => 2.7,
        ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => 5.0,
        _ => 8.0,
    }
}
