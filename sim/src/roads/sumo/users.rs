//! Who may use a lane: SUMO's vehicle classes.

use crate::roads::{LaneKind, Users};

/// A vehicle class, the users it stands for, and whether it alone decides that they are kept off. Classes that no actor has
/// (ships, aircraft, `custom1`…) stand for nobody.
const CLASSES: &[(&str, Users, bool)] = &[
    ("all", Users::ALL, true),
    ("passenger", Users::CAR, true),
    ("truck", Users::TRUCK, true),
    ("trailer", Users::TRUCK, false),
    ("bus", Users::BUS, true),
    ("coach", Users::BUS, false),
    ("tram", Users::RAIL, true),
    ("rail_urban", Users::RAIL, false),
    ("rail", Users::RAIL, false),
    ("rail_electric", Users::RAIL, false),
    ("rail_fast", Users::RAIL, false),
    ("subway", Users::RAIL, false),
    ("cable_car", Users::RAIL, false),
    ("motorcycle", Users::MOTORCYCLE, true),
    ("moped", Users::MOTORCYCLE, false),
    ("bicycle", Users::BICYCLE, true),
    ("scooter", Users::BICYCLE, false),
    ("pedestrian", Users::PEDESTRIAN, true),
    ("wheelchair", Users::PEDESTRIAN, false),
    ("emergency", Users::EMERGENCY, true),
    ("taxi", Users::TAXI, true),
    ("delivery", Users::DELIVERY, true),
    ("private", Users::NONE, false),
    ("authority", Users::NONE, false),
    ("army", Users::NONE, false),
    ("vip", Users::NONE, false),
    ("hov", Users::NONE, false),
    ("evehicle", Users::NONE, false),
    ("ship", Users::NONE, false),
    ("container", Users::NONE, false),
    ("aircraft", Users::NONE, false),
    ("drone", Users::NONE, false),
    ("custom1", Users::NONE, false),
    ("custom2", Users::NONE, false),
    // Names of old networks.
    ("public_transport", Users::BUS, false),
    ("public_emergency", Users::EMERGENCY, false),
    ("public_authority", Users::NONE, false),
    ("public_army", Users::NONE, false),
    ("ignoring", Users::NONE, false),
];

/// Users of a lane with these `allow` and `disallow` lists, or the class that is not known.
pub(super) fn users(allow: Option<&str>, disallow: Option<&str>) -> Result<Users, String> {
    let mut users = Users::ALL;
    if let Some(list) = allow {
        users = Users::NONE;
        for class in list.split_whitespace() {
            users = users | find(class)?.0;
        }
    }
    for class in disallow.unwrap_or_default().split_whitespace() {
        let (class, alone) = find(class)?;
        if alone {
            users.0 &= !class.0;
        }
    }
    Ok(users)
}

fn find(class: &str) -> Result<(Users, bool), String> {
    let found = CLASSES.iter().find(|(name, ..)| *name == class).map(|(_, users, alone)| (*users, *alone));
    found.ok_or_else(|| format!("vehicle class `{class}` is not known"))
}

/// What a lane for these users looks like.
pub(super) fn kind(users: Users) -> LaneKind {
    match users {
        Users::NONE => LaneKind::Verge,
        Users::PEDESTRIAN => LaneKind::Sidewalk,
        Users::RAIL => LaneKind::Rail,
        Users::EMERGENCY => LaneKind::Shoulder,
        users if (Users::BICYCLE | Users::PEDESTRIAN).contains(users) => LaneKind::Bicycle,
        _ => LaneKind::Driving,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_classes_become_users() {
        assert_eq!(users(None, None), Ok(Users::ALL));
        assert_eq!(users(Some("bus taxi"), None), Ok(Users::BUS | Users::TAXI));
        assert_eq!(users(Some("bicycle"), None).map(kind), Ok(LaneKind::Bicycle));
        let road = users(None, Some("pedestrian tram rail_urban rail rail_electric rail_fast ship bicycle"));
        assert_eq!(road.map(|users| users | Users::BICYCLE), Ok(Users::ROAD));
        // Trailers may not, other goods vehicles may.
        assert_eq!(users(None, Some("trailer")), Ok(Users::ALL));
        assert_eq!(users(None, Some("all")).map(kind), Ok(LaneKind::Verge));
        assert_eq!(users(Some("bys"), None), Err("vehicle class `bys` is not known".to_owned()));
    }
}
