//! Networks that are cut off, altered or made up: an error that names its place, or a network that can be used; no panic.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_sim::Roads;
use masa_sim::roads::picture::{PictureSettings, picture};
use masa_sim::roads::{LaneId, Users};
use proptest::prelude::*;

/// What can be loaded can be used: everything refers to what is there, every line runs somewhere, it can be drawn.
fn check(roads: &Roads) {
    for (place, lane) in roads.lanes.iter().enumerate() {
        assert_eq!(roads.edge(lane.edge).lanes[usize::from(lane.index)], LaneId(place as u32));
        assert!(lane.centre.points().len() >= 2 && lane.length_m > 0.0 && lane.width_m > 0.0, "{}", lane.name);
        assert!(lane.centre.points().iter().all(|p| p.iter().all(|v| v.is_finite())), "{}", lane.name);
        assert!(lane.links.iter().all(|link| roads.link(*link).from == LaneId(place as u32)));
    }
    for link in &roads.links {
        let _ = (roads.lane(link.to), link.via.map(|via| roads.lane(via)));
        if let Some((controller, place)) = link.signal {
            let phases = &roads.signals[controller.index()].phases;
            assert!(phases.iter().all(|phase| usize::from(place) < phase.states.len()));
        }
        if let Some(junction) = link.junction.map(|id| &roads.junctions[id.index()]) {
            assert!(link.yields_to.iter().chain(&link.conflicts).all(|at| usize::from(*at) < junction.links.len()));
        }
    }
    picture(roads, None, &PictureSettings { size_px: 64, ..PictureSettings::default() });
    if let (Some(first), Some(last)) = (roads.edges.first(), roads.edges.last()) {
        let ids = [first, last].map(|edge| roads.lane(edge.lanes[0]).edge);
        let _ = roads.route(ids[0], ids[1], Users::CAR);
    }
}

fn load(text: &str) {
    match Roads::parse(text, "altered") {
        Ok(roads) => check(&roads),
        Err(error) => {
            let error = error.to_string();
            // With a line; or the root element is another.
            let after = error.strip_prefix("altered:").unwrap_or_else(|| panic!("{error}"));
            assert!(after.starts_with(|c: char| c.is_ascii_digit()) || error.contains("root element"), "{error}");
        }
    }
}

const SUMO: &str = include_str!("../../maps/bend.net.xml");

/// Two roads and a junction's way between them, a signal, objects.
const OPENDRIVE: &str = r#"<OpenDRIVE><header revMajor="1" revMinor="6"><offset x="1" y="2" z="0" hdg="0"/></header>
<road id="1" length="50" junction="-1" rule="RHT"><link><successor elementType="junction" elementId="9"/></link>
<planView><geometry s="0" x="0" y="0" hdg="0" length="30"><line/></geometry><geometry s="30" x="30" y="0" hdg="0" length="20"><arc curvature="0.01"/></geometry></planView>
<elevationProfile><elevation s="0" a="0" b="0.01" c="0" d="0"/></elevationProfile>
<lanes><laneOffset s="0" a="0" b="0" c="0" d="0"/><laneSection s="0"><left><lane id="1" type="driving"><width sOffset="0" a="3" b="0" c="0" d="0"/></lane></left><center><lane id="0" type="none"/></center><right><lane id="-1" type="driving"><width sOffset="0" a="3" b="0.01" c="0" d="0"/></lane><lane id="-2" type="sidewalk"><width sOffset="0" a="2" b="0" c="0" d="0"/></lane></right></laneSection></lanes>
<objects><object type="crosswalk" id="1" s="20" t="0" hdg="0" length="6" width="4"/><object type="building" id="2" s="20" t="20" hdg="0" length="10" width="8" height="6"/><object type="parkingSpace" id="3" s="10" t="-8" hdg="0" length="5" width="2.5"><repeat s="10" length="20" distance="6" tStart="-8" tEnd="-8" zOffsetStart="0" zOffsetEnd="0"/></object></objects>
<signals><signal id="5" s="48" t="-4" dynamic="yes" orientation="+" country="OpenDRIVE" type="1000001" subtype="-1"/></signals></road>
<road id="2" length="30" junction="-1"><link><predecessor elementType="junction" elementId="9"/></link><planView><geometry s="0" x="69.8" y="5.9" hdg="0.2" length="30"><spiral curvStart="0" curvEnd="0.02"/></geometry></planView><lanes><laneSection s="0"><right><lane id="-1" type="driving"><width sOffset="0" a="3" b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>
<road id="3" length="20.4" junction="9"><link><predecessor elementType="road" elementId="1" contactPoint="end"/><successor elementType="road" elementId="2" contactPoint="start"/></link><planView><geometry s="0" x="49.9" y="2" hdg="0.2" length="20.4"><paramPoly3 aU="0" bU="20" cU="0" dU="0" aV="0" bV="0" cV="0" dV="0" pRange="normalized"/></geometry></planView><lanes><laneSection s="0"><right><lane id="-1" type="driving"><link><predecessor id="-1"/><successor id="-1"/></link><width sOffset="0" a="3" b="0" c="0" d="0"/></lane></right></laneSection></lanes></road>
<controller id="7" name="c"><control signalId="5" type="0"/></controller>
<junction id="9" name="j"><connection id="0" incomingRoad="1" connectingRoad="3" contactPoint="start"><laneLink from="-1" to="-1"/></connection><controller id="7" type="0"/></junction></OpenDRIVE>"#;

