//! OpenDRIVE networks against an independent evaluation of their lanes, and by hand.

#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::data_path;
use masa_sim::Roads;
use masa_sim::roads::{EdgeKind, LaneKind, RightOfWay, SignalState, Turn, Users};
use std::fmt::Write as _;

/// File, lanes that have a width, and over their middle lines: length and sums of x and y of their starts and ends; by
/// numeric integration of the file's curves every 0.25 m with SciPy.
const FILES: &[(&str, usize, [f64; 5])] = &[
    ("carla_adstore_Karlsruhe.xodr", 6, [218.16, 2198.46, -0.06, 2198.46, -0.06]),
    ("carla_adstore_Town01.xodr", 300, [17357.26, 60900.17, -39108.72, 60888.94, -39095.89]),
    ("esmini_e6mini.xodr", 14, [20502.14, 1099.75, 10178.44, 1096.74, 10148.33]),
    ("esmini_fabriksgatan.xodr", 44, [3376.74, 719.05, 465.35, 720.02, 467.72]),
    ("esmini_jolengatan.xodr", 6, [4764.30, -212.11, 165.09, -191.68, 162.20]),
    ("esmini_parking_demo.xodr", 31, [2456.68, 3141.25, -2186.88, 3636.79, -2532.59]),
    ("esmini_straight_500m.xodr", 6, [3000.00, 1500.00, 0.00, 1500.00, 0.00]),
];

#[test]
fn lanes_lie_where_the_curves_lead() {
    for (file, lanes, sums) in FILES {
        let Some(path) = data_path(&format!("sim/opendrive/{file}"), "lanes_lie_where_the_curves_lead") else {
            continue;
        };
        let roads = Roads::load(path).unwrap();
        let of_roads = || roads.lanes.iter().filter(|lane| roads.edge(lane.edge).kind != EdgeKind::Crossing);
        assert_eq!(of_roads().count(), *lanes, "{file}");
        let ends = of_roads().map(|lane| (lane.centre.points()[0], *lane.centre.points().last().unwrap()));
        let found = ends.fold([0.0; 5], |s, (a, b)| [s[0], s[1] + a.x, s[2] + a.y, s[3] + b.x, s[4] + b.y]);
        let length: f64 = of_roads().map(|lane| lane.length_m).sum();
        // Points lie up to a centimetre off; chords are shorter than curves.
        assert!((length - sums[0]).abs() < 5e-4 * sums[0], "{file}: {length} m instead of {} m", sums[0]);
        for (found, wanted) in found.iter().zip(sums).skip(1) {
            assert!((found - wanted).abs() < 0.011 * *lanes as f64, "{file}: {found} instead of {wanted}");
        }
    }
}

#[test]
fn linked_lanes_meet() {
    for (file, ..) in FILES {
        let Some(path) = data_path(&format!("sim/opendrive/{file}"), "linked_lanes_meet") else { continue };
        let roads = Roads::load(path).unwrap();
        for link in &roads.links {
            let (from, to) = (roads.lane(link.from), roads.lane(link.via.unwrap_or(link.to)));
            let gap = (from.centre.points().last().unwrap() - to.centre.points()[0]).norm();
            assert!(gap < 0.2, "{file}: {gap} m between {} and {}", from.name, to.name);
        }
    }
}

#[test]
fn a_town_has_junctions_with_signals_that_let_everybody_go() {
    let test = "a_town_has_junctions_with_signals_that_let_everybody_go";
    let Some(path) = data_path("sim/opendrive/carla_adstore_Town01.xodr", test) else { return };
    let roads = Roads::load(path).unwrap();
    assert_eq!((roads.junctions.len(), roads.signals.len()), (12, 12));
    for junction in &roads.junctions {
        let links: Vec<_> = junction.links.iter().map(|link| roads.link(*link)).collect();
        let driving: Vec<_> =
            links.iter().filter(|link| roads.lane(link.from).kind == LaneKind::Driving).copied().collect();
        // Three arms with one lane each.
        assert_eq!(driving.len(), 6, "{}", junction.name);
        let mut turns: Vec<Turn> = driving.iter().map(|link| link.turn).collect();
        turns.sort();
        assert_eq!(turns, [Turn::Straight, Turn::Straight, Turn::Left, Turn::Left, Turn::Right, Turn::Right]);
        for link in driving {
            let (controller, place) = link.signal.expect("a signal");
            let controller = &roads.signals[controller.index()];
            assert_eq!(controller.name, junction.name);
            let green = |at: usize| controller.phases.iter().filter(move |phase| phase.states[at].is_green());
            assert!(green(usize::from(place)).count() > 0, "{}", junction.name);
            for phase in green(usize::from(place)) {
                for other in link.conflicts.iter().map(|other| links[usize::from(*other)]) {
                    let state = phase.states[usize::from(other.signal.unwrap().1)];
                    let own = phase.states[usize::from(place)];
                    assert!(!(own == SignalState::GreenMajor && state == SignalState::GreenMajor), "{}", junction.name);
                }
            }
        }
    }
}

