//! Pictures of road networks, seen from above, north up.
//!
//! In: [`Roads`] and, if wanted, a [`Snapshot`] with its actors and signals. Out: an RGB picture. Drawn are lanes by kind,
//! markings, crossings, stop lines, signals, buildings, trees, lamps, parking spaces, actors, a scale bar and a north arrow.
//! Absent: terrain, road names, lettering on the road.

mod canvas;
mod marks;

use super::{Edge, EdgeKind, Lane, LaneKind, Link, RightOfWay, Roads, SignalState};
use crate::actor::{Actor, ActorKind};
use crate::geometry::Polyline;
use crate::snapshot::Snapshot;
use canvas::{Canvas, Line};
use image::RgbImage;
use nalgebra::{Point2, Vector2};

/// What a picture shows.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureSettings {
    /// Longer side, pixels; from 64 to 8192.
    pub size_px: u32,
    /// South-west and north-east corner, ENU metres; `None`: everything.
    pub region: Option<(Point2<f64>, Point2<f64>)>,
}

impl Default for PictureSettings {
    fn default() -> Self {
        Self { size_px: 1600, region: None }
    }
}

/// Margin around everything, metres.
const MARGIN_M: f64 = 8.0;
/// Shorter by longer side of a picture, at least.
const NARROWEST: f64 = 0.25;
/// Width of painted lines, metres.
const PAINT_M: f64 = 0.15;

const GRASS: [u8; 3] = [222, 229, 211];
const ASPHALT: [u8; 3] = [88, 90, 94];
const PAVEMENT: [u8; 3] = [190, 186, 178];
const PAINT: [u8; 3] = [240, 240, 238];
const KERB: [u8; 3] = [150, 147, 141];

/// Draws a network, and what is on it.
pub fn picture(roads: &Roads, snapshot: Option<&Snapshot>, settings: &PictureSettings) -> RgbImage {
    let (low, high) = settings.region.unwrap_or_else(|| region(roads));
    let mut canvas = Canvas::new(settings.size_px.clamp(64, 8192), low, high, GRASS);
    for junction in &roads.junctions {
        canvas.area(&junction.outline, ASPHALT);
    }
    surfaces(roads, &mut canvas);
    parking(roads, &mut canvas);
    marks::draw(roads, &mut canvas);
    signals(roads, snapshot, &mut canvas);
    for actor in snapshot.into_iter().flat_map(|snapshot| &snapshot.actors) {
        draw_actor(actor, &mut canvas);
    }
    beside(roads, &mut canvas);
    canvas.furniture();
    canvas.into_image()
}

/// Everything that is drawn, with a margin.
fn region(roads: &Roads) -> (Point2<f64>, Point2<f64>) {
    let (mut low, mut high) = roads.bounds().unwrap_or((Point2::origin(), Point2::new(100.0, 100.0)));
    for corner in roads.buildings.iter().flat_map(|building| &building.outline) {
        (low, high) = (low.inf(corner), high.sup(corner));
    }
    // A long road keeps some land at its sides.
    let extent = high - low;
    let margin = extent.map(|side| ((extent.max() * NARROWEST - side) / 2.0).max(MARGIN_M));
    (low - margin, high + margin)
}

const fn surface(kind: LaneKind) -> [u8; 3] {
    match kind {
        LaneKind::Driving => ASPHALT,
        LaneKind::Bicycle => [150, 84, 72],
        LaneKind::Sidewalk => PAVEMENT,
        LaneKind::Parking => [112, 116, 124],
        LaneKind::Shoulder => [108, 109, 111],
        LaneKind::Rail => [122, 112, 100],
        LaneKind::Verge => [184, 197, 166],
    }
}

/// Lanes in the order in which they lie over each other: green, pavements, carriageways, ways through junctions, rails.
fn surfaces(roads: &Roads, canvas: &mut Canvas) {
    let depth = |lane: &Lane, edge: &Edge| match (edge.kind, lane.kind) {
        (EdgeKind::Crossing, _) => None,
        (_, LaneKind::Verge) => Some(0),
        (_, LaneKind::Sidewalk) => Some(1),
        (EdgeKind::Internal, LaneKind::Bicycle) => None,
        (_, LaneKind::Parking | LaneKind::Shoulder) => Some(2),
        (_, LaneKind::Bicycle) => Some(4),
        (_, LaneKind::Rail) => Some(5),
        _ => Some(3),
    };
    for wanted in 0..=5 {
        for edge in &roads.edges {
            for lane in edge.lanes.iter().map(|lane| roads.lane(*lane)).filter(|lane| depth(lane, edge) == Some(wanted))
            {
                if edge.kind == EdgeKind::WalkingArea {
                    canvas.area(&edge.outline, surface(lane.kind));
                } else {
                    canvas.line(&lane.centre, &Line::new(lane.width_m, surface(lane.kind)));
                }
            }
        }
    }
    let rails = roads.lanes.iter().filter(|lane| lane.kind == LaneKind::Rail);
    for rail in rails.flat_map(|lane| [0.72, -0.72].map(|offset| lane.centre.beside(offset))) {
        canvas.line(&rail, &Line::new(0.12, [60, 58, 55]));
    }
}

