//! What the services of a site count, and where: the TOML that `docs/services.md` describes.
//!
//! Everything lies in the plane of the site's origin, as in the site file of its nodes. A checked site never fails.

use super::crowd::CrowdZoneSettings;
use super::environment::SensorSettings;
use super::parking::{BaySettings, ParkingSettings};
use super::road_users::FollowSettings;
use super::shape::{Place, is_sound};
use super::traffic_flow::{ApproachSettings, GateSettings, MovementSettings, TrafficFlowSettings};
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// Most gates, approaches, movements, bays, zones and sensors of a site, each.
pub const MAX_PARTS: usize = 512;

/// Where the plane of a site touches the earth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Origin {
    /// Latitude, degrees north.
    pub latitude_deg: f64,
    /// Longitude, degrees east.
    pub longitude_deg: f64,
    /// Height above the ellipsoid, metres.
    #[serde(default)]
    pub altitude_m: f64,
}

/// The services of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceSite {
    /// Name of the site, as its nodes say it.
    pub site: String,
    /// Where its plane touches the earth.
    pub origin: Origin,
    /// Minutes that local time is ahead of UTC: by it a forecast knows the time of day.
    #[serde(default)]
    pub utc_offset_min: i32,
    /// How road users are followed.
    #[serde(default)]
    pub follow: FollowSettings,
    /// How traffic is counted.
    #[serde(default)]
    pub traffic_flow: TrafficFlowSettings,
    /// Lines at which is counted.
    #[serde(default, rename = "gate")]
    pub gates: Vec<GateSettings>,
    /// Lanes on which queues are measured.
    #[serde(default, rename = "approach")]
    pub approaches: Vec<ApproachSettings>,
    /// What is known of movements between arms; others are counted all the same.
    #[serde(default, rename = "movement")]
    pub movements: Vec<MovementSettings>,
    /// When bays change.
    #[serde(default)]
    pub parking: ParkingSettings,
    /// Parking bays.
    #[serde(default, rename = "bay")]
    pub bays: Vec<BaySettings>,
    /// Where people are counted.
    #[serde(default, rename = "crowd-zone")]
    pub crowd_zones: Vec<CrowdZoneSettings>,
    /// Sensors whose neighbours are known.
    #[serde(default, rename = "sensor")]
    pub sensors: Vec<SensorSettings>,
}

/// Why a site's services cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ServiceSiteError(pub String);

impl ServiceSite {
    /// Reads a site's file.
    ///
    /// # Errors
    /// A file that cannot be read or is not such a file; it is not checked.
    pub fn load(path: &Path) -> Result<Self, ServiceSiteError> {
        let wrong = |what: String| ServiceSiteError(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
    }

    /// The plane.
    pub fn frame(&self) -> SiteFrame {
        let Origin { latitude_deg, longitude_deg, altitude_m } = self.origin;
        SiteFrame::new(Wgs84 { lat_deg: latitude_deg, lon_deg: longitude_deg, alt_m: altitude_m })
    }

    /// Where on earth a place of the plane is.
    pub fn wgs84(&self, place: Place) -> Wgs84 {
        self.frame().to_wgs84(Enu::ground(place[0], place[1]))
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// What is wrong, by name.
    pub fn check(&self) -> Result<(), ServiceSiteError> {
        let wrong = |what: String| Err(ServiceSiteError(what));
        let Origin { latitude_deg, longitude_deg, .. } = self.origin;
        if !(-85.0..=85.0).contains(&latitude_deg) || !(-180.0..=180.0).contains(&longitude_deg) {
            return wrong(format!("origin: {latitude_deg}, {longitude_deg} is no place between 85° south and north"));
        }
        let names = [
            ("gate", self.gates.iter().map(|gate| gate.id.as_str()).collect::<Vec<_>>()),
            ("approach", self.approaches.iter().map(|approach| approach.id.as_str()).collect()),
            ("bay", self.bays.iter().map(|bay| bay.id.as_str()).collect()),
            ("crowd-zone", self.crowd_zones.iter().map(|zone| zone.id.as_str()).collect()),
        ];
        for (what, ids) in names {
            if ids.len() > MAX_PARTS {
                return wrong(format!("{} of {what}, the most is {MAX_PARTS}", ids.len()));
            }
            let mut known = BTreeSet::new();
            for id in ids {
                let letters = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
                if id.is_empty() || id.len() > 48 || !letters {
                    return wrong(format!("{what} `{id}`: an id has 1 to 48 letters, digits, `-`, `_` or `.`"));
                }
                if !known.insert(id) {
                    return wrong(format!("{what} `{id}` is listed twice"));
                }
            }
        }
        if self.sensors.len() > MAX_PARTS || self.movements.len() > MAX_PARTS {
            return wrong(format!("more than {MAX_PARTS} sensors or movements"));
        }
        for gate in &self.gates {
            if !is_sound(&gate.line_m.0, 2) || gate.line_m.length_m() < 0.5 || gate.lanes == 0 {
                return wrong(format!("gate `{}`: a line of half a metre or more, and a lane", gate.id));
            }
        }
        for approach in &self.approaches {
            if !is_sound(&approach.way_m.0, 2) || !(0.5..=30.0).contains(&approach.width_m) {
                return wrong(format!("approach `{}`: two points or more, and a width of 0.5 to 30 m", approach.id));
            }
        }
        let bays = self.bays.iter().map(|bay| ("bay", &bay.id, &bay.polygon_m));
        let zones = self.crowd_zones.iter().map(|zone| ("crowd-zone", &zone.id, &zone.polygon_m));
        for (what, id, area) in bays.chain(zones) {
            if !is_sound(&area.0, 3) || area.size_m2() < 0.5 {
                return wrong(format!("{what} `{id}`: three corners or more around half a square metre or more"));
            }
        }
        match self.movements.iter().find(|movement| !(1.0..=60.0).contains(&movement.free_flow_mps)) {
            Some(bad) => wrong(format!("movement `{}` to `{}`: free-flow-mps is 1 to 60", bad.from, bad.to)),
            None => Ok(()),
        }
    }
}