#[test]
fn of_two_ways_that_meet_one_gives_way() {
    for file in ["carla_adstore_Town01.xodr", "esmini_fabriksgatan.xodr", "esmini_parking_demo.xodr"] {
        let Some(path) = data_path(&format!("sim/opendrive/{file}"), "of_two_ways_that_meet_one_gives_way") else {
            return;
        };
        let roads = Roads::load(path).unwrap();
        let mut pairs = 0;
        for junction in &roads.junctions {
            for (at, link) in junction.links.iter().map(|link| roads.link(*link)).enumerate() {
                for other in &link.conflicts {
                    let that = roads.link(junction.links[usize::from(*other)]);
                    assert!(that.conflicts.contains(&(at as u16)));
                    assert_ne!(link.yields_to.contains(other), that.yields_to.contains(&(at as u16)), "{file}");
                    pairs += 1;
                }
            }
        }
        assert!(pairs > 0, "{file}");
    }
}

#[test]
fn a_parking_place_has_its_spaces_crossings_and_trees() {
    let test = "a_parking_place_has_its_spaces_crossings_and_trees";
    let Some(path) = data_path("sim/opendrive/esmini_parking_demo.xodr", test) else { return };
    let roads = Roads::load(path).unwrap();
    let crossings: Vec<_> = roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Crossing).collect();
    assert_eq!(crossings.len(), 3);
    for crossing in crossings {
        let lane = roads.lane(crossing.lanes[0]);
        // Over two lanes of 3 m at least.
        assert!(lane.length_m > 5.9 && lane.width_m > 2.9, "{}: {} × {}", lane.name, lane.length_m, lane.width_m);
        assert!(crossing.crosses.len() >= 2, "{}", lane.name);
    }
    assert_eq!(roads.parking.len(), 62);
    assert!(roads.parking.iter().all(|space| space.length_m > 3.0 && space.width_m > 1.5));
    assert!(!roads.trees.is_empty());
    assert!(roads.lanes.iter().any(|lane| lane.users == Users::BICYCLE));
}

/// A crossing of a road from west to east and one from south to north, each with one lane a direction; only ways straight on.
/// `rule` is the side of traffic, `more` stands in the junction, `signals` on the road from the south.
fn crossing(rule: &str, more: &str, signals: &str) -> String {
    let lane = |id: i32, link: &str| {
        format!(
            r#"<lane id="{id}" type="driving" level="false">{link}<width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane>"#
        )
    };
    let road = |id: u32, at: [f64; 4], junction: i32, links: &str, lane_link: [&str; 2], signals: &str| {
        let [x, y, hdg, length] = at;
        let (left, right) = (lane(1, lane_link[0]), lane(-1, lane_link[1]));
        format!(
            r#"<road id="{id}" name="" length="{length}" junction="{junction}" rule="{rule}"><link>{links}</link>
<planView><geometry s="0" x="{x}" y="{y}" hdg="{hdg}" length="{length}"><line/></geometry></planView>
<lanes><laneSection s="0"><left>{left}</left><center><lane id="0" type="none"/></center><right>{right}</right></laneSection></lanes>
<signals>{signals}</signals></road>"#
        )
    };
    let (east, north) = (0.0, std::f64::consts::FRAC_PI_2);
    let both = r#"<link><predecessor id="ID"/><successor id="ID"/></link>"#;
    let straight = [both.replace("ID", "1"), both.replace("ID", "-1")];
    let straight = [straight[0].as_str(), straight[1].as_str()];
    let mut text = String::from("<OpenDRIVE><header revMajor=\"1\" revMinor=\"6\"/>");
    let arms = [
        (1, [-50.0, 0.0, east, 40.0], "successor"),
        (2, [10.0, 0.0, east, 40.0], "predecessor"),
        (3, [0.0, -50.0, north, 40.0], "successor"),
        (4, [0.0, 10.0, north, 40.0], "predecessor"),
    ];
    for (id, at, end) in arms {
        let link = format!(r#"<{end} elementType="junction" elementId="9"/>"#);
        let _ = write!(text, "{}", road(id, at, -1, &link, ["", ""], if id == 3 { signals } else { "" }));
    }
    for (id, at, before, behind) in [(11, [-10.0, 0.0, east, 20.0], 1, 2), (12, [0.0, -10.0, north, 20.0], 3, 4)] {
        let links = format!(
            r#"<predecessor elementType="road" elementId="{before}" contactPoint="end"/><successor elementType="road" elementId="{behind}" contactPoint="start"/>"#
        );
        let _ = write!(text, "{}", road(id, at, 9, &links, straight, ""));
    }
    let connection = |id: u32, from: u32, by: u32, contact: &str, lane: i32| {
        format!(
            r#"<connection id="{id}" incomingRoad="{from}" connectingRoad="{by}" contactPoint="{contact}"><laneLink from="{lane}" to="{lane}"/></connection>"#
        )
    };
    let (forward, backward) = if rule == "LHT" { (1, -1) } else { (-1, 1) };
    let _ = write!(
        text,
        r#"<junction id="9" name="middle">{}{}{}{}{more}</junction></OpenDRIVE>"#,
        connection(0, 1, 11, "start", forward),
        connection(1, 2, 11, "end", backward),
        connection(2, 3, 12, "start", forward),
        connection(3, 4, 12, "end", backward),
    );
    text
}

/// What the link from the road of this id says.
fn from_road<'r>(roads: &'r Roads, road: &str) -> &'r masa_sim::roads::Link {
    let links = roads.junctions[0].links.iter().map(|link| roads.link(*link));
    let mut own = links.filter(|link| roads.lane(link.from).name.starts_with(&format!("{road}.")));
    own.next().expect("a link")
}

