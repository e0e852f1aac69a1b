//! What a node does with the scans of radars and lidars.

use super::{Node, NodeSettings};
use crate::event::{EventId, ObjectList, RadarScan, SourceId};
use crate::facilities::{Sensor, SensorKind};
use crate::health::Watched;
use crate::perception::ranging::{RangingPerception, RangingSettings};
use crate::perception::{CameraSettings, Error};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// A scan of a radar, or what a radar or lidar made of one.
#[derive(Clone, Copy)]
pub(super) enum Scan<'a> {
    Radar(&'a RadarScan),
    List(&'a ObjectList),
}

impl Node {
    pub(super) fn see_scan(&mut self, id: EventId, scan: Scan<'_>, now: Timestamp) {
        let Some(sensor) = self.ranging.get_mut(&id.source) else { return self.drops.count("unknown-sensor") };
        let (tracks, captured_at) = match scan {
            Scan::Radar(scan) => (sensor.scan(id, scan, &mut self.drops), scan.captured_at),
            Scan::List(list) => (sensor.list(id, list, &mut self.drops), list.captured_at),
        };
        let Some(tracks) = tracks else { return };
        // Mirror images lie behind walls: where the map has no road and no pavement there is nobody.
        let map = &self.map;
        let is_on_map = |track: &&_| map.is_empty() || map.zones_at(position(track)).next().is_some();
        let tracks: Vec<_> = tracks.iter().filter(is_on_map).cloned().collect();
        self.world.see_tracks(id.source, captured_at, &tracks, now);
        self.look_around(now);
    }
}

fn position(track: &crate::perception::GroundTrack) -> masa_v2x_proto::geo::Enu {
    track.position
}

/// Perception of each radar and lidar.
pub(super) fn perceptions(
    settings: &[(SourceId, RangingSettings)],
) -> Result<BTreeMap<SourceId, RangingPerception>, Error> {
    settings.iter().map(|(source, settings)| Ok((*source, RangingPerception::new(settings)?))).collect()
}

/// The station's sensors: cameras, then radars and lidars.
pub(super) fn sensors(settings: &NodeSettings) -> Vec<Sensor> {
    let cameras = settings.cameras.iter().map(|(source, _)| Sensor { source: *source, kind: SensorKind::Camera });
    let ranging = settings.ranging.iter().map(|(source, settings)| Sensor { source: *source, kind: kind(settings) });
    cameras.chain(ranging).collect()
}

/// What health watches.
pub(super) fn watched(cameras: &[(SourceId, CameraSettings)], ranging: &[(SourceId, RangingSettings)]) -> Vec<Watched> {
    let cameras = cameras.iter().map(|(source, camera)| Watched {
        source: *source,
        name: camera.id.clone(),
        kind: SensorKind::Camera,
    });
    let ranging = ranging.iter().map(|(source, sensor)| Watched {
        source: *source,
        name: sensor.id().to_owned(),
        kind: kind(sensor),
    });
    cameras.chain(ranging).collect()
}

fn kind(settings: &RangingSettings) -> SensorKind {
    match settings {
        RangingSettings::Radar(_) => SensorKind::Radar,
        RangingSettings::Lidar(_) => SensorKind::Lidar,
    }
}
