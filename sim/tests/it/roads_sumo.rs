//! SUMO networks against what sumolib 1.28 reads from them, and by hand.

#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::data_path;
use masa_sim::Roads;
use masa_sim::roads::{EdgeKind, LaneKind, RightOfWay, SignalState, Turn, Users};

/// What sumolib counts in a network.
struct Counts {
    /// Edges: roads, internal, crossings, walking areas.
    edges: [usize; 4],
    lanes: usize,
    /// Of all lanes, metres.
    length_m: f64,
    /// Of lanes of roads, metres.
    road_length_m: f64,
    junctions: usize,
    links: usize,
    /// Lanes that allow cars, buses, bicycles, people on foot.
    allow: [usize; 4],
    /// Ones in `response` and in `foes` of all junctions.
    bits: [usize; 2],
}

fn compare(roads: &Roads, counts: &Counts) {
    let kinds = [EdgeKind::Road, EdgeKind::Internal, EdgeKind::Crossing, EdgeKind::WalkingArea];
    assert_eq!(kinds.map(|kind| roads.edges.iter().filter(|edge| edge.kind == kind).count()), counts.edges);
    assert_eq!(
        (roads.lanes.len(), roads.junctions.len(), roads.links.len()),
        (counts.lanes, counts.junctions, counts.links)
    );
    let length_m: f64 = roads.lanes.iter().map(|lane| lane.length_m).sum();
    assert!((length_m - counts.length_m).abs() < 1e-3, "{length_m}");
    let of_roads = roads.lanes.iter().filter(|lane| roads.edge(lane.edge).kind == EdgeKind::Road);
    let length_m: f64 = of_roads.map(|lane| lane.length_m).sum();
    assert!((length_m - counts.road_length_m).abs() < 1e-3, "{length_m}");
    let allow = [Users::CAR, Users::BUS, Users::BICYCLE, Users::PEDESTRIAN];
    let allow = allow.map(|users| roads.lanes.iter().filter(|lane| lane.users.contains(users)).count());
    assert_eq!(allow, counts.allow);
    let links = || roads.junctions.iter().flat_map(|junction| &junction.links).map(|link| roads.link(*link));
    assert_eq!(
        [links().map(|l| l.yields_to.len()).sum::<usize>(), links().map(|l| l.conflicts.len()).sum()],
        counts.bits
    );
}

#[test]
fn bologna_is_what_sumolib_says() {
    let Some(path) = data_path("sim/sumo/acosta/acosta_buslanes.net.xml", "bologna_is_what_sumolib_says") else {
        return;
    };
    let mut roads = Roads::load(&path).unwrap();
    let counts = Counts {
        edges: [178, 294, 0, 0],
        lanes: 650,
        length_m: 38_427.23,
        road_length_m: 33_228.80,
        junctions: 112,
        links: 735,
        allow: [582, 650, 582, 582],
        bits: [310, 578],
    };
    compare(&roads, &counts);
    // pyproj, of the network's offset.
    let origin = roads.geo.unwrap().origin;
    assert!((origin.lat_deg - 44.489_886_718_6).abs() < 1e-8 && (origin.lon_deg - 11.308_363_847_1).abs() < 1e-8);

    // Controller 210: its programme in the network, then the one that the scenario loads on top.
    let at = roads.signals.iter().position(|controller| controller.name == "210").unwrap();
    let shape = |roads: &Roads| {
        let phases = &roads.signals[at].phases;
        (phases.len(), phases[0].states.len(), phases.iter().map(|phase| phase.duration_s).sum::<f64>())
    };
    assert_eq!(shape(&roads), (11, 20, 90.0));
    let programmes = std::fs::read_to_string(path.with_file_name("acosta_tls.add.xml")).unwrap();
    assert_eq!(roads.read_signal_programmes(&programmes, "acosta_tls.add.xml").unwrap(), 7);
    let first = &roads.signals[at].phases[0];
    assert_eq!((first.duration_s, first.min_s, first.max_s), (34.0, 6.0, 84.0));
    use SignalState::{GreenMajor as G, GreenMinor as g, Red as r};
    assert_eq!(first.states, [G, G, g, r, r, r, r, r, G, G, g, r, r, r, G, G, r, r, r, r]);
    // Its link 10 turns left from edge 46.
    let id = masa_sim::roads::SignalId(at as u32);
    let link = roads.links.iter().find(|link| link.signal == Some((id, 10))).unwrap();
    let from = roads.edge(roads.lane(link.from).edge);
    assert_eq!((from.name.as_str(), roads.lane(link.from).index, link.turn), ("46", 2, Turn::Left));
    assert_eq!(roads.lane(link.via.unwrap()).name, ":27_10_0");
}

