//! Other stations, from their CAMs and VAMs.

use super::intake::{Reception, generation_time};
use super::{K95_TWO_DIMENSIONS, Ldm};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cam::{BasicContainer, Cam, HighFrequencyContainer, SpecialVehicleContainer};
use masa_v2x_proto::cdd::{PosConfidenceEllipse, Reading, ReferencePosition, Speed, StationId, StationType};
use masa_v2x_proto::geo::{Covariance2, Enu, SiteFrame, Wgs84};
use masa_v2x_proto::security::Verdict;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::vam::Vam;

/// A station that says where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Its id; a pseudonym, so it may change.
    pub id: StationId,
    /// What it is.
    pub station_type: StationType,
    /// The message it was last heard by: CAM or VAM.
    pub kind: MessageKind,
    /// Where it is.
    pub position: Option<Wgs84>,
    /// The same in the site frame.
    pub ground: Option<Enu>,
    /// Covariance of the position, where the message states its accuracy.
    pub covariance: Option<Covariance2>,
    /// Direction of travel, degrees clockwise from north.
    pub heading_deg: Option<f64>,
    /// Speed over ground, m/s.
    pub speed_mps: Option<f64>,
    /// Length and width, metres, where a vehicle states them.
    pub size_m: Option<[f64; 2]>,
    /// What its VAM says of clusters.
    pub cluster: ClusterView,
    /// It is an emergency or rescue vehicle whose light bar or siren is on. Not every CAM says so: the last one that did
    /// counts.
    pub priority_in_use: bool,
    /// The instant the position is given for.
    pub generated_at: Timestamp,
    /// When its newest message was taken.
    pub heard_at: Timestamp,
    /// Whether that message was signed.
    pub verdict: Verdict,
    /// When it is forgotten.
    pub(super) expires_at: Timestamp,
}

/// What a VAM says of clusters (TS 103 300-3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// The cluster it leads: id and number of members.
    pub leads: Option<(u8, u8)>,
    /// That cluster is about to end.
    pub breaks_up: bool,
    /// The cluster it is about to join.
    pub joins: Option<u8>,
    /// The cluster it has left.
    pub leaves: Option<u8>,
}

/// A message's position, when it states one; the height of the ellipsoid where it states none.
pub(super) fn wgs84(position: &ReferencePosition) -> Option<Wgs84> {
    let alt_m = position.altitude.value_m.and_then(Reading::value).unwrap_or(0.0);
    let (lat_deg, lon_deg) = position.latitude_deg.zip(position.longitude_deg)?;
    Some(Wgs84 { lat_deg, lon_deg, alt_m: f64::from(alt_m) })
}

/// The ground position of a WGS 84 position: its height is not asked for.
pub(super) fn ground(frame: &SiteFrame, position: Wgs84) -> Enu {
    frame.to_enu(Wgs84 { alt_m: frame.origin().alt_m, ..position })
}

