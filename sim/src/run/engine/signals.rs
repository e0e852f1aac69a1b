//! Signals and nodes: what controllers tell, what vehicles ask of them, what they answer.

use super::super::signals;
use super::{Due, Engine};
use crate::world::{GreenWish, Urgency, WishAnswer, WishId};
use masa_edge_node::effect::{PriorityAction, PriorityRequest, Requester};
use masa_edge_node::event::{EventBody, PriorityAnswer, PriorityStatus, SourceId};
use masa_v2x_proto::time::Timestamp;

/// How long a controller takes to answer, nanoseconds.
const CONTROLLER_NS: i64 = 50_000_000;

/// A request's wish: intersection, station that asks, its number.
fn wish_id(request: &PriorityRequest) -> WishId {
    WishId(u64::from(request.intersection) << 40 | u64::from(request.station) << 8 | u64::from(request.request))
}

impl Engine<'_> {
    /// Tells stations what signals show: at once when it changes, and each second.
    pub(super) fn tell_signals(&mut self, t_ns: i64) {
        for station in 0..self.feeds.len() {
            let start = self.clock(station, t_ns).plus_ns(-t_ns);
            let (world, feeds) = (&self.world, &mut self.feeds[station]);
            let told = feeds.iter_mut().filter_map(|feed| feed.measure(world.roads(), world.now()));
            let told: Vec<_> = told.map(|reading| signals::report(&reading, start)).collect();
            for report in told {
                self.push(t_ns, station, Due::Event(SourceId::NODE, Box::new(EventBody::Signals(report))));
            }
        }
    }

    /// Hands a station's request for priority to the controller of the intersection.
    pub(super) fn ask_controller(&mut self, station: usize, request: &PriorityRequest, time_s: f64, now: Timestamp) {
        let id = wish_id(request);
        self.asked_by.insert(id, station);
        let wanted =
            signals::links_of(self.world.roads(), request).filter(|_| request.action != PriorityAction::Cancel);
        let wish = wanted.map(|(controller, links)| GreenWish {
            controller,
            links,
            urgency: match request.requester {
                Requester::Emergency => Urgency::Emergency,
                Requester::PublicTransport | Requester::Other => Urgency::PublicTransport,
            },
            arrives_s: time_s + request.arrives_at.map_or(0.0, |at| at.seconds_since(now)),
        });
        if wish.is_none() && request.action != PriorityAction::Cancel {
            self.answer_priority(id, PriorityStatus::Rejected);
        }
        self.world.wish_green(id, wish);
    }

    /// Tells stations what became of the requests that they have handed on.
    pub(super) fn tell_answers(&mut self) {
        for (id, answer) in self.world.green_answers() {
            let status = match answer {
                WishAnswer::Processing => PriorityStatus::Processing,
                WishAnswer::Granted => PriorityStatus::Granted,
                WishAnswer::TooLong => PriorityStatus::MaxPresence,
                WishAnswer::Locked => PriorityStatus::ReserviceLocked,
                WishAnswer::Rejected => PriorityStatus::Rejected,
            };
            self.answer_priority(id, status);
        }
    }

    fn answer_priority(&mut self, id: WishId, status: PriorityStatus) {
        let Some(station) = self.asked_by.get(&id).copied() else { return };
        let answer = PriorityAnswer {
            station: (id.0 >> 8) as u32,
            intersection: (id.0 >> 40) as u16,
            request: id.0 as u8,
            status,
        };
        let t_ns = self.t_ns();
        self.push(
            t_ns + CONTROLLER_NS,
            station,
            Due::Event(SourceId::NODE, Box::new(EventBody::PriorityAnswer(answer))),
        );
    }
}
