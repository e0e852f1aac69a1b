//! Whether a received event matters to a road user (EN 302 637-3 clause 6.1.3 and annex B on relevance distance, relevance
//! traffic direction and traces).
//!
//! In: a DENM, and where its reader is, heads and wants to go. Out: whether it matters, how far away it is along the way,
//! and why not. Pure functions; what is not known never makes a warning irrelevant.

use crate::cdd::{Path, Reading, ReferencePosition};
use crate::denm::{Denm, ManagementContainer, StandardLength3b, TrafficDirection};
use crate::geo::{Enu, SiteFrame, Wgs84};

/// A heading this close to a direction counts as along it, degrees.
const ALONG_DEG: f64 = 60.0;
/// A road user this close to a path is on it, metres: two lanes and the error of GNSS.
const ON_PATH_M: f64 = 12.0;

/// The road user that asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reader {
    /// Where it is.
    pub position: Wgs84,
    /// Where it heads, degrees clockwise from north; `None` while it stands.
    pub heading_deg: Option<f64>,
    /// How fast it is, m/s.
    pub speed_mps: Option<f64>,
    /// The way it will take, from its position on; empty when it has not said.
    pub way: Vec<Wgs84>,
}

/// Whether an event matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Relevance {
    /// It does.
    Relevant {
        /// Metres to go to it: along the way or the trace when on one, as the crow flies otherwise.
        distance_m: f64,
        /// Seconds to it at the present speed.
        time_s: Option<f64>,
        /// What the distance is along.
        by: Match,
    },
    /// It does not.
    Irrelevant(Irrelevance),
}

/// What has matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The reader's own way passes the event.
    Way,
    /// The reader drives on this trace of the event.
    Trace(usize),
    /// Nothing speaks against it.
    Distance,
}

/// Why an event does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Irrelevance {
    /// It states no position.
    Nowhere,
    /// Further than its awareness (relevance) distance.
    TooFar,
    /// Meant for other traffic.
    OtherTraffic,
    /// The reader's way does not pass it.
    OffWay,
    /// The reader is on none of its traces.
    OffTraces,
    /// It is over.
    Ended,
}

/// The upper end of a class of `awarenessDistance`, metres; `None` for the class without one.
pub const fn awareness_distance_m(class: StandardLength3b) -> Option<f64> {
    Some(match class {
        StandardLength3b::LessThan50m => 50.0,
        StandardLength3b::LessThan100m => 100.0,
        StandardLength3b::LessThan200m => 200.0,
        StandardLength3b::LessThan500m => 500.0,
        StandardLength3b::LessThan1000m => 1_000.0,
        StandardLength3b::LessThan5km => 5_000.0,
        StandardLength3b::LessThan10km => 10_000.0,
        StandardLength3b::Over10km => return None,
    })
}

/// Whether a place is within the awareness distance of an event: what keep-alive forwarding and receivers ask first.
pub fn is_within_awareness(management: &ManagementContainer, place: Wgs84) -> bool {
    let limit_m = management.awareness_distance.and_then(awareness_distance_m);
    let Some(event) = wgs84(&management.event_position) else { return false };
    limit_m.is_none_or(|limit_m| ground_distance_m(event, place) <= limit_m)
}

