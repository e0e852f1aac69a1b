//! SUMO's connections and right-of-way tables.

use super::{Reader, find, signals};
use crate::roads::error::RoadsError;
use crate::roads::xml::Element;
use crate::roads::{EdgeKind, JunctionId, LaneId, Link, LinkId, LinkNote, RightOfWay, SignalId, Turn};
use std::collections::BTreeMap;

impl<'a> Reader<'a> {
    /// Reads signal programmes; the last one of a controller counts, as in SUMO.
    pub(super) fn read_signals(&mut self, net: Element<'a, '_>) -> Result<(), RoadsError> {
        for element in net.all("tlLogic") {
            let controller = signals::programme(element)?;
            match self.signals.get(element.required("id")?) {
                Some(id) => self.roads.signals[id.index()] = controller,
                None => {
                    let id = SignalId(self.roads.signals.len() as u32);
                    self.signals.insert(element.required("id")?, id);
                    self.roads.signals.push(controller);
                }
            }
        }
        Ok(())
    }

    /// Reads connections, in the file's order.
    pub(super) fn read_connections(&mut self, net: Element<'a, '_>) -> Result<(), RoadsError> {
        let mut states: BTreeMap<SignalId, usize> = BTreeMap::new();
        for element in net.all("connection") {
            let from = self.lane(element, element.required("from")?, "fromLane")?;
            let to = self.lane(element, element.required("to")?, "toLane")?;
            let via = element.text("via").map(|via| find(element, &self.lanes, "lane", via)).transpose()?;
            let signal = match element.text("tl") {
                None => None,
                Some(name) => {
                    let id = find(element, &self.signals, "signal controller (tlLogic)", name)?;
                    let place: Option<u16> = element.optional("linkIndex")?;
                    let place = place.ok_or_else(|| element.fail("`tl` without `linkIndex`"))?;
                    let needed = states.entry(id).or_default();
                    *needed = (*needed).max(usize::from(place) + 1);
                    Some((id, place))
                }
            };
            let id = LinkId(self.roads.links.len() as u32);
            self.roads.links.push(Link {
                from,
                to,
                via,
                junction: self.roads.edge(self.roads.lane(from).edge).to,
                turn: turn(element)?,
                right_of_way: right_of_way(element)?,
                signal,
                yields_to: Vec::new(),
                conflicts: Vec::new(),
                waits_inside: false,
            });
            self.roads.lanes[from.index()].links.push(id);
            let keeps_clear = element.text("keepClear").is_none() || element.flag("keepClear")?;
            let sees_m = element.number_or_none("visibility")?.filter(|sees| *sees > 0.0);
            if !keeps_clear || sees_m.is_some() {
                self.roads.link_notes.insert(id, LinkNote { sees_m, keeps_clear });
            }
        }
        for element in net.all("roundabout") {
            let edges = element.text("edges").unwrap_or_default().split_whitespace();
            let edges = edges.map(|name| find(element, &self.edges, "edge", name)).collect::<Result<_, _>>()?;
            self.roads.roundabouts.push(edges);
        }
        // Programmes are checked against the links that they serve.
        for element in net.all("tlLogic") {
            let id = find(element, &self.signals, "signal controller", element.required("id")?)?;
            let links = states.get(&id).copied().unwrap_or(0);
            signals::check_states(element, &signals::programme(element)?, links)?;
        }
        Ok(())
    }

    /// Reads which link of a junction gives way to which, and where vehicles wait inside.
    pub(super) fn read_requests(&mut self, net: Element<'a, '_>) -> Result<(), RoadsError> {
        for element in net.all("junction").filter(|junction| junction.text("type") != Some("internal")) {
            let id = self.junction(element, element.required("id")?)?;
            let links = self.links_into(element)?;
            let requests = element.all("request").count();
            if links.len() > usize::from(u16::MAX) {
                return Err(element.fail("more links than right-of-way tables can number"));
            }
            if requests > 0 && requests != links.len() {
                return Err(element.fail(format!("{requests} requests for {} links", links.len())));
            }
            for request in element.all("request") {
                let index: usize = request.optional("index")?.ok_or_else(|| request.fail("`index` is missing"))?;
                let link = *links.get(index).ok_or_else(|| request.fail(format!("there is no link {index}")))?;
                let yields_to = bits(request, "response", requests)?;
                let link = &mut self.roads.links[link.index()];
                // `o`: a signal that is off. What counts then is the table.
                if link.signal.is_some() && !yields_to.is_empty() && link.right_of_way == RightOfWay::Major {
                    link.right_of_way = RightOfWay::Minor;
                }
                link.yields_to = yields_to;
                link.conflicts = bits(request, "foes", requests)?;
                link.waits_inside = request.flag("cont")?;
            }
            self.roads.junctions[id.index()].links = links;
        }
        let entering =
            self.roads.links.iter().filter_map(|link| Some((link.via?, (link.junction?, link.yields_to.clone()))));
        let entering: BTreeMap<LaneId, (JunctionId, Vec<u16>)> = entering.collect();
        for element in net.all("junction").filter(|junction| junction.text("type") == Some("internal")) {
            self.read_waiting_place(element, &entering)?;
        }
        Ok(())
    }

