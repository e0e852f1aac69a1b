//! What other stations perceive, from their CPMs.

use super::intake::Reception;
use super::stations::{ground, wgs84};
use super::{K95_ONE_DIMENSION, Ldm};
use masa_v2x_proto::cdd::{ObjectClass, PerceivedObject, Reading, StationId, StationType, Velocity3d};
use masa_v2x_proto::cpm::Cpm;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;

/// What an object of another station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivedObjectKind {
    /// A vehicle of this type.
    Vehicle(StationType),
    /// A vulnerable road user, or a group of them.
    Vru,
    /// Something else.
    Other,
    /// Not stated.
    Unknown,
}

/// An object that another station perceives.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedObject {
    /// Who perceives it.
    pub station: StationId,
    /// Its id at that station.
    pub object_id: u16,
    /// What it is most likely.
    pub kind: ReceivedObjectKind,
    /// Where it is, in the site frame.
    pub position: Enu,
    /// Covariance of the position, where the message states its accuracy.
    pub covariance: Option<Covariance2>,
    /// Velocity towards east, m/s.
    pub velocity_e_mps: Option<f64>,
    /// Velocity towards north, m/s.
    pub velocity_n_mps: Option<f64>,
    /// `objectPerceptionQuality`, 0 to 15.
    pub quality: Option<u8>,
    /// When it was measured.
    pub measured_at: Timestamp,
    /// When it is forgotten.
    pub(super) expires_at: Timestamp,
}

impl Ldm {
    pub(super) fn take_cpm(&mut self, cpm: &Cpm, reception: Reception) -> Result<(), &'static str> {
        let management = &cpm.payload.management_container;
        let reference_time = Timestamp::from(management.reference_time);
        if self.is_future(reference_time, reception.now) {
            return Err("received-from-the-future");
        }
        let reference = wgs84(&management.reference_position).ok_or("received-without-position")?;
        let reference = ground(&self.frame, reference);
        let container = cpm.payload.cpm_containers.perceived_object.as_ref();
        for perceived in container.iter().flat_map(|container| &container.perceived_objects) {
            let measured_at = reference_time.plus_ms(i64::from(perceived.measurement_delta_time_ms));
            let expires_at = measured_at.plus_ms(i64::from(self.settings.object_timeout_ms));
            let object = received_object(perceived, reference, reception.from, measured_at, expires_at);
            match object {
                Some(object) if reception.now < expires_at => self.keep_object(object),
                Some(_) => self.drops.count("received-object-too-old"),
                None => self.drops.count("received-object-without-id-or-place"),
            }
        }
        Ok(())
    }

    fn keep_object(&mut self, object: ReceivedObject) {
        let key = (object.station, object.object_id);
        match self.objects.get(&key) {
            Some(known) if known.measured_at > object.measured_at => return self.drops.count("received-object-late"),
            Some(_) => {}
            None if self.objects.len() < usize::from(self.settings.max_objects) => {}
            None => return self.drops.count("ldm-objects-full"),
        }
        self.expires(object.expires_at);
        self.objects.insert(key, object);
    }
}

/// `None` for an object without an id, which nothing could be known of later, or without a position.
fn received_object(
    perceived: &PerceivedObject,
    reference: Enu,
    station: StationId,
    measured_at: Timestamp,
    expires_at: Timestamp,
) -> Option<ReceivedObject> {
    let offset = |value: Reading| value.value().map(f64::from);
    let position = Enu::ground(
        reference.e_m + offset(perceived.position.x.value_m)?,
        reference.n_m + offset(perceived.position.y.value_m)?,
    );
    let velocity = perceived.velocity.as_ref().and_then(ground_velocity);
    let classes = perceived.classification.iter().flat_map(|classes| classes.iter());
    let likeliest = classes.max_by_key(|class| class.confidence_percent);
    Some(ReceivedObject {
        station,
        object_id: perceived.object_id?,
        kind: likeliest.map_or(ReceivedObjectKind::Unknown, |class| match &class.object_class {
            ObjectClass::Vehicle(station_type) => ReceivedObjectKind::Vehicle(*station_type),
            ObjectClass::Vru(_) | ObjectClass::Group(_) => ReceivedObjectKind::Vru,
            ObjectClass::Other(_) | ObjectClass::Unknown(_) => ReceivedObjectKind::Other,
        }),
        position,
        covariance: variance(perceived.position.x.confidence_m)
            .zip(variance(perceived.position.y.confidence_m))
            .map(|(ee_m2, nn_m2)| Covariance2 { ee_m2, en_m2: 0.0, nn_m2 }),
        velocity_e_mps: velocity.map(|[e, _]| e),
        velocity_n_mps: velocity.map(|[_, n]| n),
        quality: perceived.object_perception_quality,
        measured_at,
        expires_at,
    })
}

/// Variance of a value with a 95 % interval (TS 102 894-2).
fn variance(half_width: Option<Reading>) -> Option<f64> {
    half_width.and_then(Reading::value).map(|half_width| (f64::from(half_width) / K95_ONE_DIMENSION).powi(2))
}

/// East and north component, m/s.
fn ground_velocity(velocity: &Velocity3d) -> Option<[f64; 2]> {
    let value = |reading: Option<Reading>| reading.and_then(Reading::value).map(f64::from);
    match velocity {
        Velocity3d::Polar(polar) => {
            let speed_mps = value(polar.velocity_magnitude.value_mps)?;
            let (sin, cos) = f64::from(polar.velocity_direction.value_deg?).to_radians().sin_cos();
            Some([speed_mps * cos, speed_mps * sin])
        }
        Velocity3d::Cartesian(cartesian) => {
            Some([value(cartesian.x_velocity.value_mps)?, value(cartesian.y_velocity.value_mps)?])
        }
    }
}
