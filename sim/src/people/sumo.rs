//! People from SUMO's route files: `person`, `personFlow`, with `walk`, `personTrip`, `ride` and `stop`.
//!
//! In: a route file, the network, and the stops of an additional file. Out: [`SumoPerson`]s for [`super::People::spawn_sumo`].
//! A walk leads over the pavements of its edges in their order; edges without pavement are passed by the shortest way. A
//! ride is an absence: its vehicle's time is guessed from the distance. Vehicles in the file are others' business. Absent:
//! rides triggered by vehicles, types of people, departures on a trigger.

use super::pavement::{Pavement, Place};
use super::person::{PersonSpec, Walker};
use super::stages::Stage;
use super::{People, PeopleError};
use crate::actor::ActorId;
use crate::roads::xml::{self, Element};
use crate::roads::{EdgeId, EdgeKind, Roads, RoadsError};
use std::collections::{BTreeMap, VecDeque};

/// Speed of a ride as the crow flies, stops included, metres a second.
const RIDE_MPS: f64 = 4.0;
/// Most people that one file may ask for.
const MOST_PEOPLE: usize = 1_000_000;

/// A place along an edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlongEdge {
    /// The edge.
    pub edge: EdgeId,
    /// Along it, metres; not set: its middle.
    pub s_m: Option<f64>,
}

/// Stops by name.
pub type Stops = BTreeMap<String, AlongEdge>;

/// A part of a person's day.
#[derive(Clone, Debug, PartialEq)]
pub enum SumoStage {
    /// Walks by these places.
    Walk(Vec<AlongEdge>),
    /// Rides to a place, not before this time, seconds.
    Ride(AlongEdge, Option<f64>),
    /// Stands for so long, seconds.
    Stop(f64),
}

/// A person of a route file.
#[derive(Clone, Debug, PartialEq)]
pub struct SumoPerson {
    /// Name in the file.
    pub name: String,
    /// When it appears, seconds.
    pub depart_s: f64,
    /// Wanted speed, metres a second, if the file says.
    pub speed_mps: Option<f64>,
    /// What it does.
    pub stages: Vec<SumoStage>,
}

/// Reads the stops for buses and trains of an additional file.
///
/// # Errors
/// When it is no XML or a stop has no known lane.
pub fn read_stops(text: &str, file: &str, roads: &Roads) -> Result<Stops, RoadsError> {
    let document = xml::parse(text, file)?;
    let lanes: BTreeMap<&str, _> = roads.lanes.iter().map(|lane| (lane.name.as_str(), lane)).collect();
    let root = Element::root(&document, file);
    let stops = root.children().filter(|element| matches!(element.name(), "busStop" | "trainStop"));
    stops
        .map(|stop| {
            let name = stop.required("lane")?;
            let lane = lanes.get(name).ok_or_else(|| stop.fail(format!("there is no lane `{name}`")))?;
            let from = stop.number_or_none("startPos")?.unwrap_or(0.0);
            let to = stop.number_or_none("endPos")?.unwrap_or(lane.length_m);
            let s_m = Some(from_start((from + to) / 2.0, lane.length_m));
            Ok((stop.required("id")?.to_owned(), AlongEdge { edge: lane.edge, s_m }))
        })
        .collect()
}

/// SUMO counts negative places from the end.
fn from_start(place_m: f64, length_m: f64) -> f64 {
    (if place_m < 0.0 { length_m + place_m } else { place_m }).clamp(0.0, length_m)
}

/// Reads the people of a route file.
///
/// # Errors
/// When it is no XML, or a person has an unknown edge, stop or stage, or a departure that cannot be known.
pub fn read_people(text: &str, file: &str, roads: &Roads, stops: &Stops) -> Result<Vec<SumoPerson>, RoadsError> {
    let document = xml::parse(text, file)?;
    let named = roads.edges.iter().zip(0..).filter(|(edge, _)| edge.kind == EdgeKind::Road);
    let reader = Reader { roads, stops, edges: named.map(|(edge, i)| (edge.name.as_str(), EdgeId(i))).collect() };
    let mut people = Vec::new();
    for element in Element::root(&document, file).children() {
        match element.name() {
            "person" => people.push(reader.person(element, element.required("id")?.to_owned(), None)?),
            "personFlow" => {
                for (number, depart_s) in departures(element)?.into_iter().enumerate() {
                    let name = format!("{}.{number}", element.required("id")?);
                    people.push(reader.person(element, name, Some(depart_s))?);
                }
            }
            _ => {}
        }
        if people.len() > MOST_PEOPLE {
            return Err(element.fail(format!("more than {MOST_PEOPLE} people")));
        }
    }
    Ok(people)
}