/// Whether a DENM matters to `reader`: its distance, then its traffic direction, then the reader's way or the event's
/// traces.
pub fn denm_relevance(denm: &Denm, reader: &Reader) -> Relevance {
    let management = &denm.denm.management;
    let Some(event) = wgs84(&management.event_position) else { return Relevance::Irrelevant(Irrelevance::Nowhere) };
    if management.termination.is_some() {
        return Relevance::Irrelevant(Irrelevance::Ended);
    }
    if !is_within_awareness(management, reader.position) {
        return Relevance::Irrelevant(Irrelevance::TooFar);
    }
    // East and north of the reader, metres.
    let frame = SiteFrame::new(reader.position);
    let place = |p: Wgs84| frame.to_enu(Wgs84 { alt_m: reader.position.alt_m, ..p });
    let event_place = place(event);
    let location = denm.denm.location.as_ref();
    let event_heading_deg = location.and_then(|l| l.event_position_heading?.value_deg).map(f64::from);
    let direction = management.traffic_direction.unwrap_or(TrafficDirection::AllTrafficDirections);
    if is_other_traffic(direction, event_heading_deg, reader.heading_deg, event_place) {
        return Relevance::Irrelevant(Irrelevance::OtherTraffic);
    }
    let relevant = |distance_m: f64, by| Relevance::Relevant {
        distance_m,
        time_s: reader.speed_mps.filter(|mps| *mps > 0.1).map(|mps| distance_m / mps),
        by,
    };
    if !reader.way.is_empty() {
        let way: Vec<Enu> = std::iter::once(Enu::default()).chain(reader.way.iter().map(|p| place(*p))).collect();
        let passes = nearest_on_path(&way, event_place).filter(|near| near.off_m <= ON_PATH_M);
        return match passes {
            Some(near) => relevant(near.along_m, Match::Way),
            None => Relevance::Irrelevant(Irrelevance::OffWay),
        };
    }
    let traces = location.map(|l| &l.detection_zones_to_event_position[..]).unwrap_or_default();
    let said = traces.iter().enumerate().filter(|(_, trace)| !trace.is_empty());
    let distance_m = event_place.ground_distance_m(&Enu::default());
    let Some(heading_deg) = reader.heading_deg else { return relevant(distance_m, Match::Distance) };
    let mut any_trace = false;
    for (index, trace) in said {
        any_trace = true;
        let points = trace_points(trace, event, place);
        let Some(near) = nearest_on_path(&points, Enu::default()) else { continue };
        // A trace leads away from the event: whoever drives to it heads the other way.
        if near.off_m <= ON_PATH_M && turned_deg(near.heading_deg + 180.0, heading_deg) <= ALONG_DEG {
            return relevant(near.along_m, Match::Trace(index));
        }
    }
    if any_trace && distance_m > ON_PATH_M {
        return Relevance::Irrelevant(Irrelevance::OffTraces);
    }
    relevant(distance_m, Match::Distance)
}

/// EN 302 637-3 `relevanceTrafficDirection`, TS 103 831 `trafficDirection`: against the heading at the event. Unknown
/// headings exclude nobody.
fn is_other_traffic(
    direction: TrafficDirection,
    event_heading_deg: Option<f64>,
    heading_deg: Option<f64>,
    event: Enu,
) -> bool {
    let Some((event_heading_deg, heading_deg)) = event_heading_deg.zip(heading_deg) else { return false };
    let same = turned_deg(event_heading_deg, heading_deg) <= 90.0;
    let (sin, cos) = event_heading_deg.to_radians().sin_cos();
    // How far the event lies ahead in its own direction, metres.
    let ahead_m = event.e_m * sin + event.n_m * cos;
    match direction {
        TrafficDirection::AllTrafficDirections => false,
        TrafficDirection::UpstreamTraffic => !same || ahead_m < 0.0,
        TrafficDirection::DownstreamTraffic => !same || ahead_m > 0.0,
        TrafficDirection::OppositeTraffic => same,
    }
}

/// The points of a trace, from the event outwards.
fn trace_points(trace: &Path, event: Wgs84, place: impl Fn(Wgs84) -> Enu) -> Vec<Enu> {
    let mut here = event;
    let mut points = vec![place(here)];
    for point in trace.iter() {
        let offset = &point.path_position;
        let Some((lat_deg, lon_deg)) = offset.delta_latitude_deg.zip(offset.delta_longitude_deg) else { break };
        here.lat_deg += f64::from(lat_deg);
        here.lon_deg += f64::from(lon_deg);
        points.push(place(here));
    }
    points
}

/// Where a path comes nearest to a point.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Nearest {
    /// Distance from the path, metres.
    off_m: f64,
    /// Distance along the path from its beginning, metres.
    along_m: f64,
    /// Direction of the path there, degrees clockwise from north.
    heading_deg: f64,
}

fn nearest_on_path(path: &[Enu], p: Enu) -> Option<Nearest> {
    let mut best: Option<Nearest> = None;
    let mut before_m = 0.0;
    for ends in path.windows(2) {
        let (a, b) = (ends[0], ends[1]);
        let (de, dn) = (b.e_m - a.e_m, b.n_m - a.n_m);
        let length_m = de.hypot(dn);
        if length_m < 1e-6 {
            continue;
        }
        let along_m = (((p.e_m - a.e_m) * de + (p.n_m - a.n_m) * dn) / length_m).clamp(0.0, length_m);
        let foot = Enu::ground(a.e_m + de * along_m / length_m, a.n_m + dn * along_m / length_m);
        let near = Nearest {
            off_m: foot.ground_distance_m(&p),
            along_m: before_m + along_m,
            heading_deg: de.atan2(dn).to_degrees(),
        };
        if best.is_none_or(|best| near.off_m < best.off_m) {
            best = Some(near);
        }
        before_m += length_m;
    }
    best
}