/// Roads from which the links come to which this road's link gives way.
fn gives_way_to(roads: &Roads, road: &str) -> Vec<String> {
    let junction = &roads.junctions[0];
    let names = from_road(roads, road).yields_to.iter().map(|place| {
        let from = roads.link(junction.links[usize::from(*place)]).from;
        roads.lane(from).name.split('.').next().expect("a road").to_owned()
    });
    names.collect()
}

#[test]
fn right_goes_first_or_left_where_traffic_keeps_left() {
    let roads = Roads::parse(&crossing("RHT", "", ""), "right").unwrap();
    assert_eq!((roads.left_hand, roads.links.len(), roads.junctions[0].links.len()), (false, 8, 4));
    // West meets south from its right; south meets east.
    assert_eq!(gives_way_to(&roads, "1"), ["3"]);
    assert_eq!(gives_way_to(&roads, "3"), ["2"]);
    assert_eq!(from_road(&roads, "1").right_of_way, RightOfWay::RightBeforeLeft);
    // Eastbound runs south of the middle.
    assert_eq!(roads.lane(from_road(&roads, "1").from).centre.points()[0].y, -1.75);

    let roads = Roads::parse(&crossing("LHT", "", ""), "left").unwrap();
    assert!(roads.left_hand);
    assert_eq!(gives_way_to(&roads, "1"), ["4"]);
    assert_eq!(roads.lane(from_road(&roads, "1").from).centre.points()[0].y, 1.75);
    assert!((roads.lane(from_road(&roads, "1").from).centre.points()[0].x + 50.0).abs() < 1e-4);
}

#[test]
fn priorities_signs_and_signals_are_read() {
    let priority = r#"<priority high="11" low="12"/>"#;
    let roads = Roads::parse(&crossing("RHT", priority, ""), "priority").unwrap();
    assert_eq!(gives_way_to(&roads, "1"), Vec::<String>::new());
    assert_eq!(gives_way_to(&roads, "3"), ["1", "2"]);
    assert_eq!(from_road(&roads, "3").right_of_way, RightOfWay::Minor);

    let signal = |kind: &str, dynamic: &str| {
        format!(
            r#"<signal id="5" s="38" t="-4" name="" dynamic="{dynamic}" orientation="+" country="DE" type="{kind}" subtype="-1"/>"#
        )
    };
    let roads = Roads::parse(&crossing("RHT", "", &signal("206", "no")), "stop").unwrap();
    assert_eq!(from_road(&roads, "3").right_of_way, RightOfWay::Stop);
    assert_eq!(gives_way_to(&roads, "3"), ["1", "2"]);
    assert!(roads.signals.is_empty());

    let roads = Roads::parse(&crossing("RHT", "", &signal("1000001", "yes")), "lights").unwrap();
    let (controller, place) = from_road(&roads, "3").signal.unwrap();
    assert_eq!((controller.0, place, from_road(&roads, "1").signal), (0, 0, None));
    let phases = &roads.signals[0].phases;
    assert_eq!(phases.iter().map(|phase| phase.duration_s).collect::<Vec<_>>(), [25.0, 3.0, 2.0]);
    assert_eq!(phases[0].states, [SignalState::GreenMajor]);
}