/// The times of a flow, seconds.
fn departures(flow: Element) -> Result<Vec<f64>, RoadsError> {
    let begin = flow.number_or_none("begin")?.unwrap_or(0.0);
    let end = flow.number_or_none("end")?;
    let number: Option<usize> = flow.optional("number")?;
    let per_hour = flow.number_or_none("perHour")?.or(flow.number_or_none("personsPerHour")?);
    let period = flow.number_or_none("period")?.or(per_hour.map(|rate| 3600.0 / rate));
    let (period, count) = match (period, number, end) {
        (Some(period), Some(number), _) => (period, number),
        (Some(period), None, Some(end)) if period > 0.0 => (period, ((end - begin) / period).ceil().max(0.0) as usize),
        (None, Some(number), Some(end)) if number > 0 => ((end - begin) / number as f64, number),
        _ => return Err(flow.fail("a flow needs two of `end`, `number` and `period` (or `perHour`)")),
    };
    if count > MOST_PEOPLE {
        return Err(flow.fail(format!("more than {MOST_PEOPLE} people")));
    }
    Ok((0..count).map(|i| begin + period * i as f64).collect())
}

struct Reader<'a> {
    roads: &'a Roads,
    stops: &'a Stops,
    edges: BTreeMap<&'a str, EdgeId>,
}

impl Reader<'_> {
    fn person(&self, element: Element, name: String, depart_s: Option<f64>) -> Result<SumoPerson, RoadsError> {
        let depart_s = match depart_s {
            Some(depart_s) => depart_s,
            None => element.number("depart")?,
        };
        let mut person = SumoPerson { name, depart_s, speed_mps: None, stages: Vec::new() };
        let mut at: Option<AlongEdge> = None;
        for stage in element.children() {
            let next = match stage.name() {
                "walk" | "personTrip" => {
                    person.speed_mps = person.speed_mps.or(stage.number_or_none("speed")?);
                    self.walk(stage, at, element.number_or_none("departPos")?)?
                }
                "ride" => {
                    let to = self.end_of(stage)?.ok_or_else(|| stage.fail("neither `busStop` nor `to`"))?;
                    SumoStage::Ride(to, stage.number_or_none("depart")?)
                }
                "stop" => SumoStage::Stop(stage.number("duration")?.max(0.0)),
                "param" => continue,
                other => return Err(stage.fail(format!("stage <{other}> is not supported"))),
            };
            at = match &next {
                SumoStage::Walk(places) => places.last().copied(),
                SumoStage::Ride(to, _) => Some(*to),
                SumoStage::Stop(_) => at,
            };
            person.stages.push(next);
        }
        Ok(person)
    }

    fn edge(&self, element: Element, name: &str) -> Result<EdgeId, RoadsError> {
        self.edges.get(name).copied().ok_or_else(|| element.fail(format!("there is no edge `{name}`")))
    }

    /// Where a stage ends, if it says so itself.
    fn end_of(&self, stage: Element) -> Result<Option<AlongEdge>, RoadsError> {
        if let Some(name) = stage.text("busStop").or(stage.text("trainStop")) {
            let stop = self.stops.get(name).ok_or_else(|| stage.fail(format!("there is no stop `{name}`")))?;
            return Ok(Some(*stop));
        }
        let Some(name) = stage.text("to") else { return Ok(None) };
        Ok(Some(AlongEdge { edge: self.edge(stage, name)?, s_m: None }))
    }

    fn walk(&self, walk: Element, at: Option<AlongEdge>, depart_pos: Option<f64>) -> Result<SumoStage, RoadsError> {
        let mut places = Vec::new();
        for name in walk.text("edges").unwrap_or_default().split_whitespace() {
            places.push(AlongEdge { edge: self.edge(walk, name)?, s_m: None });
        }
        if let Some(name) = walk.text("from") {
            places.insert(0, AlongEdge { edge: self.edge(walk, name)?, s_m: None });
        }
        // The stage before ended on the first edge already, perhaps at a stop.
        match (at, places.first_mut()) {
            (Some(at), Some(first)) if first.edge == at.edge => *first = at,
            (Some(at), _) => places.insert(0, at),
            (None, _) => {}
        }
        if let Some(end) = self.end_of(walk)? {
            match places.last_mut() {
                Some(last) if last.edge == end.edge && walk.text("edges").is_some() => *last = end,
                _ => places.push(end),
            }
        }
        let along = |place: &AlongEdge, pos: f64| {
            let length_m = self.roads.edge(place.edge).lanes.first().map_or(0.0, |l| self.roads.lane(*l).length_m);
            Some(from_start(pos, length_m))
        };
        if let (None, Some(pos), [first, _, ..]) = (at, depart_pos, &mut places[..]) {
            first.s_m = along(first, pos);
        }
        if let (Some(pos), Some(last)) = (walk.number_or_none("arrivalPos")?, places.last_mut()) {
            last.s_m = along(last, pos);
        }
        match (at, places[..].first().copied()) {
            (_, None) => return Err(walk.fail("a walk without edges")),
            // On a single edge it is walked from its start, as SUMO does.
            (None, Some(only)) if places.len() == 1 => {
                places
                    .insert(0, AlongEdge { s_m: Some(along(&only, depart_pos.unwrap_or(0.0)).unwrap_or(0.0)), ..only });
            }
            _ => {}
        }
        Ok(SumoStage::Walk(places))
    }
}

