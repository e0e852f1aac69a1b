//! Keeping junctions clear: a request to enter is taken back where there is no room behind.
//!
//! In: the items that [`super::plan`] found. Out: the same with requests withdrawn. Room is what lies between the junction and the
//! first vehicle that stands or must wait, less what is on its way there already.

use super::driver::{HALTING_MPS, LENGTH_SLACK_M, brake_gap};
use super::net::NONE;
use super::plan::View;
use super::right_of_way::{self, Passage};
use super::vehicle::{Body, Mind};

/// Room on a lane up to the hindmost that stands, and whether one stands.
fn room_on(view: &View<'_>, lane: u32, ego: u32) -> (f64, bool) {
    let mut lengths = 0.0;
    for vehicle in &view.lanes[lane as usize].vehicles {
        let body = &view.bodies[*vehicle as usize];
        if body.speed < HALTING_MPS && *vehicle != ego && !view.net.lane(lane).roundabout {
            let braking = body.driver.brake_gap(body.speed, view.dt);
            return (body.pos - body.length() + braking - lengths, true);
        }
        lengths += body.space();
    }
    (view.net.lane(lane).length - lengths, false)
}

fn keeps_clear(view: &View<'_>, link: u32) -> bool {
    let link = view.net.link(link);
    link.keep_clear && link.has_foes
}

pub(crate) fn passage(body: &Body, ego: u32, item: &super::vehicle::Item, impatience: f64) -> Passage {
    Passage {
        arrival: item.arrival,
        arrival_speed: item.arrival_speed,
        leave_speed: item.leave(),
        length: body.length(),
        impatience,
        decel: body.driver.decel,
        waiting_s: body.waiting_s,
        ignores_red: false,
        ego,
    }
}

/// Takes back requests that would block a junction. `in_front` is the space of the vehicles ahead on the same lane.
pub(crate) fn take_back(view: View<'_>, ego: u32, in_front: f64, mind: &mut Mind) {
    let body = &view.bodies[ego as usize];
    let net = view.net;
    if net.lane(body.lane).roundabout {
        return;
    }
    let mut room = -in_front;
    let mut found_stopped = false;
    for item in &mut mind.items {
        if item.link == NONE || found_stopped {
            item.room = if found_stopped { room } else { item.room + room };
            continue;
        }
        let link = net.link(item.link);
        if link.via != NONE {
            if keeps_clear(&view, item.link) {
                room -= view.lanes[link.via as usize].space;
                if link.via == body.lane {
                    room += body.space();
                }
            } else {
                let (on_lane, stands) = room_on(&view, link.via, ego);
                room += on_lane;
                found_stopped |= stands;
            }
            item.room = room;
            continue;
        }
        let lane = link.to;
        let state = &view.lanes[lane as usize];
        let last = state.vehicles.first().or_else(|| state.partial.last()).copied().filter(|last| *last != ego);
        match last {
            None => {
                if net.lane(lane).length > body.length() || keeps_clear(&view, item.link) {
                    room += net.lane(lane).length;
                }
                item.room = room;
            }
            Some(last) => {
                let (on_lane, stands) = room_on(&view, lane, ego);
                room += on_lane;
                item.room = room;
                let last = &view.bodies[last as usize];
                if stands || last.must_wait || last.stopped {
                    found_stopped = true;
                    item.had_stopped = true;
                }
            }
        }
    }
    let impatience = mind.impatience;
    for place in (1..mind.items.len()).rev() {
        let (item, next) = (mind.items[place - 1], mind.items[place]);
        let link = net.link(item.link);
        let can_leave = link.via == NONE || next.link == NONE || next.request;
        let open = can_leave
            && (view.states[item.link as usize].has_priority()
                || place == 1
                || right_of_way::is_open(&view, item.link, &passage(body, ego, &item, impatience)));
        let mut passes_on = (link.waits_inside || open) && !item.had_stopped;
        if !open {
            found_stopped = true;
            if place > 1 {
                let before = mind.items[place - 2].link;
                passes_on |= before != NONE && net.link(before).waits_inside;
            }
        }
        if passes_on {
            mind.items[place - 1].room = next.room;
        }
    }
    if !found_stopped {
        return;
    }
    let first = mind
        .items
        .iter()
        .position(|item| item.link != NONE && item.room - body.space() < 0.0 && keeps_clear(&view, item.link));
    let Some(first) = first.filter(|first| *first != 0 || !net.lane(body.lane).internal) else { return };
    let braking = brake_gap(body.speed, body.driver.decel, 0.0, view.dt);
    for place in first..mind.items.len() {
        if mind.items[place].link == NONE {
            break;
        }
        let before_requests = place > 0 && mind.items[place - 1].request;
        let item = &mut mind.items[place];
        item.pass = item.wait;
        let exit = net.link(item.link).is_exit();
        if item.distance >= braking + LENGTH_SLACK_M && !(exit && before_requests) {
            item.request = false;
        }
    }
}
