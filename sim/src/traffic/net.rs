//! The network as drivers need it: lanes with what leads to them, links with what they give way to and what they meet.
//!
//! In: [`Roads`]. Out: [`Net`], which never changes. Terms are SUMO's: an entry link leads into a junction, an exit link out
//! of it, and a link between two lanes inside is where a vehicle that turns waits for those who go first.

use super::conflict;
use crate::roads::{EdgeKind, LinkId, RightOfWay, Roads, Turn, Users};

/// No lane, link or vehicle.
pub(crate) const NONE: u32 = u32::MAX;
/// How far before a link its foes are seen, metres.
const VISIBILITY_M: f64 = 4.5;
/// The same at links that merge like a zip.
const VISIBILITY_ZIPPER_M: f64 = 100.0;

#[derive(Debug)]
pub(crate) struct NetLane {
    pub(crate) edge: u32,
    pub(crate) index: u16,
    /// Inside a junction.
    pub(crate) internal: bool,
    pub(crate) roundabout: bool,
    pub(crate) length: f64,
    pub(crate) width: f64,
    pub(crate) limit: f64,
    pub(crate) users: Users,
    pub(crate) links: Vec<u32>,
    /// Links that lead onto this lane, with the lanes they come from.
    pub(crate) incoming: Vec<u32>,
    /// The lane before it, straight on; `NONE` at the network's edge.
    pub(crate) before: u32,
}

/// What drives on a lane that a link meets inside the junction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Foe {
    pub(crate) lane: u32,
    /// The link out of that lane.
    pub(crate) exit: u32,
    /// From the crossing point to the end of our lane, metres.
    pub(crate) behind: f64,
    /// Extent of the crossing along our lane, metres.
    pub(crate) width: f64,
    /// From the start of the foe's lane to the crossing point, metres.
    pub(crate) foe_to: f64,
    /// From the crossing point to the end of the foe's lane, metres.
    pub(crate) foe_behind: f64,
    /// Extent of the crossing along the foe's lane, metres.
    pub(crate) foe_width: f64,
    pub(crate) same_target: bool,
    pub(crate) same_source: bool,
}

/// Where a link's way meets a pedestrian crossing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zebra {
    pub(crate) lane: u32,
    /// From the crossing to the end of our lane, metres.
    pub(crate) behind: f64,
    /// Where on the crossing's line our way passes, metres.
    pub(crate) at: f64,
}

#[derive(Debug)]
pub(crate) struct NetLink {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) via: u32,
    /// The next lane: `via`, else `to`.
    pub(crate) next: u32,
    pub(crate) junction: u32,
    /// Place in the junction's tables; of a link inside the one of its entry link.
    pub(crate) place: u16,
    pub(crate) turn: Turn,
    pub(crate) right_of_way: RightOfWay,
    /// Controller and place.
    pub(crate) signal: Option<(u32, u16)>,
    /// Links that go first.
    pub(crate) yields: Vec<u32>,
    /// Some link gives way to this one: approaching vehicles are listed.
    pub(crate) watched: bool,
    pub(crate) foes: Vec<Foe>,
    pub(crate) zebras: Vec<Zebra>,
    pub(crate) waits_inside: bool,
    /// From a lane inside a junction.
    pub(crate) from_inside: bool,
    /// The link by which this way entered the junction.
    pub(crate) entry: u32,
    /// Length of the way inside, metres.
    pub(crate) length: f64,
    pub(crate) visibility: f64,
    pub(crate) keep_clear: bool,
    /// Its way meets others.
    pub(crate) has_foes: bool,
    /// Radius of a turn, metres; infinite straight on.
    pub(crate) radius: f64,
}

impl NetLink {
    /// Between two lanes inside a junction.
    pub(crate) fn is_inner(&self) -> bool {
        self.from_inside && self.via != NONE
    }

    /// Out of a junction.
    pub(crate) fn is_exit(&self) -> bool {
        self.from_inside && self.via == NONE
    }

    /// Into a junction.
    pub(crate) fn is_entry(&self) -> bool {
        !self.from_inside && self.via != NONE
    }

    /// From here on the way meets others: not while it only leads to a waiting place.
    pub(crate) fn is_conflict_entry(&self) -> bool {
        !self.waits_inside && (self.is_entry() || self.is_inner())
    }
}

#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) lanes: Vec<NetLane>,
    pub(crate) links: Vec<NetLink>,
    /// Lanes of each edge, outermost first.
    pub(crate) edges: Vec<Vec<u32>>,
    /// Links whose state a signal decides.
    pub(crate) signalled: Vec<u32>,
}