fn parking(roads: &Roads, canvas: &mut Canvas) {
    for space in &roads.parking {
        let corners = rectangle(space.position, space.yaw_rad, space.length_m, space.width_m);
        if space.lane.is_none() {
            canvas.area(&corners, surface(LaneKind::Parking));
        }
        canvas.outline(&corners, PAINT_M, PAINT);
    }
}

fn rectangle(middle: Point2<f64>, yaw_rad: f64, length_m: f64, width_m: f64) -> [Point2<f64>; 4] {
    let (sin, cos) = yaw_rad.sin_cos();
    let (along, across) = (Vector2::new(cos, sin) * (length_m / 2.0), Vector2::new(-sin, cos) * (width_m / 2.0));
    [middle + along + across, middle - along + across, middle - along - across, middle + along - across]
}

/// A stop line at the end of each lane that has to stop or give way, and what its signals show.
fn signals(roads: &Roads, snapshot: Option<&Snapshot>, canvas: &mut Canvas) {
    for lane in &roads.lanes {
        let links = || lane.links.iter().map(|link| roads.link(*link));
        let kind = roads.edge(lane.edge).kind;
        if matches!(kind, EdgeKind::Crossing | EdgeKind::Internal) || lane.kind == LaneKind::Sidewalk {
            continue;
        }
        let signalled = links().any(|link| link.signal.is_some());
        let goes =
            |link: &Link| matches!(link.right_of_way, RightOfWay::Major | RightOfWay::Zipper | RightOfWay::DeadEnd);
        let gives_way = !lane.links.is_empty() && !links().any(goes);
        if kind == EdgeKind::Road && (signalled || gives_way) {
            let stops = signalled || links().any(|link| link.right_of_way == RightOfWay::Stop);
            stop_line(lane, stops, canvas);
        }
        for (place, state) in links().filter_map(|link| shown(roads, snapshot, link)).enumerate() {
            let Some(end) = lane.centre.at(lane.centre.length_m() - 1.0) else { continue };
            let back = Vector2::new(end.yaw_rad.cos(), end.yaw_rad.sin()) * (place as f64 * 1.1);
            canvas.disc(end.point.xy() - back, 0.5, [30, 30, 30]);
            canvas.disc(end.point.xy() - back, 0.38, lamp(state));
        }
    }
}

/// What a link's signal shows: in the snapshot, else at the start of its programme.
fn shown(roads: &Roads, snapshot: Option<&Snapshot>, link: &Link) -> Option<SignalState> {
    let (controller, place) = link.signal?;
    let at_start = || roads.signals[controller.index()].phases.first()?.states.get(usize::from(place)).copied();
    snapshot.and_then(|snapshot| snapshot.signal(controller, place)).or_else(at_start)
}

const fn lamp(state: SignalState) -> [u8; 3] {
    match state {
        SignalState::Red => [226, 52, 44],
        SignalState::RedYellow => [238, 126, 38],
        SignalState::Yellow => [245, 196, 36],
        SignalState::GreenMajor => [42, 190, 84],
        SignalState::GreenMinor => [128, 208, 120],
        SignalState::OffBlinking | SignalState::Off => [140, 140, 140],
    }
}

fn stop_line(lane: &Lane, stops: bool, canvas: &mut Canvas) {
    let Some(end) = lane.centre.at(lane.centre.length_m() - 0.3) else { return };
    let across = Vector2::new(-end.yaw_rad.sin(), end.yaw_rad.cos()) * (lane.width_m / 2.0 - PAINT_M);
    let across = nalgebra::Vector3::new(across.x, across.y, 0.0);
    let line = Polyline::new([end.point - across, end.point + across]);
    let dash = if stops { None } else { Some([0.5, 0.3]) };
    canvas.line(&line, &Line { dash_m: dash, ..Line::new(0.4, PAINT) });
}