/// A road along one curve.
fn curve(curve: &str, length: f64) -> String {
    format!(
        r#"<OpenDRIVE><header revMajor="1" revMinor="6"/><road id="1" length="{length}" junction="-1"><planView>
<geometry s="0" x="0" y="0" hdg="0" length="{length}">{curve}</geometry></planView>
<elevationProfile><elevation s="0" a="2" b="0.05" c="0" d="0"/></elevationProfile>
<lanes><laneOffset s="0" a="0.5" b="0" c="0" d="0"/><laneSection s="0"><center><lane id="0" type="none"/></center><right>
<lane id="-1" type="driving"><border sOffset="0" a="-3" b="0" c="0" d="0"/></lane>
<lane id="-2" type="biking"><width sOffset="0" a="2" b="0" c="0" d="0"/></lane></right></laneSection></lanes></road></OpenDRIVE>"#
    )
}

#[test]
fn every_curve_ends_where_it_should() {
    // Ends by hand: a quarter circle of 50 m; a clothoid to 1/50 over 100 m by its series (θ = 1); a parabola.
    let clothoid = |sign: f64| {
        let (mut sum, mut term) = (0.0, 1.0);
        for n in 0..12 {
            let order = 2 * n + usize::from(sign < 0.0);
            if n > 0 {
                term *= -1.0 / ((order * (order - 1)) as f64);
            }
            sum += term / (2.0 * order as f64 + 1.0);
        }
        100.0 * sum
    };
    let cubic = r#"aU="0" bU="40" cU="0" dU="0" aV="0" bV="0" cV="8" dV="0" pRange="normalized""#;
    let arc = r#"<arc curvature="0.02"/>"#;
    for (shape, length, x, y, yaw) in [
        ("<line/>".to_owned(), 40.0, 40.0, 0.0, 0.0),
        (arc.to_owned(), 25.0 * std::f64::consts::PI, 50.0, 50.0, std::f64::consts::FRAC_PI_2),
        (r#"<spiral curvStart="0" curvEnd="0.02"/>"#.to_owned(), 100.0, clothoid(1.0), clothoid(-1.0), 1.0),
        (format!("<paramPoly3 {cubic}/>"), 41.04, 40.0, 8.0, (16.0f64 / 40.0).atan()),
        (r#"<poly3 a="0" b="0" c="0.005" d="0"/>"#.to_owned(), 41.04, 40.0, 8.0, (0.4f64).atan()),
    ] {
        let roads = Roads::parse(&curve(&shape, length), "curve").unwrap();
        let edge = &roads.edges[0];
        // The bicycle lane is the outer one.
        let [bicycle, driving] = [0, 1].map(|at| roads.lane(edge.lanes[at]));
        assert_eq!((bicycle.kind, driving.kind), (LaneKind::Bicycle, LaneKind::Driving));
        assert!((driving.width_m - 3.5).abs() < 0.01, "{}", driving.width_m);
        // From +0.5 m to −3 m: its middle is 1.25 m to the right of the curve.
        let end = driving.centre.at(driving.centre.length_m()).unwrap();
        let middle = (x + 1.25 * f64::sin(yaw), y - 1.25 * f64::cos(yaw));
        let off = (end.point.x - middle.0).hypot(end.point.y - middle.1);
        assert!(off < 0.03, "{shape}: ends at {}, not {middle:?}", end.point);
        assert!((end.point.z - 2.0 - 0.05 * length).abs() < 0.01, "{shape}: {}", end.point.z);
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let text = curve("<line/>", 40.0);
    for (from, to, expected) in [
        ("hdg=\"0\"", "hdg=\"NaN\"", "x:2: <geometry>: hdg=\"NaN\" is not within ±1e9"),
        ("length=\"40\" junction", "length=\"-4\" junction", "x:1: <road id=\"1\">: length=\"-4\" is not above 0"),
        ("<line/>", "<loop/>", "x:2: <geometry>: has no curve of a known kind"),
        ("s=\"0\" x=\"0\"", "x=\"0\"", "x:2: <geometry>: attribute `s` is missing"),
        ("<lane id=\"-2\"", "<lane id=\"b\"", "x:1: <road id=\"1\">"),
        ("a=\"0.5\"", "a=\"half\"", "x:4: <laneOffset>: a=\"half\" is no f64"),
        ("</OpenDRIVE>", "", "x:6: not well-formed XML"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Roads::parse(&text.replacen(from, to, 1), "x").unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\n  instead of\n{expected}");
    }
    let error = Roads::parse("<OpenDRIVE/>", "x").unwrap_err().to_string();
    assert!(error.starts_with("x:1: <OpenDRIVE>"), "{error}");
}