#[test]
fn the_originals_load() {
    for text in [SUMO, OPENDRIVE] {
        check(&Roads::parse(text, "original").unwrap());
    }
    let roads = Roads::parse(OPENDRIVE, "original").unwrap();
    assert_eq!((roads.signals.len(), roads.buildings.len(), roads.parking.len()), (1, 1, 4));
}

#[test]
fn deep_and_empty_texts_are_refused() {
    for text in [
        String::new(),
        " ".to_owned(),
        "<net/>".repeat(2),
        format!("<net>{}", "<a>".repeat(100_000)),
        format!("<net>{}{}</net>", "<edge id=\"a\">".repeat(20_000), "</edge>".repeat(20_000)),
        format!("<OpenDRIVE>{}{}</OpenDRIVE>", "<road>".repeat(20_000), "</road>".repeat(20_000)),
        "<!DOCTYPE net [<!ENTITY a \"b\">]><net>&a;</net>".to_owned(),
    ] {
        assert!(Roads::parse(&text, "altered").is_err());
    }
}

/// The text with the `at`-th number (of those in quotes, by a share of all) replaced.
fn with_number(text: &str, at: f64, by: &str) -> String {
    let places: Vec<(usize, usize)> = text
        .match_indices('"')
        .collect::<Vec<_>>()
        .windows(2)
        .map(|pair| (pair[0].0 + 1, pair[1].0))
        .filter(|(from, to)| text[*from..*to].starts_with(|c: char| c.is_ascii_digit() || c == '-'))
        .collect();
    let (from, to) = places[((places.len() - 1) as f64 * at) as usize];
    format!("{}{by}{}", &text[..from], &text[to..])
}

fn odd_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("NaN".to_owned()),
        Just("inf".to_owned()),
        Just("-1e308".to_owned()),
        Just("1e9".to_owned()),
        Just("0".to_owned()),
        Just("-1".to_owned()),
        Just(String::new()),
        Just("0,0 0,0".to_owned()),
        Just("18446744073709551615".to_owned()),
        any::<f64>().prop_map(|number| number.to_string()),
        (-1000i32..1000).prop_map(|number| number.to_string()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_network_that_is_cut_off_is_refused(share in 0.0..1.0f64) {
        for text in [SUMO, OPENDRIVE] {
            let text = text.trim_end();
            let cut = &text[..(text.len() as f64 * share) as usize];
            prop_assert!(Roads::parse(cut, "altered").is_err());
            load(cut);
        }
    }

    #[test]
    fn odd_numbers_do_no_harm(at in 0.0..1.0f64, by in odd_value(), then in 0.0..1.0f64, also in odd_value()) {
        for text in [SUMO, OPENDRIVE] {
            load(&with_number(&with_number(text, at, &by), then, &also));
        }
    }

    #[test]
    fn lost_and_doubled_lines_do_no_harm(lost in 0.0..1.0f64, doubled in 0.0..1.0f64) {
        for text in [SUMO, &OPENDRIVE.replace("><", ">\n<")] {
            let mut lines: Vec<&str> = text.lines().collect();
            let at = (lines.len() as f64 * doubled) as usize;
            lines.insert(at, lines[at]);
            lines.remove((lines.len() as f64 * lost) as usize);
            load(&lines.join("\n"));
        }
    }

    #[test]
    fn altered_bytes_do_no_harm(changes in prop::collection::vec((0.0..1.0f64, 32u8..127), 1..6)) {
        for text in [SUMO, OPENDRIVE] {
            let mut bytes = text.as_bytes().to_vec();
            for (share, byte) in &changes {
                let at = (bytes.len() as f64 * share) as usize;
                bytes[at] = *byte;
            }
            load(std::str::from_utf8(&bytes).expect("ASCII stays ASCII"));
        }
    }

    #[test]
    fn odd_scenery_does_no_harm(at in 0.0..1.0f64, by in odd_value()) {
        let scenery = include_str!("../../maps/bend.scenery.toml").replace("= ", "= \"").replace('\n', "\"\n");
        let altered = with_number(&scenery, at, &by).replace('"', "");
        let mut roads = Roads::from_sumo(SUMO, "bend").unwrap();
        if roads.add_scenery(&altered, "altered").is_ok() {
            check(&roads);
        }
    }
}