impl People {
    /// Puts people of a route file on the road, each at its time. Walks between places that no way joins are left out and
    /// counted by [`People::stranded`].
    ///
    /// # Errors
    /// When a departure is no number.
    pub fn spawn_sumo(&mut self, people: &[SumoPerson]) -> Result<Vec<ActorId>, PeopleError> {
        people
            .iter()
            .map(|person| {
                let spec = PersonSpec {
                    walker: Walker::Adult,
                    depart_s: person.depart_s,
                    speed_mps: person.speed_mps,
                    ..PersonSpec::default()
                };
                self.spawn_staged(spec, self.stages(person))
            })
            .collect()
    }

    fn stages(&self, person: &SumoPerson) -> VecDeque<Stage> {
        let mut stages = VecDeque::new();
        let mut at = None;
        for stage in &person.stages {
            match stage {
                SumoStage::Walk(along) => {
                    let places: Vec<Place> =
                        along.iter().filter_map(|place| self.pavement.along_edge(&self.roads, *place)).collect();
                    at = places.last().copied().or(at);
                    stages.push_back(Stage::Walk(places));
                }
                SumoStage::Ride(to, depart_s) => {
                    let to = self.pavement.along_edge(&self.roads, *to);
                    let point = |place: Option<Place>| place.and_then(|place| self.pavement.point(place));
                    let distance = point(at).zip(point(to)).map_or(0.0, |(a, b)| (a - b).norm());
                    stages.extend(depart_s.map(Stage::StandUntil));
                    stages.push_back(Stage::Away(distance / RIDE_MPS));
                    stages.extend(to.map(|to| Stage::Walk(vec![to])));
                    at = to.or(at);
                }
                SumoStage::Stop(duration_s) => stages.push_back(Stage::StandFor(*duration_s)),
            }
        }
        stages
    }
}

