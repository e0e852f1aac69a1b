//! Cooperative awareness of a roadside unit: EN 302 637-2 clause 6.1.4.

use super::{CaSettings, MIN_INTERVAL_MS, ProtectedZoneSettings, draft};
use crate::facilities::{Draft, Facility, Scene, Station};
use masa_v2x_proto::List;
use masa_v2x_proto::cam::{BasicContainer, Cam, CamParameters, HighFrequencyContainer, RsuContainerHighFrequency};
use masa_v2x_proto::cdd::{ProtectedCommunicationZone, ProtectedZoneType};
use masa_v2x_proto::time::Timestamp;

/// The cooperative awareness service of a roadside unit.
#[derive(Clone, Debug)]
pub(crate) struct RsuCa {
    interval_ms: i64,
    zones: Vec<ProtectedZoneSettings>,
    next: Option<Timestamp>,
}

impl RsuCa {
    pub(super) fn new(settings: &CaSettings) -> Self {
        let interval_ms = i64::from(settings.t_gen_cam_ms.max(MIN_INTERVAL_MS));
        Self { interval_ms, zones: settings.protected_zones.clone(), next: None }
    }

    fn cam(&self, station: &Station, now: Timestamp) -> Cam {
        let zones = List::try_from_iter(self.zones.iter().map(protected_zone)).unwrap_or_default();
        let parameters = CamParameters {
            basic_container: BasicContainer {
                station_type: station.kind.station_type(),
                reference_position: station.reference_position(),
            },
            high_frequency_container: HighFrequencyContainer::Rsu(RsuContainerHighFrequency {
                protected_communication_zones_rsu: (!zones.is_empty()).then_some(zones),
            }),
            low_frequency_container: None,
            special_vehicle_container: None,
            extension_containers: None,
        };
        Cam::new(station.id, now, parameters)
    }
}

fn protected_zone(zone: &ProtectedZoneSettings) -> ProtectedCommunicationZone {
    ProtectedCommunicationZone {
        protected_zone_type: ProtectedZoneType::PermanentCenDsrcTolling,
        expiry_time: None,
        protected_zone_latitude_deg: Some(zone.latitude_deg),
        protected_zone_longitude_deg: Some(zone.longitude_deg),
        protected_zone_radius_m: Some(zone.radius_m),
        protected_zone_id: zone.id,
    }
}

impl Facility for RsuCa {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        if self.next.is_some_and(|next| scene.now < next) {
            return;
        }
        // From now, not from when it was due: a late wake-up must not make the next interval shorter than allowed.
        self.next = Some(scene.now.plus_ms(self.interval_ms));
        let rule = format!("CAM: {} ms since the last one, EN 302 637-2 6.1.4", self.interval_ms);
        drafts.push(draft(self.cam(scene.station, scene.now), rule, None, scene.station.position));
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.next
    }
}