impl Ldm {
    pub(super) fn take_cam(&mut self, cam: &Cam, reception: Reception) -> Result<(), &'static str> {
        let parameters = &cam.cam.cam_parameters;
        let (heading_deg, speed, size_m) = match &parameters.high_frequency_container {
            HighFrequencyContainer::BasicVehicle(vehicle) => {
                let metres = |value: Option<Reading>| value.and_then(Reading::value).map(f64::from);
                let size_m = metres(vehicle.vehicle_length.value_m).zip(metres(vehicle.vehicle_width_m));
                (vehicle.heading.value_deg, Some(vehicle.speed), size_m.map(<[f64; 2]>::from))
            }
            _ => (None, None, None),
        };
        let delta_time = cam.cam.generation_delta_time_ms;
        let in_use = match &parameters.special_vehicle_container {
            Some(SpecialVehicleContainer::Emergency(emergency)) => Some(emergency.light_bar_siren_in_use),
            Some(SpecialVehicleContainer::Rescue(rescue)) => Some(rescue.light_bar_siren_in_use),
            _ => None,
        };
        let known = self.stations.get(&reception.from).is_some_and(|known| known.priority_in_use);
        let neighbour = self.neighbour(MessageKind::Cam, delta_time, &parameters.basic_container, reception);
        self.keep_station(Neighbour {
            heading_deg: heading_deg.map(f64::from),
            speed_mps: speed.and_then(metres_per_second),
            size_m,
            priority_in_use: in_use.map_or(known, |in_use| in_use.mask() != 0),
            ..neighbour
        })
    }

    pub(super) fn take_vam(&mut self, vam: &Vam, reception: Reception) -> Result<(), &'static str> {
        let parameters = &vam.vam.vam_parameters;
        let movement = &parameters.vru_high_frequency_container;
        let cluster = parameters.vru_cluster_information_container.as_ref().map(|c| &c.vru_cluster_information);
        let operation = parameters.vru_cluster_operation_container.as_ref();
        let delta_time = vam.vam.generation_delta_time_ms;
        let neighbour = self.neighbour(MessageKind::Vam, delta_time, &parameters.basic_container, reception);
        self.keep_station(Neighbour {
            heading_deg: movement.heading.value_deg.map(f64::from),
            speed_mps: metres_per_second(movement.speed),
            cluster: ClusterView {
                leads: cluster.and_then(|c| Some((c.cluster_id?, c.cluster_cardinality_size))),
                breaks_up: operation.is_some_and(|o| o.cluster_breakup_info.is_some()),
                joins: operation.and_then(|o| Some(o.cluster_join_info?.cluster_id)),
                leaves: operation.and_then(|o| Some(o.cluster_leave_info?.cluster_id)),
            },
            ..neighbour
        })
    }

    fn neighbour(&self, kind: MessageKind, delta_time: u16, basic: &BasicContainer, reception: Reception) -> Neighbour {
        let position = wgs84(&basic.reference_position);
        let timeout_ms = match kind {
            MessageKind::Vam => self.settings.vru_timeout_ms,
            _ => self.settings.station_timeout_ms,
        };
        Neighbour {
            id: reception.from,
            station_type: basic.station_type,
            kind,
            position,
            ground: position.map(|position| ground(&self.frame, position)),
            covariance: covariance(&basic.reference_position.position_confidence_ellipse),
            heading_deg: None,
            speed_mps: None,
            size_m: None,
            cluster: ClusterView::default(),
            priority_in_use: false,
            generated_at: generation_time(delta_time, reception.now),
            heard_at: reception.now,
            verdict: reception.verdict,
            expires_at: reception.now.plus_ms(i64::from(timeout_ms)),
        }
    }

    fn keep_station(&mut self, neighbour: Neighbour) -> Result<(), &'static str> {
        let timeout = neighbour.expires_at.seconds_since(neighbour.heard_at);
        if self.is_future(neighbour.generated_at, neighbour.heard_at) {
            return Err("received-from-the-future");
        }
        if neighbour.heard_at.seconds_since(neighbour.generated_at) > timeout {
            return Err("received-too-old");
        }
        match self.stations.get(&neighbour.id) {
            Some(known) if known.generated_at > neighbour.generated_at => return Err("received-late"),
            Some(_) => {}
            None if self.stations.len() < usize::from(self.settings.max_stations) => {}
            None => return Err("ldm-stations-full"),
        }
        self.expires(neighbour.expires_at);
        self.stations.insert(neighbour.id, neighbour);
        Ok(())
    }
}

/// The covariance of a 95 % ellipse (TS 102 894-2); `None` where part of it is not stated or out of range.
fn covariance(ellipse: &PosConfidenceEllipse) -> Option<Covariance2> {
    let sigma_m = |axis: Option<Reading>| axis.and_then(Reading::value).map(|m| f64::from(m) / K95_TWO_DIMENSIONS);
    let (major, minor) = (sigma_m(ellipse.semi_major_m)?.powi(2), sigma_m(ellipse.semi_minor_m)?.powi(2));
    let (sin, cos) = f64::from(ellipse.semi_major_orientation_deg.unwrap_or(0.0)).to_radians().sin_cos();
    Some(Covariance2 {
        ee_m2: major * sin * sin + minor * cos * cos,
        en_m2: (major - minor) * sin * cos,
        nn_m2: major * cos * cos + minor * sin * sin,
    })
}

fn metres_per_second(speed: Speed) -> Option<f64> {
    speed.value_mps.and_then(Reading::value).map(f64::from)
}
