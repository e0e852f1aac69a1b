//! A small site for the facilities' tests: a carriageway along east with a crossing and a parking strip.

use super::profile::StationKind;
use super::{Draft, Facility, Scene, Sensor, SensorKind, Station};
use crate::event::EgoState;
use crate::perception::GroundTrack;
use crate::world::fixture::{CAMERA, at, frame};
use crate::world::ldm::{Ldm, LdmSettings};
use crate::world::prediction::RouteMap;
use crate::world::signals::Signals;
use crate::world::site::{SiteMap, ZoneKind, ZoneSettings};
use crate::world::situation::{SituationSettings, SituationWatch};
use crate::world::{World, WorldSettings};
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use std::collections::BTreeMap;

/// World, map and station, driven frame by frame.
pub(crate) struct Street {
    pub(crate) world: World,
    pub(crate) map: SiteMap,
    pub(crate) station: Station,
    pub(crate) ldm: Ldm,
    pub(crate) ego: Option<EgoState>,
    pub(crate) signals: Signals,
    pub(crate) situations: SituationWatch,
}

impl Street {
    pub(crate) fn new() -> Self {
        let zone = |id: &str, kind, [west, south, east, north]: [f64; 4]| ZoneSettings {
            id: id.into(),
            kind,
            polygon_m: vec![[west, south], [east, south], [east, north], [west, north]],
            approaches_m: Vec::new(),
        };
        let road = zone("road", ZoneKind::Carriageway, [-100.0, -4.0, 100.0, 4.0]);
        let zones = [
            ZoneSettings { approaches_m: vec![vec![[-100.0, -2.0], [-300.0, -2.0]], vec![[100.0, 2.0]]], ..road },
            zone("zebra", ZoneKind::Crossing, [20.0, -4.0, 24.0, 4.0]),
            zone("strip", ZoneKind::Parking, [40.0, -4.0, 60.0, -2.0]),
        ];
        let origin = Wgs84 { lat_deg: 44.65554, lon_deg: 10.934315, alt_m: 30.0 };
        let frame = SiteFrame::new(origin);
        Self {
            world: World::new(WorldSettings::default(), BTreeMap::new()),
            map: SiteMap::new(&zones).unwrap(),
            station: Station {
                id: StationId(4_711),
                kind: StationKind::RoadSideUnit,
                position: origin,
                reference: Enu::ground(0.0, 0.0),
                frame,
                sensors: vec![Sensor { source: CAMERA, kind: SensorKind::Camera }],
                footprints: BTreeMap::new(),
            },
            ldm: Ldm::new(LdmSettings::default(), StationId(4_711), frame),
            ego: None,
            signals: Signals::default(),
            situations: SituationWatch::new(SituationSettings::default(), RouteMap::default()),
        }
    }

    /// One frame with `tracks` (their times must be `ms`) and what `facility` makes of it.
    pub(crate) fn frame(&mut self, facility: &mut dyn Facility, ms: i64, tracks: &[GroundTrack]) -> Vec<Draft> {
        self.world.see_frame(CAMERA, &frame(ms), tracks, at(ms));
        self.wake(facility, ms)
    }

    /// A wake-up at `ms`.
    pub(crate) fn wake(&mut self, facility: &mut dyn Facility, ms: i64) -> Vec<Draft> {
        let now = at(ms);
        self.world.age(now);
        self.ldm.age(now);
        let Self { world, ldm, map, station, ego, signals, situations } = self;
        let ego = ego.as_ref();
        let scene = Scene { now, world, ldm, t_gen_cam_dcc_ms: 100, ego, signals, map, station, situations };
        let mut drafts = Vec::new();
        facility.evaluate(&scene, &mut drafts);
        drafts
    }
}
