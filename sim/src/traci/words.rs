//! SUMO's words for classes, lights and signals.

use crate::actor::{ActorKind, Lights, Role};
use crate::roads::SignalState;

/// Clockwise from north, as SUMO has it.
pub(super) fn heading_deg(yaw_rad: f64) -> f64 {
    (90.0 - yaw_rad.to_degrees()).rem_euclid(360.0)
}

/// SUMO's vehicle classes as kinds.
const CLASSES: [(&str, ActorKind, Role); 20] = [
    ("passenger", ActorKind::Car, Role::Ordinary),
    ("private", ActorKind::Car, Role::Ordinary),
    ("taxi", ActorKind::Car, Role::Ordinary),
    ("hov", ActorKind::Car, Role::Ordinary),
    ("evehicle", ActorKind::Car, Role::Ordinary),
    ("vip", ActorKind::Car, Role::Ordinary),
    ("authority", ActorKind::Car, Role::Emergency),
    ("emergency", ActorKind::Van, Role::Emergency),
    ("delivery", ActorKind::Van, Role::Ordinary),
    ("truck", ActorKind::Truck, Role::Ordinary),
    ("trailer", ActorKind::Truck, Role::Ordinary),
    ("bus", ActorKind::Bus, Role::PublicTransport),
    ("coach", ActorKind::Bus, Role::Ordinary),
    ("tram", ActorKind::Tram, Role::PublicTransport),
    ("rail_urban", ActorKind::Tram, Role::PublicTransport),
    ("rail", ActorKind::Tram, Role::PublicTransport),
    ("motorcycle", ActorKind::Motorcycle, Role::Ordinary),
    ("moped", ActorKind::Motorcycle, Role::Ordinary),
    ("bicycle", ActorKind::Bicycle, Role::Ordinary),
    ("scooter", ActorKind::EScooter, Role::Ordinary),
];

/// What a class is; one that is not known is a car.
pub(super) fn kind_of(class: &str) -> (ActorKind, Role) {
    let found = CLASSES.iter().find(|(name, ..)| *name == class);
    found.map_or((ActorKind::Car, Role::Ordinary), |(_, kind, role)| (*kind, *role))
}

/// The class of a kind in SUMO; `None` for what does not drive.
pub(super) fn class_of(kind: ActorKind) -> Option<&'static str> {
    match kind {
        ActorKind::CargoBike => Some("bicycle"),
        kind => CLASSES.iter().find(|(_, known, _)| *known == kind).map(|(name, ..)| *name),
    }
}

/// SUMO's bits: right 1, left 2, hazard 4, brake 8, front 16, …, emergency blue 2048.
pub(super) fn lights_of(bits: u32) -> Lights {
    let on = |bit: u32| bits & bit != 0;
    Lights {
        low_beam: on(16),
        brake: on(8),
        left: on(2) || on(4),
        right: on(1) || on(4),
        beacon: on(2048) || on(4096) || on(8192),
    }
}

/// SUMO's letters of a signal's links.
pub(super) fn states_of(letters: &str) -> Vec<SignalState> {
    let state = |letter| match letter {
        'G' => SignalState::GreenMajor,
        'g' => SignalState::GreenMinor,
        'y' | 'Y' => SignalState::Yellow,
        'u' => SignalState::RedYellow,
        'o' => SignalState::OffBlinking,
        'O' => SignalState::Off,
        // `s`: who turns right stops, then goes.
        _ => SignalState::Red,
    };
    letters.chars().map(state).collect()
}
