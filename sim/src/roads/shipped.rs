//! Networks that come with the program (`sim/maps`).

use super::Roads;
use super::error::RoadsError;

macro_rules! shipped {
    ($($name:literal: $doc:literal),* $(,)?) => {
        /// Name, what it is, network and scenery of each.
        const MAPS: &[(&str, &str, &str, &str)] = &[$((
            $name,
            $doc,
            include_str!(concat!("../../maps/", $name, ".net.xml")),
            include_str!(concat!("../../maps/", $name, ".scenery.toml")),
        )),*];

        impl Roads {
            /// Names of the networks that [`Roads::shipped`] gives, and what each is.
            pub const SHIPPED: &'static [(&'static str, &'static str)] = &[$(($name, $doc)),*];
        }
    };
}
shipped! {
    "masa": "a signalised city junction with bicycle lanes, and a side street with zebra crossings and parked cars",
    "bend": "a road with a blind bend and a zebra crossing behind it",
    "roundabout": "a roundabout with four arms and zebra crossings",
    "boulevard": "two lanes each way, bus lanes, tram tracks, stops, two signalised junctions and a crossing",
    "motorway": "three lanes each way with hard shoulders, an exit and an entry",
}

impl Roads {
    /// A network that comes with the program, with its scenery; [`Roads::SHIPPED`] lists them.
    pub fn shipped(name: &str) -> Result<Self, RoadsError> {
        let Some((name, _, network, scenery)) = MAPS.iter().find(|map| map.0 == name) else {
            let nearest = MAPS.iter().map(|map| (strsim::osa_distance(name, map.0), map.0)).min();
            let near = nearest.filter(|(distance, _)| *distance <= 3).map(|(_, near)| near.to_owned());
            return Err(RoadsError::NotShipped { name: name.to_owned(), near });
        };
        let mut roads = Self::from_sumo(network, &format!("{name}.net.xml"))?;
        roads.add_scenery(scenery, &format!("{name}.scenery.toml"))?;
        Ok(roads)
    }
}
