//! One edge: its vehicles from the front to the rear, each looking at the lanes beside it.

use super::{BLOCKED, BLOCKED_BY_FOLLOWER, BLOCKED_BY_LEADER, LEFT, RIGHT, STRATEGIC, URGENT, WANTS, changed};
use crate::traffic::driver::HALTING_MPS;
use crate::traffic::net::{NONE, Net};
use crate::traffic::plan::View;
use crate::traffic::right_of_way::{self, LinkState, Passage};
use crate::traffic::vehicle::{Approach, Body, LaneState, Mind};

/// A vehicle or another actor, and the gap to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Near {
    /// `NONE` for another population's actor.
    pub(crate) vehicle: u32,
    pub(crate) gap: f64,
    pub(crate) speed: f64,
    pub(crate) accel: f64,
    pub(crate) decel: f64,
    pub(crate) length: f64,
    pub(crate) stopped: bool,
}

/// What lane changing works on.
pub(crate) struct Changing<'a> {
    pub(crate) net: &'a Net,
    pub(crate) lanes: &'a mut [LaneState],
    pub(crate) bodies: &'a mut [Body],
    pub(crate) minds: &'a mut [Mind],
    pub(crate) states: &'a [LinkState],
    pub(crate) approaching: &'a [Vec<Approach>],
    pub(crate) walkers: &'a [Vec<f64>],
    pub(crate) time: f64,
    pub(crate) dt: f64,
    /// Who changed lanes in this step: vehicle and offset.
    pub(crate) done: &'a mut Vec<(u32, i32)>,
}

/// One lane of the edge while it is worked through.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) lane: u32,
    /// Vehicles not yet looked at, the hindmost first.
    rest: usize,
    /// The last one looked at that stayed.
    lead: u32,
    /// The last one that changed onto this lane.
    hopped: u32,
    pub(crate) last_blocked: u32,
    pub(crate) first_blocked: u32,
    /// Space of those looked at.
    pub(crate) density: f64,
    done: Vec<u32>,
}

/// Lets the vehicles of an edge change lanes.
pub(crate) fn change_edge(world: &mut Changing<'_>, edge: u32) {
    let net = world.net;
    let mut columns: Vec<Column> = net.edges[edge as usize]
        .iter()
        .map(|lane| Column {
            lane: *lane,
            rest: world.lanes[*lane as usize].vehicles.len(),
            lead: NONE,
            hopped: NONE,
            last_blocked: NONE,
            first_blocked: NONE,
            density: 0.0,
            done: Vec::new(),
        })
        .collect();
    let before = world.done.len();
    while let Some(place) = foremost(world, &columns) {
        let vehicle = world.lanes[columns[place].lane as usize].vehicles[columns[place].rest - 1];
        let offset = consider(world, &mut columns, place, vehicle);
        columns[place].rest -= 1;
        let target = (place as i32 + offset) as usize;
        columns[target].density += world.bodies[vehicle as usize].space();
        columns[target].done.push(vehicle);
        if offset == 0 {
            columns[place].lead = vehicle;
        } else {
            columns[target].hopped = vehicle;
            hop(world, vehicle, columns[target].lane, offset);
        }
    }
    if world.done.len() == before {
        return;
    }
    for mut column in columns {
        column.done.reverse();
        let state = &mut world.lanes[column.lane as usize];
        state.vehicles = column.done;
        state.space = column.density;
    }
}

fn foremost(world: &Changing<'_>, columns: &[Column]) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for (place, column) in columns.iter().enumerate().filter(|(_, column)| column.rest > 0) {
        let vehicle = world.lanes[column.lane as usize].vehicles[column.rest - 1];
        let pos = world.bodies[vehicle as usize].pos;
        if best.is_none_or(|(most, _)| pos > most) {
            best = Some((pos, place));
        }
    }
    best.map(|(_, place)| place)
}