impl Pavement {
    /// The place of the pavement beside a place of an edge.
    pub(super) fn along_edge(&self, roads: &Roads, along: AlongEdge) -> Option<Place> {
        let strip = self.of_edge(along.edge)?;
        let Some(s_m) = along.s_m else { return Some(self.middle(strip)) };
        let outer = roads.lane(*roads.edge(along.edge).lanes.first()?);
        // A lane's length may differ from that of its line.
        let share = s_m / outer.length_m.max(0.1) * outer.centre.length_m();
        let place = self.strips[strip].line.project(outer.centre.at(share)?.point.xy())?;
        Some(Place { strip, s_m: place.s_m })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::PeopleSettings;
    use crate::people::tests::street;
    use crate::random::Seed;
    use crate::snapshot::Snapshot;
    use crate::world::Population;
    use std::sync::Arc;

    fn named() -> Roads {
        let mut roads = street(false);
        let names = ["in", "out", "back", "home"];
        for (edge, name) in roads.edges.iter_mut().zip(names) {
            edge.name = name.to_owned();
        }
        for (place, lane) in roads.lanes.iter_mut().enumerate() {
            lane.name = format!("lane{place}");
        }
        roads
    }

    fn read(people: &str) -> Result<Vec<SumoPerson>, RoadsError> {
        let roads = named();
        let stops = r#"<additional><busStop id="school" lane="lane3" startPos="40" endPos="50"/></additional>"#;
        let stops = read_stops(stops, "stops.xml", &roads).unwrap();
        assert_eq!(stops["school"], AlongEdge { edge: EdgeId(1), s_m: Some(45.0) });
        read_people(&format!("<routes>{people}</routes>"), "people.xml", &roads, &stops)
    }

    #[test]
    fn people_flows_and_their_stages_are_read() {
        let people = read(
            r#"<vehicle id="v"/>
            <person id="a" depart="3" departPos="-7"><walk edges="in out" busStop="school"/><stop duration="5"/>
              <ride to="home"/><walk from="home" to="in"/></person>
            <personFlow id="f" begin="10" end="40" period="10"><walk edges="in"/></personFlow>"#,
        )
        .unwrap();
        assert_eq!(people.iter().map(|p| p.depart_s).collect::<Vec<_>>(), [3.0, 10.0, 20.0, 30.0]);
        let at = |edge, s_m| AlongEdge { edge: EdgeId(edge), s_m };
        let expected = [
            SumoStage::Walk(vec![at(0, Some(90.0)), at(1, Some(45.0))]),
            SumoStage::Stop(5.0),
            SumoStage::Ride(at(3, None), None),
            SumoStage::Walk(vec![at(3, None), at(0, None)]),
        ];
        assert_eq!(people[0].stages, expected);
    }

    #[test]
    fn what_is_not_known_is_an_error_with_its_line() {
        for (text, wanted) in [
            (r#"<person id="a" depart="triggered"><walk edges="in"/></person>"#, "depart"),
            (r#"<person id="a" depart="0"><walk edges="moon"/></person>"#, "there is no edge `moon`"),
            (r#"<person id="a" depart="0"><fly to="in"/></person>"#, "stage <fly> is not supported"),
            (r#"<personFlow id="a" period="1"><walk edges="in"/></personFlow>"#, "a flow needs"),
            (r#"<person id="a" depart="0"><ride busStop="x"/></person>"#, "there is no stop `x`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with("people.xml:1:") && error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn a_ride_is_an_absence() {
        let roads = Arc::new(named());
        let people = read(
            r#"<person id="a" depart="0"><walk edges="in" arrivalPos="60"/><ride to="out"/><walk to="back"/></person>"#,
        );
        let mut population = People::new(roads, PeopleSettings::default(), Seed(1), 2);
        population.spawn_sumo(&people.unwrap()).unwrap();
        let mut seen = Vec::new();
        for step in 0..2500 {
            population.step(&Snapshot { time_s: f64::from(step) * 0.1, ..Snapshot::default() }, &[], 0.1);
            let mut actors = Vec::new();
            population.write(&mut actors);
            seen.push(actors.first().map(|actor| actor.pose.position.xy()));
        }
        // Walks 11.5 m west of the crossing, is away for 90 m at 4 m/s, comes back in the east and crosses to the north.
        let gone_at = seen.iter().position(Option::is_none).unwrap();
        let back_at = gone_at + seen[gone_at..].iter().position(Option::is_some).unwrap();
        assert!((200.0..270.0).contains(&((back_at - gone_at) as f64)), "{gone_at} {back_at}");
        let (before, after) = (seen[gone_at - 1].unwrap(), seen[back_at].unwrap());
        assert!(before.x < -35.0 && (after.x - 51.5).abs() < 1.0 && after.y < 0.0, "{before} {after}");
        let last = seen.iter().flatten().next_back().unwrap();
        assert!(last.y > 3.0, "{last}");
    }
}