    /// Links of a junction in the order of its requests: by incoming lane, then as listed. Those that only lead on within
    /// the walking areas are none of them.
    fn links_into(&self, junction: Element) -> Result<Vec<LinkId>, RoadsError> {
        let kind = |lane: LaneId| self.roads.edge(self.roads.lane(lane).edge).kind;
        let mut links = Vec::new();
        for name in junction.text("incLanes").unwrap_or_default().split_whitespace() {
            let lane = find(junction, &self.lanes, "lane", name)?;
            links.extend(self.roads.lane(lane).links.iter().copied().filter(|link| {
                let to = kind(self.roads.link(*link).to);
                to != EdgeKind::WalkingArea && (kind(lane) != EdgeKind::WalkingArea || to == EdgeKind::Crossing)
            }));
        }
        Ok(links)
    }

    /// An internal junction: where the vehicles of its first lane wait for those that it names.
    /// `entering` says of each first lane inside a junction which junction that is, and to what the link into it yields.
    fn read_waiting_place(
        &mut self,
        element: Element,
        entering: &BTreeMap<LaneId, (JunctionId, Vec<u16>)>,
    ) -> Result<(), RoadsError> {
        let mut incoming = element.text("incLanes").unwrap_or_default().split_whitespace();
        let Some(own) = incoming.next() else { return Ok(()) };
        let own = find(element, &self.lanes, "lane", own)?;
        let Some(leaving) = self.roads.lane(own).links.first().copied() else {
            return Err(element.fail("nothing leads on from its first lane"));
        };
        let (junction, response) =
            entering.get(&own).ok_or_else(|| element.fail("no link leads into its first lane"))?;
        let incoming = incoming.map(|name| find(element, &self.lanes, "lane", name)).collect::<Result<Vec<_>, _>>()?;
        let inside = element.text("intLanes").unwrap_or_default().split_whitespace();
        let inside = inside.map(|name| find(element, &self.lanes, "lane", name)).collect::<Result<Vec<_>, _>>()?;
        let (yields_to, conflicts) = self.waits_for(*junction, response, &incoming, &inside);
        let link = &mut self.roads.links[leaving.index()];
        (link.yields_to, link.conflicts) = (yields_to, conflicts);
        Ok(())
    }

    fn waits_for(
        &self,
        junction: JunctionId,
        response: &[u16],
        incoming: &[LaneId],
        inside: &[LaneId],
    ) -> (Vec<u16>, Vec<u16>) {
        let links = &self.roads.junctions[junction.index()].links;
        let from = |place: &u16| incoming.contains(&self.roads.link(links[usize::from(*place)]).from);
        let yields_to: Vec<u16> = response.iter().copied().filter(from).collect();
        let crosses = |link: LinkId| self.lanes_through(link).any(|lane| inside.contains(&lane));
        let conflicts =
            links.iter().enumerate().filter(|(place, link)| yields_to.contains(&(*place as u16)) || crosses(**link));
        (yields_to.clone(), conflicts.map(|(place, _)| place as u16).collect())
    }

    /// The lanes inside the junction by which a link leads.
    fn lanes_through(&self, link: LinkId) -> impl Iterator<Item = LaneId> {
        let roads = &self.roads;
        let crossing =
            Some(roads.link(link).to).filter(|to| roads.edge(roads.lane(*to).edge).kind == EdgeKind::Crossing);
        let first = roads.link(link).via;
        let second = first.and_then(|via| roads.link(*roads.lane(via).links.first()?).via);
        [first, second, crossing].into_iter().flatten()
    }
}

/// Places of the ones in a bit string of `length`, of which the rightmost is place 0.
fn bits(request: Element, attribute: &str, length: usize) -> Result<Vec<u16>, RoadsError> {
    let text = request.required(attribute)?;
    if text.len() != length || text.bytes().any(|bit| !matches!(bit, b'0' | b'1')) {
        return Err(request.fail(format!("{attribute}=\"{text}\" is no row of {length} bits")));
    }
    Ok(text.bytes().rev().enumerate().filter(|(_, bit)| *bit == b'1').map(|(place, _)| place as u16).collect())
}

fn turn(connection: Element) -> Result<Turn, RoadsError> {
    match connection.required("dir")? {
        "s" => Ok(Turn::Straight),
        "l" | "L" => Ok(Turn::Left),
        "r" | "R" => Ok(Turn::Right),
        "t" | "T" => Ok(Turn::UTurn),
        other => Err(connection.fail(format!("dir=\"{other}\" is no direction"))),
    }
}

fn right_of_way(connection: Element) -> Result<RightOfWay, RoadsError> {
    match connection.required("state")? {
        // A signal's states; the table of requests says who gives way while it is off.
        "M" | "o" | "O" | "r" | "u" | "g" | "G" | "y" | "Y" => Ok(RightOfWay::Major),
        "m" => Ok(RightOfWay::Minor),
        "=" => Ok(RightOfWay::RightBeforeLeft),
        "s" => Ok(RightOfWay::Stop),
        "w" => Ok(RightOfWay::AllWayStop),
        "Z" => Ok(RightOfWay::Zipper),
        "-" => Ok(RightOfWay::DeadEnd),
        other => Err(connection.fail(format!("state=\"{other}\" is no right of way"))),
    }
}
