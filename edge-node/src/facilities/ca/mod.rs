//! Cooperative awareness (EN 302 637-2, TS 103 900): a roadside unit says that it is there.
//!
//! In: `now`. Out: one CAM per interval. Absent: the rules for vehicles, and path history, which a roadside unit has not.

use super::{Content, Draft, Facility, Scene, Station};
use crate::effect::Provenance;
use masa_v2x_proto::cam::{BasicContainer, Cam, CamParameters, HighFrequencyContainer, RsuContainerHighFrequency};
use masa_v2x_proto::cdd::StationType;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Shortest interval between two CAMs of a roadside unit (EN 302 637-2 6.1.4), milliseconds.
pub const MIN_INTERVAL_MS: u32 = 1_000;

/// When CAMs go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CaSettings {
    /// Interval between two CAMs, milliseconds, at least 1,000 (EN 302 637-2 6.1.4). At least one must fall into the time a
    /// vehicle spends in reach.
    pub t_gen_cam_ms: u32,
}

impl Default for CaSettings {
    fn default() -> Self {
        Self { t_gen_cam_ms: MIN_INTERVAL_MS }
    }
}

/// The cooperative awareness service of a roadside unit.
#[derive(Clone, Debug)]
pub(crate) struct CaService {
    interval_ms: i64,
    next: Option<Timestamp>,
}

impl CaService {
    pub(crate) fn new(settings: &CaSettings) -> Self {
        Self { interval_ms: i64::from(settings.t_gen_cam_ms.max(MIN_INTERVAL_MS)), next: None }
    }
}

fn cam(station: &Station, now: Timestamp) -> Cam {
    let parameters = CamParameters {
        basic_container: BasicContainer {
            station_type: StationType::RoadSideUnit,
            reference_position: station.reference_position(),
        },
        high_frequency_container: HighFrequencyContainer::Rsu(RsuContainerHighFrequency::default()),
        low_frequency_container: None,
        special_vehicle_container: None,
        extension_containers: None,
    };
    Cam::new(station.id, now, parameters)
}

impl Facility for CaService {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        if self.next.is_some_and(|next| scene.now < next) {
            return;
        }
        // From now, not from when it was due: a late wake-up must not make the next interval shorter than allowed.
        self.next = Some(scene.now.plus_ms(self.interval_ms));
        drafts.push(Draft {
            content: Content::Cam(Box::new(cam(scene.station, scene.now))),
            captured_at: None,
            position: scene.station.position,
            deadline: None,
            dissemination: Dissemination::default(),
            provenance: Provenance {
                rule: format!("CAM: {} ms since the last one, EN 302 637-2 6.1.4", self.interval_ms),
                objects: Vec::new(),
            },
        });
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facilities::fixture::Street;
    use crate::world::fixture::at;

    #[test]
    fn a_cam_leaves_at_once_and_then_never_sooner_than_the_interval() {
        // EN 302 637-2 6.1.4: the interval is at least 1,000 ms.
        let (mut street, mut service) = (Street::new(), CaService::new(&CaSettings { t_gen_cam_ms: 1_000 }));
        for (ms, sent) in
            [(0, true), (999, false), (1_000, true), (1_400, false), (2_500, true), (3_000, false), (3_500, true)]
        {
            assert_eq!(street.wake(&mut service, ms).len(), usize::from(sent), "at {ms} ms");
        }
        assert_eq!(service.wake_at(), Some(at(4_500)));
    }

    #[test]
    fn a_roadside_unit_says_what_and_where_it_is() {
        let (mut street, mut service) = (Street::new(), CaService::new(&CaSettings::default()));
        let drafts = street.wake(&mut service, 12_345);
        let Content::Cam(cam) = &drafts[0].content else { panic!("{drafts:?}") };
        // EN 302 637-2 B.3: TimestampIts modulo 65,536.
        assert_eq!(cam.cam.generation_delta_time_ms, (at(12_345).to_its_ms() % 65_536) as u16);
        let parameters = &cam.cam.cam_parameters;
        assert_eq!(parameters.basic_container.station_type, StationType::RoadSideUnit);
        assert_eq!(parameters.basic_container.reference_position.latitude_deg, Some(44.65554));
        assert!(matches!(parameters.high_frequency_container, HighFrequencyContainer::Rsu(_)));
    }
}