/// Buildings the darker the higher, trees, lamps.
fn beside(roads: &Roads, canvas: &mut Canvas) {
    for building in &roads.buildings {
        let shade = (208.0 - building.height_m.clamp(0.0, 40.0) * 1.6) as u8;
        canvas.area(&building.outline, [shade, shade - 8, shade - 20]);
        canvas.outline(&building.outline, 0.3, [118, 108, 96]);
    }
    for tree in &roads.trees {
        canvas.disc(tree.position, tree.crown_m / 2.0, [128, 168, 104]);
        canvas.disc(tree.position, 0.25, [96, 76, 52]);
    }
    for lamp in &roads.lamps {
        canvas.disc(lamp.position, 0.45, [70, 70, 80]);
        canvas.disc(lamp.position, 0.28, [250, 226, 140]);
    }
}

fn draw_actor(actor: &Actor, canvas: &mut Canvas) {
    let colour = match actor.kind {
        ActorKind::Car => [54, 110, 200],
        ActorKind::Van | ActorKind::Truck => [88, 72, 170],
        ActorKind::Bus | ActorKind::Tram => [212, 120, 28],
        ActorKind::Motorcycle | ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => [20, 156, 150],
        ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair => [206, 44, 120],
        _ => [40, 40, 40],
    };
    let footprint = actor.footprint();
    canvas.area(&footprint, colour);
    canvas.outline(&footprint, 0.12, [20, 20, 24]);
    // Its front.
    let nose = nalgebra::center(&footprint[0], &footprint[3]);
    canvas.disc(nose, actor.size.width_m * 0.18, [250, 250, 250]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    /// A straight road of two lanes from west to east, one metre a pixel and more.
    fn road() -> Roads {
        Roads::shipped("bend").unwrap()
    }

    #[test]
    fn things_are_drawn_where_they_are() {
        let roads = road();
        let region = Some((Point2::new(-300.0, -40.0), Point2::new(-200.0, 40.0)));
        let picture = picture(&roads, None, &PictureSettings { size_px: 1000, region });
        assert_eq!(picture.dimensions(), (1000, 800));
        // Ten pixels a metre from the north-west corner; the eastbound lane's middle is 1.6 m south.
        let at = |x: f64, y: f64| *picture.get_pixel(((x + 300.0) * 10.0) as u32, ((40.0 - y) * 10.0) as u32);
        assert_eq!(at(-250.0, -1.6), Rgb(ASPHALT));
        assert_eq!(at(-250.0, -4.2), Rgb(PAVEMENT));
        assert_eq!(at(-250.0, -20.0), Rgb(GRASS));
        // The building from −220 to −180 m, 12 to 30 m north.
        assert_ne!(at(-210.0, 20.0), Rgb(GRASS));
    }

    #[test]
    fn actors_and_signals_show() {
        let roads = Roads::shipped("masa").unwrap();
        let actor = Actor {
            id: crate::ActorId(1),
            kind: ActorKind::Car,
            role: crate::actor::Role::Ordinary,
            pose: crate::actor::Pose {
                position: nalgebra::Point3::new(-100.0, -3.0, 0.0),
                yaw_rad: 0.0,
                pitch_rad: 0.0,
            },
            speed_mps: 0.0,
            acceleration_mps2: 0.0,
            yaw_rate_rps: 0.0,
            size: ActorKind::Car.usual_size(),
            lights: crate::actor::Lights::default(),
            appearance: 0,
            connected: false,
            on_lane: None,
        };
        let signals = roads.signals.iter().map(|controller| controller.states_at(31.0)).collect();
        let snapshot = Snapshot { actors: vec![actor], signals, ..Snapshot::default() };
        let region = Some((Point2::new(-110.0, -50.0), Point2::new(-10.0, 50.0)));
        let settings = PictureSettings { size_px: 1000, region };
        let (empty, full) = (picture(&roads, None, &settings), picture(&roads, Some(&snapshot), &settings));
        let count = |picture: &RgbImage, colour: [u8; 3]| picture.pixels().filter(|pixel| pixel.0 == colour).count();
        assert_eq!(count(&empty, [54, 110, 200]), 0);
        assert!(count(&full, [54, 110, 200]) > 500);
        // At 31 s the main road's green has turned yellow.
        assert_eq!(count(&empty, lamp(SignalState::Yellow)), 0);
        assert!(count(&full, lamp(SignalState::Yellow)) > 20);
    }

    #[test]
    fn a_network_without_anything_is_a_picture() {
        assert_eq!(picture(&Roads::default(), None, &PictureSettings::default()).dimensions(), (1600, 1600));
    }
}
