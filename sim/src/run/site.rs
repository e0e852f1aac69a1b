//! From a map and a scenario to what a node is configured with: the site file that a survey of the place would give.

use super::camera::site_camera;
use super::ranging::{site_lidar, site_radar};
use crate::geometry::Polyline;
use crate::roads::{EdgeKind, LaneKind, Roads};
use crate::scenario::{CameraSettings, StationSettings, ZonesFrom};
use masa_edge_node::config::{
    CameraSection, Configuration, NodeFile, NodeSection, Origin, RangingSection, SiteFile, SiteSection,
};
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::facilities::profile::{Role, StationKind, VehicleSettings};
use masa_edge_node::perception::privacy::PrivacySettings;
use masa_edge_node::run::engine::InferenceSettings;
use masa_edge_node::sources::camera::{CameraSourceSettings, FileSettings};
use masa_edge_node::world::WorldSettings;
use masa_edge_node::world::ldm::LdmSettings;
use masa_edge_node::world::site::{ZoneKind, ZoneSettings};
use masa_inference::EngineSettings;
use masa_links::LinksSettings;
use masa_v2x_proto::geo::{SiteFrame, Wgs84};
use nalgebra::Point2;
use std::path::PathBuf;

/// Zones of the map this far from a station are its own, metres.
const ZONES_WITHIN_M: f64 = 150.0;
/// Where a map without a place on the globe is taken to be.
const SOMEWHERE: Wgs84 = Wgs84 { lat_deg: 44.655540, lon_deg: 10.934315, alt_m: 34.0 };

/// The site frame of a map.
pub(crate) fn site_frame(roads: &Roads) -> SiteFrame {
    SiteFrame::new(roads.geo.map_or(SOMEWHERE, |geo| geo.origin))
}

/// The configuration of a station at the roadside.
pub(crate) fn roadside(settings: &StationSettings, roads: &Roads, frame: &SiteFrame) -> Configuration {
    let mut site = empty_site(roads, frame);
    let surveyed = |camera: &CameraSettings| site_camera(camera, frame);
    site.cameras = settings.cameras.iter().filter_map(surveyed).collect();
    if settings.zones_from == ZonesFrom::Map {
        site.zones = zones(roads, Point2::new(settings.position_m[0], settings.position_m[1]));
    }
    site.zones.extend(settings.zones.iter().cloned());
    if settings.signals {
        site.intersections = super::signals::intersections(roads);
    }
    let mut file = node_file(settings.station_id, &settings.id, StationKind::RoadSideUnit);
    file.node.position_m = settings.position_m;
    site.radars = settings.radars.iter().map(site_radar).collect();
    site.lidars = settings.lidars.iter().map(site_lidar).collect();
    let (radars, lidars) = (settings.radars.iter().map(|r| &r.id), settings.lidars.iter().map(|l| &l.id));
    file.ranging = radars.chain(lidars).map(|id| RangingSection { id: id.clone() }).collect();
    file.cameras = settings.cameras.iter().map(camera_section).collect();
    file.facilities = settings.facilities.clone();
    file.world = settings.world.clone();
    Configuration { path: PathBuf::from(format!("{}.toml", settings.id)), node: file, site }
}

/// The configuration of a station that has nothing but a radio.
pub(crate) fn plain_roadside(station_id: u32, [e, n]: [f64; 2], roads: &Roads, frame: &SiteFrame) -> Configuration {
    let mut file = node_file(station_id, "plain", StationKind::RoadSideUnit);
    file.node.position_m = [e, n, 3.0];
    Configuration { path: PathBuf::from("plain.toml"), node: file, site: empty_site(roads, frame) }
}

/// The configuration of a node on board, of a vehicle that may be so many seconds behind its timetable.
pub(crate) fn on_board(
    station_id: u32,
    name: &str,
    (actor, behind_schedule_s): (&crate::actor::Actor, Option<i16>),
    facilities: &FacilitiesSettings,
    roads: &Roads,
    frame: &SiteFrame,
) -> Configuration {
    let mut file = node_file(station_id, name, station_kind(actor.kind));
    file.facilities = FacilitiesSettings {
        vehicle: VehicleSettings {
            length_m: actor.size.length_m,
            width_m: actor.size.width_m,
            behind_schedule_s,
            role: match actor.role {
                crate::actor::Role::Ordinary => Role::Default,
                crate::actor::Role::Emergency => Role::Emergency,
                crate::actor::Role::PublicTransport => Role::PublicTransport,
                crate::actor::Role::RoadWorks => Role::RoadWork,
            },
        },
        ..facilities.clone()
    };
    Configuration { path: PathBuf::from(format!("{name}.toml")), node: file, site: empty_site(roads, frame) }
}