fn turned_deg(a: f64, b: f64) -> f64 {
    ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs()
}

fn ground_distance_m(a: Wgs84, b: Wgs84) -> f64 {
    SiteFrame::new(a).to_enu(Wgs84 { alt_m: a.alt_m, ..b }).ground_distance_m(&Enu::default())
}

fn wgs84(position: &ReferencePosition) -> Option<Wgs84> {
    let (lat_deg, lon_deg) = position.latitude_deg.zip(position.longitude_deg)?;
    let alt_m = position.altitude.value_m.and_then(Reading::value).map_or(0.0, f64::from);
    Some(Wgs84 { lat_deg, lon_deg, alt_m })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::List;
    use crate::cdd::{ActionId, DeltaReferencePosition, PathPoint, StationId, StationType, TimestampIts, Wgs84Angle};
    use crate::denm::{DenmPayload, LocationContainer, Termination};

    const EVENT: Wgs84 = Wgs84 { lat_deg: 44.65554, lon_deg: 10.934315, alt_m: 0.0 };

    /// A place east and north of the event.
    fn at(e_m: f64, n_m: f64) -> Wgs84 {
        SiteFrame::new(EVENT).to_wgs84(Enu::ground(e_m, n_m))
    }

    /// An event on a road to the east, with traces through these points.
    fn denm(distance: StandardLength3b, direction: TrafficDirection, traces: &[&[[f64; 2]]]) -> Denm {
        let trace = |points: &&[[f64; 2]]| {
            let mut from = EVENT;
            List::try_from_iter(points.iter().map(|[e, n]| {
                let to = at(*e, *n);
                let path_position = DeltaReferencePosition {
                    delta_latitude_deg: Some((to.lat_deg - from.lat_deg) as f32),
                    delta_longitude_deg: Some((to.lon_deg - from.lon_deg) as f32),
                    delta_altitude_m: None,
                };
                from = to;
                PathPoint { path_position, path_delta_time_ms: None }
            }))
            .unwrap()
        };
        let management = ManagementContainer {
            action_id: ActionId::default(),
            detection_time: TimestampIts(1),
            reference_time: TimestampIts(1),
            termination: None,
            event_position: ReferencePosition {
                latitude_deg: Some(EVENT.lat_deg),
                longitude_deg: Some(EVENT.lon_deg),
                ..ReferencePosition::default()
            },
            awareness_distance: Some(distance),
            traffic_direction: Some(direction),
            validity_duration_s: 600,
            transmission_interval_ms: None,
            station_type: StationType::RoadSideUnit,
        };
        let location = LocationContainer {
            event_position_heading: Some(Wgs84Angle { value_deg: Some(90.0), confidence_deg: None }),
            detection_zones_to_event_position: List::try_from_iter(traces.iter().map(trace)).unwrap(),
            ..LocationContainer::default()
        };
        Denm::new(StationId(1), DenmPayload { management, situation: None, location: Some(location), alacarte: None })
    }

    fn reader(e_m: f64, n_m: f64, heading_deg: Option<f64>) -> Reader {
        Reader { position: at(e_m, n_m), heading_deg, speed_mps: Some(10.0), way: Vec::new() }
    }

    #[test]
    fn the_awareness_distance_is_a_circle() {
        use StandardLength3b::{LessThan50m, LessThan100m, Over10km};
        for (class, e_m, expected) in [
            (LessThan50m, 49.0, true),
            (LessThan50m, 51.0, false),
            (LessThan100m, 51.0, true),
            (LessThan100m, 101.0, false),
            (Over10km, 30_000.0, true),
        ] {
            let denm = denm(class, TrafficDirection::AllTrafficDirections, &[]);
            let got = denm_relevance(&denm, &reader(e_m, 0.0, None));
            assert_eq!(got != Relevance::Irrelevant(Irrelevance::TooFar), expected, "{class:?} at {e_m} m: {got:?}");
        }
    }

    #[test]
    fn the_traffic_direction_is_against_the_heading_at_the_event() {
        use TrafficDirection::{AllTrafficDirections, DownstreamTraffic, OppositeTraffic, UpstreamTraffic};
        // East of the event is downstream of it, for traffic to the east.
        for (direction, e_m, heading_deg, expected) in [
            (UpstreamTraffic, -80.0, Some(90.0), true),
            (UpstreamTraffic, 80.0, Some(90.0), false),
            (UpstreamTraffic, 80.0, Some(270.0), false),
            (DownstreamTraffic, 80.0, Some(90.0), true),
            (DownstreamTraffic, -80.0, Some(90.0), false),
            (OppositeTraffic, 80.0, Some(270.0), true),
            (OppositeTraffic, -80.0, Some(90.0), false),
            (AllTrafficDirections, 80.0, Some(90.0), true),
            (UpstreamTraffic, 80.0, None, true),
        ] {
            let denm = denm(StandardLength3b::LessThan200m, direction, &[]);
            let got = denm_relevance(&denm, &reader(e_m, 0.0, heading_deg));
            let relevant = matches!(got, Relevance::Relevant { .. });
            assert_eq!(relevant, expected, "{direction:?}, {e_m} m, {heading_deg:?}: {got:?}");
        }
    }

    #[test]
    fn traces_tell_who_drives_towards_the_event() {
        // One road from the west, one from the south that joins it 100 m before.
        let traces: [&[[f64; 2]]; 2] = [&[[-100.0, 0.0], [-300.0, 0.0]], &[[-100.0, 0.0], [-100.0, -200.0]]];
        let denm = denm(StandardLength3b::LessThan1000m, TrafficDirection::AllTrafficDirections, &traces);
        for (e_m, n_m, heading_deg, expected) in [
            (-200.0, 3.0, Some(90.0), Some((200.0, Match::Trace(0)))),
            (-97.0, -150.0, Some(0.0), Some((250.0, Match::Trace(1)))),
            // On a trace, but away from the event; beside every trace; with no heading.
            (-200.0, 3.0, Some(270.0), None),
            (-200.0, 60.0, Some(90.0), None),
            (-200.0, 60.0, None, Some((208.8, Match::Distance))),
            // At the event.
            (5.0, 0.0, Some(270.0), Some((5.0, Match::Distance))),
        ] {
            let got = denm_relevance(&denm, &reader(e_m, n_m, heading_deg));
            match (got, expected) {
                (Relevance::Relevant { distance_m, time_s, by }, Some((expected_m, expected_by))) => {
                    assert!((distance_m - expected_m).abs() < 0.5 && by == expected_by, "{e_m} {n_m}: {got:?}");
                    assert!((time_s.unwrap() - distance_m / 10.0).abs() < 1e-9);
                }
                (Relevance::Irrelevant(Irrelevance::OffTraces), None) => {}
                _ => panic!("{e_m} {n_m} {heading_deg:?}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_reader_that_says_its_way_is_told_what_lies_on_it() {
        let denm = denm(StandardLength3b::LessThan1000m, TrafficDirection::AllTrafficDirections, &[&[[0.0, -300.0]]]);
        let way = |points: &[[f64; 2]]| Reader {
            way: points.iter().map(|[e, n]| at(*e, *n)).collect(),
            ..reader(-300.0, -200.0, Some(0.0))
        };
        let Relevance::Relevant { distance_m, by: Match::Way, .. } =
            denm_relevance(&denm, &way(&[[-300.0, 0.0], [200.0, 0.0]]))
        else {
            panic!("the way turns towards the event");
        };
        assert!((distance_m - 500.0).abs() < 0.5, "{distance_m}");
        let straight_on = denm_relevance(&denm, &way(&[[-300.0, 400.0]]));
        assert_eq!(straight_on, Relevance::Irrelevant(Irrelevance::OffWay));
    }

    #[test]
    fn an_ended_event_matters_to_nobody() {
        let mut denm = denm(StandardLength3b::Over10km, TrafficDirection::AllTrafficDirections, &[]);
        denm.denm.management.termination = Some(Termination::IsCancellation);
        let got = denm_relevance(&denm, &reader(0.0, 0.0, None));
        assert_eq!(got, Relevance::Irrelevant(Irrelevance::Ended));
        denm.denm.management.event_position.latitude_deg = None;
        let got = denm_relevance(&denm, &reader(0.0, 0.0, None));
        assert_eq!(got, Relevance::Irrelevant(Irrelevance::Nowhere));
    }
}