/// What a vehicle decides: lanes to change, −1 to 1.
fn consider(world: &mut Changing<'_>, columns: &mut [Column], place: usize, vehicle: u32) -> i32 {
    let body = &world.bodies[vehicle as usize];
    if body.stopped || body.by_hand || body.best.of(body.lane).is_none() {
        return 0;
    }
    let leader = lead_on(world, &columns[place], vehicle);
    if world.minds[vehicle as usize].change != 0 {
        return by_command(world, columns, place, vehicle);
    }
    let mut states = [0_u32; 2];
    for (which, offset, wish) in [(0, -1_i32, RIGHT), (1, 1, LEFT)] {
        let Some(target) = beside(world, columns, place, vehicle, offset) else { continue };
        let state = look(world, columns, place, target, vehicle, offset, leader);
        if state & wish != 0 && state & BLOCKED == 0 {
            world.minds[vehicle as usize].state = state;
            return offset;
        }
        if state & wish != 0 && state & URGENT != 0 {
            columns[target].last_blocked = vehicle;
            if columns[target].first_blocked == NONE {
                columns[target].first_blocked = vehicle;
            }
        }
        states[which] = state;
    }
    if states[0] & URGENT != 0 && states[1] & URGENT != 0 {
        states[1] = 0;
    }
    let state = states[0] | states[1];
    world.minds[vehicle as usize].state = state;
    world.bodies[vehicle as usize].strategic_blocked =
        state & STRATEGIC != 0 && state & WANTS != 0 && state & BLOCKED != 0;
    0
}

fn beside(world: &Changing<'_>, columns: &[Column], place: usize, vehicle: u32, offset: i32) -> Option<usize> {
    let target = usize::try_from(place as i32 + offset).ok().filter(|target| *target < columns.len())?;
    let users = world.bodies[vehicle as usize].users;
    world.net.lane(columns[target].lane).users.contains(users).then_some(target)
}

/// A change that was commanded happens as soon as it is safe.
fn by_command(world: &mut Changing<'_>, columns: &[Column], place: usize, vehicle: u32) -> i32 {
    let offset = world.minds[vehicle as usize].change.signum();
    let Some(target) = beside(world, columns, place, vehicle, offset) else {
        world.minds[vehicle as usize].change = 0;
        return 0;
    };
    let lead = lead_on(world, &columns[target], vehicle);
    let follow = follow_on(world, &columns[target], vehicle);
    if blocked(world, vehicle, lead, follow) != 0 {
        return 0;
    }
    world.minds[vehicle as usize].change -= offset;
    offset
}

#[allow(clippy::too_many_arguments, reason = "one lane beside another, seen from one vehicle")]
fn look(
    world: &mut Changing<'_>,
    columns: &[Column],
    place: usize,
    target: usize,
    vehicle: u32,
    offset: i32,
    leader: Option<Near>,
) -> u32 {
    let lead = lead_on(world, &columns[target], vehicle);
    let mut follow = follow_on(world, &columns[target], vehicle);
    if lead.is_some_and(|lead| follow.is_some_and(|follow| follow.vehicle == lead.vehicle)) {
        follow = None;
    }
    let blocked = blocked(world, vehicle, lead, follow);
    let state = blocked | super::wish::wants(world, columns, place, vehicle, offset, blocked, [leader, lead, follow]);
    if blocked == 0 && state & WANTS != 0 && unsafe_link_ahead(world, vehicle, columns[target].lane) {
        return state | BLOCKED_BY_LEADER;
    }
    state
}

fn blocked(world: &Changing<'_>, vehicle: u32, lead: Option<Near>, follow: Option<Near>) -> u32 {
    let (body, mind, dt) = (&world.bodies[vehicle as usize], &world.minds[vehicle as usize], world.dt);
    let mut blocked = 0;
    let factor = 1.0 / mind.assertive.max(0.01);
    if let Some(follow) = follow {
        let other = &world.bodies[follow.vehicle as usize];
        let reaction = (other.driver.tau_s - dt).max(0.0);
        let speed = other.speed + (reaction * other.accel).max(0.0);
        let own = (body.speed + (reaction * body.accel).min(0.0)).max(0.0);
        let secure = other.driver.secure_gap(speed, own, body.driver.decel, dt);
        if follow.gap < 0.0 || follow.gap < secure * factor {
            blocked |= BLOCKED_BY_FOLLOWER;
        }
    }
    if let Some(lead) = lead {
        let reaction = (body.driver.tau_s - dt).max(0.0);
        let speed = body.speed + (reaction * body.accel).max(0.0);
        let other = (lead.speed + (reaction * lead.accel).min(0.0)).max(0.0);
        let secure = body.driver.secure_gap(speed, other, lead.decel, dt);
        if lead.gap < 0.0 || lead.gap < secure * factor {
            blocked |= BLOCKED_BY_LEADER;
        }
    }
    blocked
}