fn node_file(station_id: u32, name: &str, station_type: StationKind) -> NodeFile {
    NodeFile {
        node: NodeSection {
            name: name.to_owned(),
            station_id,
            station_type,
            state_directory: None,
            site: PathBuf::from("site.toml"),
            position_m: [0.0; 3],
        },
        engine: EngineSettings::default(),
        inference: InferenceSettings::default(),
        cameras: Vec::new(),
        ranging: Vec::new(),
        iot: None,
        gnss: None,
        signal_controller: None,
        links: LinksSettings::default(),
        security: None,
        v2x_in: None,
        ldm: LdmSettings::default(),
        world: WorldSettings::default(),
        web: None,
        privacy: PrivacySettings::default(),
        raw_ring: None,
        recording: None,
        facilities: FacilitiesSettings::default(),
    }
}

fn camera_section(camera: &CameraSettings) -> CameraSection {
    CameraSection {
        id: camera.id.clone(),
        source: CameraSourceSettings::File(FileSettings::new("simulated")),
        model: camera.model.clone().unwrap_or_else(|| PathBuf::from("detector.toml")),
        model_file: None,
    }
}

fn empty_site(roads: &Roads, frame: &SiteFrame) -> SiteFile {
    let Wgs84 { lat_deg, lon_deg, alt_m } = frame.origin();
    SiteFile {
        site: SiteSection { id: "simulated".into(), name: roads.name.clone() },
        origin: Origin { latitude_deg: lat_deg, longitude_deg: lon_deg, altitude_m: alt_m },
        cameras: Vec::new(),
        radars: Vec::new(),
        lidars: Vec::new(),
        zones: Vec::new(),
        intersections: Vec::new(),
        signs: Vec::new(),
    }
}

/// What a kind is as a station.
pub(crate) fn station_kind(kind: crate::actor::ActorKind) -> StationKind {
    use crate::actor::ActorKind::*;
    match kind {
        Car | Dog | Deer | LostCargo | Cone | Barrier => StationKind::PassengerCar,
        Van => StationKind::LightTruck,
        Truck => StationKind::HeavyTruck,
        Bus => StationKind::Bus,
        Tram => StationKind::Tram,
        Motorcycle => StationKind::Motorcycle,
        Bicycle | CargoBike => StationKind::Cyclist,
        EScooter => StationKind::LightVruVehicle,
        Adult | Child | Wheelchair => StationKind::Pedestrian,
    }
}

/// The zones of the map around a place.
fn zones(roads: &Roads, around: Point2<f64>) -> Vec<ZoneSettings> {
    let mut zones = Vec::new();
    for lane in &roads.lanes {
        let edge = roads.edges.get(lane.edge.index());
        let kind = match edge.map(|edge| edge.kind) {
            Some(EdgeKind::Crossing) => ZoneKind::Crossing,
            Some(EdgeKind::WalkingArea) => ZoneKind::Pavement,
            _ => match lane.kind {
                LaneKind::Driving | LaneKind::Bicycle | LaneKind::Rail => ZoneKind::Carriageway,
                LaneKind::Sidewalk => ZoneKind::Pavement,
                LaneKind::Parking => ZoneKind::Parking,
                LaneKind::Shoulder => ZoneKind::Carriageway,
                LaneKind::Verge => continue,
            },
        };
        let near = lane.centre.project(around).is_some_and(|at| {
            lane.centre.at(at.s_m).is_some_and(|on| (on.point.xy() - around).norm() <= ZONES_WITHIN_M)
        });
        if near && zones.len() < masa_edge_node::world::site::MAX_ZONES {
            let polygon_m = strip(&lane.centre, lane.width_m, around);
            let area: f64 = (0..polygon_m.len())
                .map(|i| {
                    let ([ax, ay], [bx, by]) = (polygon_m[i], polygon_m[(i + 1) % polygon_m.len()]);
                    ax * by - bx * ay
                })
                .sum::<f64>()
                / 2.0;
            if polygon_m.len() >= 3 && area.abs() > 1.0 {
                zones.push(ZoneSettings { id: lane.name.clone(), kind, polygon_m, approaches_m: Vec::new() });
            }
        }
    }
    // Names of lanes are unique in their network, but nobody checks that.
    let mut seen = std::collections::BTreeSet::new();
    zones.retain(|zone| seen.insert(zone.id.clone()));
    zones
}

/// A lane as an outline, as far as it is near a place.
fn strip(centre: &Polyline, width_m: f64, around: Point2<f64>) -> Vec<[f64; 2]> {
    let Some(at) = centre.project(around) else { return Vec::new() };
    let part = centre.part((at.s_m - ZONES_WITHIN_M).max(0.0), (at.s_m + ZONES_WITHIN_M).min(centre.length_m()));
    let side = |offset_m: f64| part.beside(offset_m).points().iter().map(|p| [p.x, p.y]).collect::<Vec<_>>();
    let (left, right) = (side(width_m / 2.0), side(-width_m / 2.0));
    left.into_iter().chain(right.into_iter().rev()).collect()
}
