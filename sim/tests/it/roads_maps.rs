//! The networks that come with the program.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_sim::Roads;
use masa_sim::roads::{EdgeKind, LaneKind, Users};
use std::collections::BTreeSet;

fn shipped() -> impl Iterator<Item = (&'static str, Roads)> {
    Roads::SHIPPED.iter().map(|(name, _)| (*name, Roads::shipped(name).unwrap_or_else(|error| panic!("{error}"))))
}

#[test]
fn every_map_loads_and_lies_on_the_globe() {
    for (name, roads) in shipped() {
        assert_eq!(roads.name, name);
        let origin = roads.geo.expect("a georeference").origin;
        assert!((origin.lat_deg - 44.65).abs() < 0.1 && (origin.lon_deg - 10.92).abs() < 0.1, "{name}: {origin:?}");
        assert!(!roads.buildings.is_empty() && !roads.trees.is_empty(), "{name}");
        let bounds = roads.bounds().unwrap();
        assert!((bounds.1 - bounds.0).norm() > 300.0, "{name}: {bounds:?}");
    }
    let origin = Roads::shipped("masa").unwrap().geo.unwrap().origin;
    assert!((origin.lat_deg - 44.6555).abs() < 1e-9 && (origin.lon_deg - 10.9343).abs() < 1e-9, "{origin:?}");
}

#[test]
fn links_join_lanes_without_gaps() {
    for (name, roads) in shipped() {
        for link in &roads.links {
            let lanes = [Some(link.from), link.via, Some(link.to).filter(|_| link.via.is_none())];
            let lanes: Vec<_> = lanes.into_iter().flatten().map(|id| roads.lane(id)).collect();
            let on_foot = lanes.iter().any(|lane| lane.users == Users::PEDESTRIAN);
            for pair in lanes.windows(2).filter(|_| !on_foot) {
                let gap = (pair[0].centre.points().last().unwrap() - pair[1].centre.points()[0]).norm();
                // netconvert leads bicycles along the edge of a lane that they share.
                let wide = pair.iter().any(|lane| lane.kind == LaneKind::Bicycle);
                let tolerance = if wide { pair[0].width_m.max(pair[1].width_m) / 2.0 } else { 0.2 };
                assert!(gap < tolerance, "{name}: {gap} m between {} and {}", pair[0].name, pair[1].name);
            }
        }
    }
}

#[test]
fn scenery_stands_beside_the_carriageways() {
    for (name, roads) in shipped() {
        for lane in roads.lanes.iter().filter(|lane| lane.kind == LaneKind::Driving) {
            let points: Vec<_> =
                (0..=(lane.centre.length_m() as usize)).filter_map(|s| lane.centre.at(s as f64)).collect();
            for on in points {
                let p = on.point.xy();
                let inside = roads.buildings.iter().position(|b| masa_sim::geometry::contains(&b.outline, p));
                assert_eq!(inside, None, "{name}: building on lane {} at {p}", lane.name);
                let reach = lane.width_m / 2.0;
                let posts =
                    roads.lamps.iter().map(|lamp| lamp.position).chain(roads.trees.iter().map(|tree| tree.position));
                for post in posts {
                    assert!((post - p).norm() > reach, "{name}: post at {post} on lane {}", lane.name);
                }
            }
        }
    }
}

#[test]
fn the_city_junction_has_what_scenarios_need() {
    let roads = Roads::shipped("masa").unwrap();
    let kinds: BTreeSet<LaneKind> = roads.lanes.iter().map(|lane| lane.kind).collect();
    for kind in [LaneKind::Driving, LaneKind::Bicycle, LaneKind::Sidewalk, LaneKind::Parking] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    let signalled = |edge: &masa_sim::roads::Edge| {
        let into = roads.links.iter().filter(|link| edge.lanes.contains(&link.to));
        into.filter(|link| link.signal.is_some()).count()
    };
    let crossings = || roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Crossing);
    assert_eq!(crossings().filter(|edge| signalled(edge) > 0).count(), 4);
    assert_eq!(crossings().filter(|edge| signalled(edge) == 0).count(), 4);
    assert_eq!(roads.signals.len(), 1);
    assert_eq!(roads.parking.len(), 6 + 6 + 10 + 10);
    assert!(
        roads.parking.iter().all(|space| space.lane.is_some_and(|lane| roads.lane(lane).kind == LaneKind::Parking))
    );
    assert_eq!(roads.stops.len(), 2);
    let motorway = Roads::shipped("motorway").unwrap();
    assert!(motorway.lanes.iter().any(|lane| lane.kind == LaneKind::Shoulder));
    assert!(Roads::shipped("boulevard").unwrap().lanes.iter().any(|lane| lane.kind == LaneKind::Rail));
}

#[test]
fn wrong_names_and_scenery_are_named() {
    let error = Roads::shipped("massa").unwrap_err().to_string();
    assert_eq!(error, "no shipped network is called `massa`; `masa` is one");
    let mut roads = Roads::shipped("bend").unwrap();
    for (text, expected) in [
        ("[[building]]\nheight-m = 3", "s: building 1: needs either `outline-m` or `rectangle-m`"),
        ("[[building]]\nheight-m = nan\nrectangle-m = [0, 0, 5, 5]", "s: building 1: a size of NaN m"),
        ("[[building]]\nheight-m = 3\noutline-m = [[0, 0], [1, 1]]", "s: building 1: the outline encloses nothing"),
        ("[[trees]]\nfrom-m = [0, 0]\nto-m = [1e9, 0]\nspacing-m = 1\nheight-m = 3\ncrown-m = 2", "s: trees 1: a row"),
        ("[[stop]]\nname = \"x\"\nlane = \"nowhere\"\nfrom-m = 0\nto-m = 1", "s: stop `x`: there is no lane `nowhere`"),
        (
            "[[parking]]\nname = \"x\"\nlane = \"west-before_1\"\nfrom-m = 0\nto-m = 1e4\nspace-m = 5",
            "s: parking `x`: 0 m to 10000 m is no part of a lane of",
        ),
    ] {
        let error = roads.add_scenery(text, "s").unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\n  instead of\n{expected}");
    }
    let error = roads.add_scenery("\n[[lamp]]\n", "s").unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("lamp"), "{error}");
}