impl Changing<'_> {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            net: self.net,
            lanes: self.lanes,
            bodies: self.bodies,
            states: self.states,
            approaching: self.approaching,
            walkers: self.walkers,
            time: self.time,
            dt: self.dt,
        }
    }

    fn near(&self, vehicle: u32, gap: f64) -> Near {
        let body = &self.bodies[vehicle as usize];
        Near {
            vehicle,
            gap,
            speed: body.speed,
            accel: body.accel,
            decel: body.driver.decel,
            length: body.space(),
            stopped: body.stopped,
        }
    }
}

/// Who is in front of a vehicle on a lane of its edge, or on what follows.
fn lead_on(world: &Changing<'_>, column: &Column, vehicle: u32) -> Option<Near> {
    let (net, body) = (world.net, &world.bodies[vehicle as usize]);
    let mut lead = column.lead;
    if column.hopped != NONE {
        let pos = world.bodies[column.hopped as usize].pos;
        if pos > body.pos && (lead == NONE || world.bodies[lead as usize].pos > pos) {
            lead = column.hopped;
        }
    }
    let state = &world.lanes[column.lane as usize];
    let mut best: Option<Near> = None;
    if lead != NONE {
        let other = &world.bodies[lead as usize];
        best = Some(world.near(lead, other.pos - other.length() - other.reserve - body.pos - body.driver.min_gap_m));
    } else {
        for other in state.partial.iter().filter(|other| **other != vehicle) {
            let back = world.bodies[*other as usize].minded_back_on(column.lane, net);
            let near = world.near(*other, back - body.pos - body.driver.min_gap_m);
            if best.is_none_or(|b| near.gap < b.gap) {
                best = Some(near);
            }
        }
    }
    for obstacle in &state.obstacles {
        if obstacle.front > body.pos - body.length() {
            let gap = obstacle.back - body.pos - body.driver.min_gap_m;
            if best.is_none_or(|b| gap < b.gap) {
                best = Some(Near {
                    vehicle: NONE,
                    gap,
                    speed: obstacle.speed,
                    accel: 0.0,
                    decel: obstacle.decel,
                    length: obstacle.front - obstacle.back,
                    stopped: obstacle.speed < HALTING_MPS,
                });
            }
        }
    }
    best.or_else(|| lead_beyond(world, body, vehicle, column.lane))
}

/// Who is in front on the lanes that follow, as far as braking reaches.
fn lead_beyond(world: &Changing<'_>, body: &Body, vehicle: u32, lane: u32) -> Option<Near> {
    let (net, dt) = (world.net, world.dt);
    let mut dist = body.driver.brake_gap(body.speed, dt) + body.driver.min_gap_m;
    let mut seen = net.lane(lane).length - body.pos;
    if seen > dist {
        return None;
    }
    let following = &body.best.of(lane)?.following;
    let mut next = following.iter().skip(1);
    let (mut at, mut arrival) = (lane, world.time + seen / body.speed.max(0.001));
    loop {
        let link = if net.lane(at).internal {
            net.lane(at).links.first().copied()?
        } else {
            let target = next.next()?;
            net.lane(at).links.iter().copied().find(|link| net.link(*link).to == *target)?
        };
        let passage = Passage {
            arrival,
            arrival_speed: body.speed,
            leave_speed: body.speed,
            length: body.length(),
            impatience: 0.0,
            decel: body.driver.decel,
            waiting_s: 0.0,
            ignores_red: false,
            ego: vehicle,
        };
        if !right_of_way::is_open(&world.view(), link, &passage) {
            return None;
        }
        at = net.link(link).next;
        arrival += net.lane(at).length / body.speed.max(0.001);
        if let Some(ahead) = world.view().last_on(at, vehicle) {
            let gap = seen + ahead.back - body.driver.min_gap_m;
            return Some(match ahead.vehicle {
                NONE => Near {
                    vehicle: NONE,
                    gap,
                    speed: ahead.speed,
                    accel: 0.0,
                    decel: ahead.decel,
                    length: 0.0,
                    stopped: ahead.speed < HALTING_MPS,
                },
                other => world.near(other, gap),
            });
        }
        let limit = body.wish(net.lane(at).limit);
        if limit < body.speed {
            dist = body.driver.brake_gap(limit, dt);
        }
        seen += net.lane(at).length;
        if seen > dist && !net.lane(at).internal {
            return None;
        }
    }
}