#[test]
fn bologna_with_people_is_what_sumolib_says() {
    let test = "bologna_with_people_is_what_sumolib_says";
    let Some(path) = data_path("sim/sumo/acosta_persontrips/acosta_peds.net.xml", test) else { return };
    let roads = Roads::load(&path).unwrap();
    let counts = Counts {
        edges: [184, 342, 160, 214],
        lanes: 1265,
        length_m: 63_508.87,
        road_length_m: 55_888.1,
        junctions: 112,
        links: 1455,
        allow: [634, 707, 634, 558],
        bits: [789, 1506],
    };
    compare(&roads, &counts);
    for edge in &roads.edges {
        assert_eq!(edge.kind == EdgeKind::Crossing, !edge.crosses.is_empty(), "{}", edge.name);
        assert!(edge.kind != EdgeKind::WalkingArea || edge.outline.len() >= 3, "{}", edge.name);
        assert!(edge.kind == EdgeKind::Road || edge.from == edge.to, "{}", edge.name);
    }
    assert!(roads.lanes.iter().any(|lane| lane.kind == LaneKind::Sidewalk));
    assert!(roads.lanes.iter().all(|lane| lane.centre.points().len() >= 2));
}

/// Two roads that meet: `a` goes straight on and has priority, `b` turns left into it, waits inside and gives way; people
/// cross `c`.
const SMALL: &str = r#"<?xml version="1.0"?>
<net version="1.20" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="net_file.xsd">
    <location netOffset="0.00,0.00" projParameter="+proj=tmerc +lat_0=44.6 +lon_0=10.9"/>
    <edge id=":m_0" function="internal"><lane id=":m_0_0" index="0" speed="13.89" length="10" shape="50,0 60,0"/></edge>
    <edge id=":m_1" function="internal"><lane id=":m_1_0" index="0" speed="8" length="7" shape="55,-5 57,-1"/></edge>
    <edge id=":m_2" function="internal"><lane id=":m_2_0" index="0" speed="8" length="4" shape="57,-1 60,0"/></edge>
    <edge id=":m_c0" function="crossing" crossingEdges="c"><lane id=":m_c0_0" index="0" allow="pedestrian" speed="1" length="6" width="4" shape="62,3 62,-3"/></edge>
    <edge id=":m_w0" function="walkingarea"><lane id=":m_w0_0" index="0" allow="pedestrian" speed="1" length="2" shape="60,3 64,3 64,5 60,5"/></edge>
    <edge id="a" from="west" to="m" priority="2"><lane id="a_0" index="0" speed="13.89" length="50" shape="0,0,1 50,0,2"/></edge>
    <edge id="b" from="south" to="m" priority="1"><lane id="b_0" index="0" disallow="truck" speed="8" length="45" width="2.75" shape="55,-50 55,-5"/></edge>
    <edge id="c" from="m" to="east" priority="2"><lane id="c_0" index="0" speed="13.89" length="40" shape="60,0 100,0"/></edge>
    <tlLogic id="t" type="actuated" programID="0" offset="4"><phase duration="30" minDur="5" maxDur="45" state="Gr"/><phase duration="3" state="yu"/></tlLogic>
    <junction id="m" type="traffic_light" x="55" y="0" incLanes="a_0 b_0 :m_w0_0" intLanes=":m_0_0 :m_2_0 :m_c0_0" shape="50,3 60,3 60,-5">
        <request index="0" response="100" foes="110" cont="0"/>
        <request index="1" response="101" foes="101" cont="1"/>
        <request index="2" response="000" foes="011" cont="0"/>
    </junction>
    <junction id=":m_2_0" type="internal" x="57" y="-1" incLanes=":m_1_0 a_0" intLanes=":m_0_0 :m_c0_0"/>
    <junction id="west" type="dead_end" x="0" y="0" incLanes="" intLanes=""/>
    <junction id="south" type="dead_end" x="55" y="-50" incLanes="" intLanes=""/>
    <junction id="east" type="dead_end" x="100" y="0" incLanes="c_0" intLanes=""/>
    <connection from="a" to="c" fromLane="0" toLane="0" via=":m_0_0" tl="t" linkIndex="0" dir="s" state="o"/>
    <connection from="b" to="c" fromLane="0" toLane="0" via=":m_1_0" tl="t" linkIndex="1" dir="l" state="o"/>
    <connection from=":m_0" to="c" fromLane="0" toLane="0" dir="s" state="M"/>
    <connection from=":m_1" to="c" fromLane="0" toLane="0" via=":m_2_0" dir="l" state="m"/>
    <connection from=":m_2" to="c" fromLane="0" toLane="0" dir="l" state="M"/>
    <connection from=":m_w0" to=":m_c0" fromLane="0" toLane="0" dir="s" state="M"/>
    <connection from=":m_c0" to=":m_w0" fromLane="0" toLane="0" dir="s" state="M"/>