impl Net {
    pub(crate) fn new(roads: &Roads) -> Self {
        let internal = |lane: usize| roads.edge(roads.lanes[lane].edge).kind == EdgeKind::Internal;
        let mut lanes: Vec<NetLane> = roads
            .lanes
            .iter()
            .enumerate()
            .map(|(id, lane)| NetLane {
                edge: lane.edge.0,
                index: lane.index,
                internal: internal(id),
                roundabout: false,
                length: lane.length_m.max(LENGTH_MIN_M),
                width: lane.width_m,
                limit: lane.speed_limit_mps,
                users: lane.users,
                links: lane.links.iter().map(|link| link.0).collect(),
                incoming: Vec::new(),
                before: NONE,
            })
            .collect();
        let mut links: Vec<NetLink> = roads.links.iter().map(|link| net_link(roads, link)).collect();
        for (id, link) in links.iter().enumerate() {
            lanes[link.next as usize].incoming.push(id as u32);
        }
        for (id, note) in &roads.link_notes {
            let link = &mut links[id.index()];
            link.visibility = note.sees_m.unwrap_or(link.visibility);
            link.keep_clear = note.keeps_clear;
        }
        for edge in roads.roundabouts.iter().flatten() {
            for lane in &roads.edge(*edge).lanes {
                lanes[lane.index()].roundabout = true;
            }
        }
        for lane in 0..lanes.len() {
            let straight = lanes[lane].incoming.iter().min_by_key(|link| links[**link as usize].turn);
            if let Some(link) = straight {
                lanes[lane].before = links[*link as usize].from;
            }
        }
        find_entries(roads, &lanes, &mut links);
        let edges = roads.edges.iter().map(|edge| edge.lanes.iter().map(|lane| lane.0).collect()).collect();
        let mut net = Self { lanes, links, edges, signalled: Vec::new() };
        net.resolve(roads);
        conflict::find(&mut net, roads);
        net.signalled = (0..net.links.len() as u32).filter(|link| net.links[*link as usize].signal.is_some()).collect();
        net
    }

    pub(crate) fn lane(&self, id: u32) -> &NetLane {
        &self.lanes[id as usize]
    }

    pub(crate) fn link(&self, id: u32) -> &NetLink {
        &self.links[id as usize]
    }

    /// The lane beside: +1 inwards, −1 outwards.
    pub(crate) fn beside(&self, id: u32, places: i32) -> Option<u32> {
        let lane = self.lane(id);
        let index = usize::try_from(i32::from(lane.index) + places).ok()?;
        self.edges[lane.edge as usize].get(index).copied()
    }

    /// The last lane inside the junction that an entry link leads through, if there is an inside.
    pub(crate) fn last_inside(&self, entry: u32) -> Option<u32> {
        let mut lane = Some(self.link(entry).via).filter(|via| *via != NONE)?;
        while let Some(next) = self.lane(lane).links.first().map(|link| self.link(*link).via).filter(|via| *via != NONE)
        {
            lane = next;
        }
        Some(lane)
    }

    /// The ordinary lane onto which a lane inside a junction leads; the lane itself if it is ordinary.
    pub(crate) fn next_ordinary(&self, lane: u32) -> u32 {
        let mut at = lane;
        for _ in 0..8 {
            if !self.lane(at).internal {
                break;
            }
            let Some(link) = self.lane(at).links.first() else { break };
            at = self.link(*link).next;
        }
        at
    }

    fn resolve(&mut self, roads: &Roads) {
        for junction in &roads.junctions {
            for (place, link) in junction.links.iter().enumerate() {
                self.links[link.index()].place = place as u16;
            }
        }
        for id in 0..self.links.len() {
            let Some(junction) = roads.links[id].junction else { continue };
            let table = &roads.junctions[junction.index()].links;
            let named = |place: &u16| table.get(usize::from(*place)).map(|link: &LinkId| link.0);
            self.links[id].yields = roads.links[id].yields_to.iter().filter_map(named).collect();
            let entry = self.links[id].entry as usize;
            self.links[id].place = self.links[entry].place;
        }
        for id in 0..self.links.len() {
            for foe in self.links[id].yields.clone() {
                self.links[foe as usize].watched = true;
            }
        }
    }
}

/// Shorter lanes of a source are taken as this long, metres: positions on them stay distinct.
const LENGTH_MIN_M: f64 = 0.1;

fn net_link(roads: &Roads, link: &crate::roads::Link) -> NetLink {
    let via = link.via.map_or(NONE, |via| via.0);
    let from_inside = roads.edge(roads.lane(link.from).edge).kind == EdgeKind::Internal;
    NetLink {
        from: link.from.0,
        to: link.to.0,
        via,
        next: if via == NONE { link.to.0 } else { via },
        junction: link.junction.map_or(NONE, |junction| junction.0),
        place: u16::MAX,
        turn: link.turn,
        right_of_way: link.right_of_way,
        signal: link.signal.map(|(controller, place)| (controller.0, place)),
        yields: Vec::new(),
        watched: false,
        foes: Vec::new(),
        zebras: Vec::new(),
        waits_inside: link.waits_inside,
        from_inside,
        entry: NONE,
        length: link.via.map_or(0.0, |via| roads.lane(via).length_m),
        visibility: match link.right_of_way {
            RightOfWay::Zipper => VISIBILITY_ZIPPER_M,
            _ => VISIBILITY_M,
        },
        keep_clear: true,
        has_foes: !link.conflicts.is_empty(),
        radius: f64::INFINITY,
    }
}

fn find_entries(roads: &Roads, lanes: &[NetLane], links: &mut [NetLink]) {
    for id in 0..links.len() {
        let mut entry = id as u32;
        for _ in 0..8 {
            let link = &links[entry as usize];
            let Some(before) = lanes[link.from as usize].incoming.first().filter(|_| link.from_inside) else { break };
            entry = *before;
        }
        links[id].entry = entry;
        // A link inside has the junction of its entry.
        if links[id].junction == NONE {
            links[id].junction = roads.links[entry as usize].junction.map_or(NONE, |junction| junction.0);
        }
    }
}