/// Who is behind a vehicle on a lane of its edge, or on what leads there.
fn follow_on(world: &Changing<'_>, column: &Column, vehicle: u32) -> Option<Near> {
    let (net, body) = (world.net, &world.bodies[vehicle as usize]);
    let state = &world.lanes[column.lane as usize];
    let mut follow = NONE;
    if column.rest > 0 {
        follow = state.vehicles[column.rest - 1];
    }
    if column.hopped != NONE && world.bodies[column.hopped as usize].pos <= body.pos {
        let hopped = world.bodies[column.hopped as usize].pos;
        if follow == NONE || hopped > world.bodies[follow as usize].pos {
            follow = column.hopped;
        }
    }
    let back = body.pos - body.length();
    if follow != NONE {
        let other = &world.bodies[follow as usize];
        return Some(world.near(follow, back - other.pos - other.driver.min_gap_m));
    }
    // On the lanes that lead here, as far as somebody fast could come from.
    let mut nearest: Option<Near> = None;
    let mut open = vec![(column.lane, back)];
    let mut looked = 0;
    while let Some((lane, ahead)) = open.pop() {
        looked += 1;
        if looked > 16 {
            break;
        }
        for link in &net.lane(lane).incoming {
            let link = net.link(*link);
            let from = link.from;
            let length = net.lane(from).length;
            let Some(other) = world.lanes[from as usize].vehicles.last().copied().filter(|other| *other != vehicle)
            else {
                if ahead + length < FOLLOWER_REACH_M {
                    open.push((from, ahead + length));
                }
                continue;
            };
            let candidate = &world.bodies[other as usize];
            let comes = world.minds[other as usize]
                .items
                .iter()
                .any(|item| item.link != NONE && net.link(item.link).next == lane && item.request);
            let gap = ahead + length - candidate.pos - candidate.driver.min_gap_m;
            if comes && nearest.is_none_or(|near| gap < near.gap) {
                nearest = Some(world.near(other, gap));
            }
        }
    }
    nearest
}

/// How far back followers are looked for on other edges, metres.
const FOLLOWER_REACH_M: f64 = 60.0;

/// Whether changing now would lead onto a link that gives way, too late to stop.
fn unsafe_link_ahead(world: &Changing<'_>, vehicle: u32, lane: u32) -> bool {
    let (net, body) = (world.net, &world.bodies[vehicle as usize]);
    let seen = net.lane(lane).length - body.pos;
    let braking = crate::traffic::driver::brake_gap(body.speed, body.driver.decel, 0.0, world.dt);
    if seen >= braking {
        return false;
    }
    let Some(target) = body.best.of(lane).and_then(|choice| choice.following.get(1)) else { return false };
    let Some(link) = net.lane(lane).links.iter().copied().find(|link| net.link(*link).to == *target) else {
        return false;
    };
    let state = world.states[link as usize];
    if state.has_priority() && state != LinkState::Zipper {
        return false;
    }
    let items = &world.minds[vehicle as usize].items;
    let item =
        items.iter().find(|item| item.link != NONE && net.lane(net.link(item.link).from).edge == net.lane(lane).edge);
    item.is_some_and(|item| {
        let mut passage = crate::traffic::clear::passage(body, vehicle, item, 0.0);
        passage.waiting_s = 1.0;
        !right_of_way::is_open(&world.view(), link, &passage)
    })
}

fn hop(world: &mut Changing<'_>, vehicle: u32, to: u32, offset: i32) {
    let net = world.net;
    let body = &mut world.bodies[vehicle as usize];
    body.lane = to;
    let mut left = body.length() - body.pos;
    let old = std::mem::take(&mut body.further);
    let mut before = to;
    let mut further = Vec::new();
    for lane in &old {
        if left <= 0.0 {
            break;
        }
        // The rear follows on the lanes that lead to the new one, where they belong to the same edge.
        let edge = net.lane(*lane).edge;
        let mut ways = net.lane(before).incoming.iter().map(|link| net.link(*link).from);
        let Some(lane) = ways.find(|way| net.lane(*way).edge == edge) else { break };
        left -= net.lane(lane).length;
        further.push(lane);
        before = lane;
    }
    body.further = further.clone();
    body.strategic_blocked = false;
    let on_best = body.best.of(to).is_some_and(|choice| choice.offset == 0);
    for lane in old {
        world.lanes[lane as usize].partial.retain(|other| *other != vehicle);
    }
    for lane in further {
        world.lanes[lane as usize].partial.push(vehicle);
    }
    changed(&mut world.minds[vehicle as usize], on_best);
    world.done.push((vehicle, offset));
}