</net>"#;

#[test]
fn a_small_junction_is_read_whole() {
    let roads = Roads::parse(SMALL, "folder/small.net.xml").unwrap();
    assert_eq!((roads.name.as_str(), roads.left_hand), ("small", false));
    let lane = |name: &str| roads.lanes.iter().find(|lane| lane.name == name).unwrap();
    assert_eq!((lane("b_0").width_m, lane("b_0").users.contains(Users::TRUCK)), (2.75, false));
    assert_eq!((lane("a_0").width_m, lane("a_0").centre.points()[1].z), (3.2, 2.0));
    assert_eq!(lane(":m_c0_0").kind, LaneKind::Sidewalk);
    assert_eq!(lane(":m_c0_0").users, Users::PEDESTRIAN);
    let junction = &roads.junctions[0];
    assert_eq!((junction.name.as_str(), junction.outline.len(), junction.links.len()), ("m", 3, 3));
    let [a, b, people] = [0, 1, 2].map(|at| roads.link(junction.links[at]));
    assert_eq!((roads.lane(a.from).name.as_str(), roads.lane(people.to).name.as_str()), ("a_0", ":m_c0_0"));
    // The rightmost bit is link 0.
    assert_eq!((&a.yields_to[..], &a.conflicts[..]), (&[2][..], &[1, 2][..]));
    assert_eq!((&b.yields_to[..], &b.conflicts[..], b.waits_inside), (&[0, 2][..], &[0, 2][..], true));
    assert_eq!((&people.yields_to[..], people.right_of_way), (&[][..], RightOfWay::Major));
    // Where `b` waits inside, it gives way to `a` and still meets the people.
    let inside = roads.lane(b.via.unwrap());
    let waiting = roads.link(inside.links[0]);
    assert_eq!((&waiting.yields_to[..], &waiting.conflicts[..]), (&[0][..], &[0, 2][..]));
    assert_eq!(waiting.junction, b.junction);
    assert_eq!(roads.lane(waiting.via.unwrap()).name, ":m_2_0");
    let controller = &roads.signals[0];
    assert_eq!((controller.offset_s, controller.phases[0].max_s), (4.0, 45.0));
    assert_eq!(controller.phases[1].states, [SignalState::Yellow, SignalState::RedYellow]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (from, to, expected) in [
        ("length=\"50\"", "length=\"NaN\"", "small:9: <lane id=\"a_0\">: length=\"NaN\" is not within ±1e9"),
        ("shape=\"0,0,1 50,0,2\"", "shape=\"0,0 inf,0\"", "small:9: <lane id=\"a_0\">: `inf,0` of a shape"),
        ("shape=\"0,0,1 50,0,2\"", "shape=\"\"", "small:9: <lane id=\"a_0\">: the shape has no point"),
        ("index=\"0\" disallow", "index=\"1\" disallow", "small:10: <lane id=\"b_0\">: index=\"1\""),
        ("disallow=\"truck\"", "disallow=\"lorry\"", "small:10: <lane id=\"b_0\">: vehicle class `lorry` is not known"),
        (
            "from=\"south\"",
            "from=\"south\" colour=\"red\"",
            "small:10: <edge id=\"b\">: attribute `colour` is not known",
        ),
        ("from=\"south\"", "from=\"nowhere\"", "small:10: <edge id=\"b\">: there is no junction `nowhere`"),
        ("response=\"101\"", "response=\"1001\"", "small:15: <request>: response=\"1001\" is no row of 3 bits"),
        ("state=\"yu\"", "state=\"y\"", "small:12: <tlLogic id=\"t\">: phase 1 has another number of states"),
        ("state=\"Gr\"", "state=\"G?\"", "small:12: <phase>: `?` is no state of a signal"),
        ("linkIndex=\"1\"", "linkIndex=\"7\"", "small:12: <tlLogic id=\"t\">: 2 states for 8 links"),
        (
            "tl=\"t\" linkIndex=\"1\"",
            "tl=\"u\" linkIndex=\"1\"",
            "small:23: <connection>: there is no signal controller",
        ),
        ("via=\":m_2_0\" dir", "via=\":m_9_0\" dir", "small:25: <connection>: there is no lane `:m_9_0`"),
        ("id=\"c\" from", "id=\"b\" from", "small:11: <edge id=\"b\">: the id is taken already"),
        ("</net>", "<bridge/></net>", "small:29: <bridge>: an element of this name is not known"),
        ("</net>", "", "small:28: not well-formed XML"),
        ("+proj=tmerc", "+proj=merc", "small:3: <location>: projParameter"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let error = Roads::parse(&SMALL.replacen(from, to, 1), "small").unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\n  instead of\n{expected}");
    }
    assert!(Roads::parse("<html/>", "page").unwrap_err().to_string().contains("neither"));
    assert!(Roads::load("no/such.net.xml").unwrap_err().to_string().starts_with("no/such.net.xml: "));
}

#[test]
fn routes_are_as_fast_as_sumolib_finds_them() {
    let test = "routes_are_as_fast_as_sumolib_finds_them";
    let Some(path) = data_path("sim/sumo/acosta/acosta_buslanes.net.xml", test) else { return };
    let roads = Roads::load(path).unwrap();
    let edge = |name: &str| {
        let place = roads.edges.iter().position(|edge| edge.name == name).unwrap();
        masa_sim::roads::EdgeId(place as u32)
    };
    // getOptimalPath(fastest=True, vClass="passenger", withInternal=True): edges that are not internal, seconds.
    for (from, to, edges, time_s) in [
        ("136", "41", 21, 131.171),
        ("58[0]", "171", 19, 171.115),
        ("134", "124", 8, 65.941),
        ("109[1][0]+20003", "42", 9, 80.858),
        ("120", "20", 13, 123.783),
        ("71", "75", 12, 48.983),
        ("186", "137", 27, 210.421),
        ("109[1][1]", "204[1][0]", 8, 52.157),
    ] {
        let (route, found_s) = roads.route_s(edge(from), edge(to), Users::CAR).unwrap();
        assert_eq!(route.len(), edges, "{from} to {to}");
        // sumolib takes the time of a way inside a junction from its first lane, this from the lane that is used.
        assert!((found_s - time_s).abs() < 0.5, "{from} to {to}: {found_s} s instead of {time_s} s");
    }
}
