//! Signals that give way to those who ask: programmes with pre-emption for emergency vehicles and priority for buses.
//!
//! In: wishes for green. Out: what signals show. A controller that serves a wish leaves its programme: it ends the green of
//! the others, not sooner than is safe for who is on the way, goes through the programme's own yellow and all-red, jumps to
//! the phase that has the wished links green, and holds it until the wish is withdrawn or has had its time. It goes back to
//! the programme in the same way, to wherever that is by then. Invariants: only states of the programme are shown; what is
//! neither all green nor all red lasts as long as the programme says. Absent: programmes that follow the traffic.

use crate::roads::{Roads, SignalController, SignalId, SignalPhase, SignalState};
use crate::snapshot::Snapshot;
use crate::world::{GreenWish, SignalControl, Urgency, WishAnswer, WishId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Least green of the others, seconds.
const LEAST_GREEN_S: f64 = 5.0;
/// The same for a bus, seconds.
const LEAST_GREEN_FOR_BUS_S: f64 = 10.0;
/// What people on foot need to leave the road when their green has ended, seconds.
const CLEAR_FOOT_S: f64 = 7.0;
/// A bus is served when it arrives within this, seconds.
const BUS_AHEAD_S: f64 = 20.0;
/// How long a bus may keep others from the green that the programme gives them, seconds.
const BUS_HOLD_S: f64 = 12.0;
/// The same of an emergency vehicle: its cancellation may have been lost, seconds.
const EMERGENCY_HOLD_S: f64 = 60.0;
/// No bus is served so soon after one was, seconds.
const LOCKED_S: f64 = 60.0;

/// Programmes that give way.
#[derive(Debug)]
pub struct PriorityControl {
    roads: Arc<Roads>,
    wishes: BTreeMap<WishId, (GreenWish, Option<WishAnswer>)>,
    cabinets: Vec<Cabinet>,
    answers: Vec<(WishId, WishAnswer)>,
}

/// A controller's own way through its phases.
#[derive(Clone, Copy, Debug, Default)]
struct Cabinet {
    /// Where it is while it does not follow its programme.
    own: Option<Own>,
    /// Whom it serves.
    serves: Option<(WishId, Urgency)>,
    /// How long others have waited for green that the programme gives them, seconds.
    kept_waiting_s: f64,
    locked_until_s: f64,
}

#[derive(Clone, Copy, Debug)]
struct Own {
    phase: usize,
    since_s: f64,
    /// People on foot lost their green when it began.
    clears_foot: bool,
}

impl PriorityControl {
    /// The programmes of a network, nobody asking.
    pub fn new(roads: Arc<Roads>) -> Self {
        let cabinets = vec![Cabinet::default(); roads.signals.len()];
        Self { roads, wishes: BTreeMap::new(), cabinets, answers: Vec::new() }
    }

    /// The wish that a controller serves now: the most urgent, and of those the one that arrives first.
    fn chosen(&self, at: usize, time_s: f64) -> Option<(WishId, GreenWish)> {
        let cabinet = &self.cabinets[at];
        let due = |(id, (wish, answer)): &(&WishId, &(GreenWish, Option<WishAnswer>))| {
            let is_served = cabinet.serves.is_some_and(|(served, _)| served == **id);
            let is_over = matches!(answer, Some(WishAnswer::TooLong | WishAnswer::Rejected));
            let is_time = match wish.urgency {
                Urgency::Emergency => true,
                Urgency::PublicTransport => {
                    is_served || (wish.arrives_s - time_s <= BUS_AHEAD_S && time_s >= cabinet.locked_until_s)
                }
            };
            wish.controller.index() == at && !is_over && is_time
        };
        let best = self
            .wishes
            .iter()
            .filter(due)
            .max_by(|(_, (a, _)), (_, (b, _))| a.urgency.cmp(&b.urgency).then(b.arrives_s.total_cmp(&a.arrives_s)));
        best.map(|(id, (wish, _))| (*id, wish.clone()))
    }

    fn answer(&mut self, id: WishId, answer: WishAnswer) {
        if let Some((_, told)) = self.wishes.get_mut(&id)
            && *told != Some(answer)
        {
            *told = Some(answer);
            self.answers.push((id, answer));
        }
    }

    /// One step of a controller; the phase it shows, `None` when it follows its programme.
    fn step(&mut self, at: usize, time_s: f64, step_s: f64) -> Option<usize> {
        let roads = self.roads.clone();
        let controller = &roads.signals[at];
        let (programme, left_s) = controller.phase_at(time_s)?;
        let chosen = self.chosen(at, time_s);
        let goals: Vec<usize> = match &chosen {
            Some((_, wish)) => phases_for(controller, &wish.links),
            // Back to the programme, which cannot be joined in a yellow.
            None => {
                (0..controller.phases.len()).filter(|p| *p == programme && is_stage(&controller.phases[*p])).collect()
            }
        };
        let cabinet = &mut self.cabinets[at];
        if let Some((_, urgency)) =
            cabinet.serves.filter(|(served, _)| chosen.as_ref().is_none_or(|(id, _)| id != served))
        {
            (cabinet.serves, cabinet.kept_waiting_s) = (None, 0.0);
            if urgency == Urgency::PublicTransport {
                cabinet.locked_until_s = time_s + LOCKED_S;
            }
        }
        if let Some((id, _)) = chosen.as_ref().filter(|_| goals.is_empty()) {
            self.answer(*id, WishAnswer::Rejected);
            return self.cabinets[at].own.map(|own| own.phase);
        }
        let least_s = match &chosen {
            Some((_, wish)) if wish.urgency == Urgency::PublicTransport => LEAST_GREEN_FOR_BUS_S,
            _ => LEAST_GREEN_S,
        };
        if chosen.is_none() && cabinet.own.is_none_or(|own| own.phase == programme) {
            cabinet.own = None;
            return None;
        }
        let elapsed_s = controller.phases[programme].duration_s - left_s;
        let own = cabinet.own.get_or_insert(Own { phase: programme, since_s: time_s - elapsed_s, clears_foot: false });
        if let Some(next) = next(controller, *own, &goals, least_s, time_s) {
            let clears_foot = loses_green(&controller.phases[own.phase], &controller.phases[next]);
            *own = Own { phase: next, since_s: time_s, clears_foot };
        }
        let phase = own.phase;
        if let Some((id, wish)) = chosen {
            cabinet.serves = Some((id, wish.urgency));
            let is_green = goals.contains(&phase);
            cabinet.kept_waiting_s += if is_green && !goals.contains(&programme) { step_s } else { 0.0 };
            let most_s = match wish.urgency {
                Urgency::PublicTransport => BUS_HOLD_S,
                Urgency::Emergency => EMERGENCY_HOLD_S,
            };
            let answer = match is_green {
                true if cabinet.kept_waiting_s > most_s => WishAnswer::TooLong,
                true => WishAnswer::Granted,
                false => WishAnswer::Processing,
            };
            self.answer(id, answer);
        }
        Some(phase)
    }

    /// Tells those who are not served why.
    fn answer_others(&mut self, time_s: f64) {
        let waiting: Vec<_> =
            self.wishes.iter().map(|(id, (wish, told))| (*id, wish.controller, wish.urgency, *told)).collect();
        for (id, controller, urgency, told) in waiting {
            let Some(cabinet) = self.cabinets.get(controller.index()) else {
                self.answer(id, WishAnswer::Rejected);
                continue;
            };
            let is_served = cabinet.serves.is_some_and(|(served, _)| served == id);
            if is_served || matches!(told, Some(WishAnswer::TooLong | WishAnswer::Rejected)) {
                continue;
            }
            let is_locked = urgency == Urgency::PublicTransport && time_s < cabinet.locked_until_s;
            self.answer(id, if is_locked { WishAnswer::Locked } else { WishAnswer::Processing });
        }
    }
}

impl SignalControl for PriorityControl {
    fn states(&mut self, before: &Snapshot) -> Vec<Vec<SignalState>> {
        let roads = self.roads.clone();
        let step_s = if before.step == 0 { 0.0 } else { before.time_s / before.step as f64 };
        let shown =
            roads.signals.iter().enumerate().map(|(at, controller)| match self.step(at, before.time_s, step_s) {
                Some(phase) => controller.phases[phase].states.clone(),
                None => controller.states_at(before.time_s),
            });
        let shown = shown.collect();
        self.answer_others(before.time_s);
        shown
    }

    fn wish(&mut self, id: WishId, wish: Option<GreenWish>) {
        match wish {
            Some(wish) => {
                let told = self.wishes.get(&id).and_then(|(_, told)| *told);
                self.wishes.insert(id, (wish, told));
            }
            None => {
                self.wishes.remove(&id);
            }
        }
    }

    fn answers(&mut self) -> Vec<(WishId, WishAnswer)> {
        std::mem::take(&mut self.answers)
    }

    fn off_programme(&self) -> Vec<SignalId> {
        let off = self.cabinets.iter().enumerate().filter(|(_, cabinet)| cabinet.own.is_some());
        off.map(|(at, _)| SignalId(at as u32)).collect()
    }
}

/// Somebody has green, and nobody is being stopped or about to start.
fn is_stage(phase: &SignalPhase) -> bool {
    phase.states.iter().any(|state| state.is_green())
        && !phase.states.iter().any(|state| matches!(state, SignalState::Yellow | SignalState::RedYellow))
}

/// The phases in which all of these links are green.
fn phases_for(controller: &SignalController, links: &[u16]) -> Vec<usize> {
    let is_green = |phase: &SignalPhase, link: &u16| phase.states.get(usize::from(*link)).is_some_and(|s| s.is_green());
    let phases = controller.phases.iter().enumerate();
    let fit = phases.filter(|(_, p)| !links.is_empty() && is_stage(p) && links.iter().all(|link| is_green(p, link)));
    fit.map(|(place, _)| place).collect()
}

/// Whether somebody's green ends without a yellow: that of people on foot.
fn loses_green(before: &SignalPhase, after: &SignalPhase) -> bool {
    let pairs = before.states.iter().zip(&after.states);
    pairs.into_iter().any(|(before, after)| before.is_green() && *after == SignalState::Red)
}

/// The phase to go to now, on the way to one of `goals`; `None` to stay.
fn next(controller: &SignalController, own: Own, goals: &[usize], least_s: f64, time_s: f64) -> Option<usize> {
    let phases = &controller.phases;
    let (phase, elapsed_s) = (&phases[own.phase], time_s - own.since_s + 1e-6);
    let after = (own.phase + 1) % phases.len();
    if is_stage(phase) {
        let needed_s = if own.clears_foot { CLEAR_FOOT_S } else { least_s };
        let is_there = goals.is_empty() || goals.contains(&own.phase);
        return (!is_there && elapsed_s >= needed_s.min(phase.duration_s)).then_some(after);
    }
    if elapsed_s < phase.duration_s {
        return None;
    }
    // Everybody has been stopped: whose turn it is does not matter any more.
    let ahead = |goal: &usize| (goal + phases.len() - after) % phases.len();
    Some(if is_stage(&phases[after]) { goals.iter().copied().min_by_key(ahead).unwrap_or(after) } else { after })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The junction of the shipped map: 0 to 35 s west and east (18 s with people on foot), then north and south.
    fn junction() -> (Arc<Roads>, SignalId, [u16; 2]) {
        let roads = Arc::new(Roads::shipped("masa").unwrap());
        let at = roads.signals.iter().position(|signal| signal.name == "centre").unwrap();
        let green = |phase: usize| {
            let states = &roads.signals[at].phases[phase].states;
            states.iter().position(|state| *state == SignalState::GreenMajor).unwrap() as u16
        };
        let links = [green(1), green(5)];
        (roads.clone(), SignalId(at as u32), links)
    }

    /// What the controller shows at each tenth of a second, as phases of its programme.
    struct Watch {
        control: PriorityControl,
        controller: SignalId,
        step: u64,
    }

    impl Watch {
        fn phase(&mut self, roads: &Roads) -> usize {
            let before = Snapshot { step: self.step, time_s: self.step as f64 * 0.1, ..Snapshot::default() };
            let states = &self.control.states(&before)[self.controller.index()];
            self.step += 1;
            let phases = &roads.signals[self.controller.index()].phases;
            phases.iter().position(|phase| phase.states == *states).expect("a phase of the programme")
        }

        /// Runs until a time; the phases that begin, and when.
        fn until(&mut self, roads: &Roads, time_s: f64) -> Vec<(f64, usize)> {
            let mut begun: Vec<(f64, usize)> = Vec::new();
            while (self.step as f64) * 0.1 < time_s - 1e-9 {
                let at_s = self.step as f64 * 0.1;
                let phase = self.phase(roads);
                if begun.last().is_none_or(|(_, last)| *last != phase) {
                    begun.push(((at_s * 10.0).round() / 10.0, phase));
                }
            }
            begun
        }
    }

    fn wish(controller: SignalId, link: u16, urgency: Urgency, arrives_s: f64) -> Option<GreenWish> {
        Some(GreenWish { controller, links: vec![link], urgency, arrives_s })
    }

    #[test]
    fn an_emergency_vehicle_gets_green_through_the_programmes_own_yellow_and_the_programme_goes_on_afterwards() {
        let (roads, controller, [east, _]) = junction();
        let mut watch = Watch { control: PriorityControl::new(roads.clone()), controller, step: 0 };
        // Phase 4, north and south with people on foot, begins at 35 s.
        assert_eq!(watch.until(&roads, 37.0), [(0.0, 0), (18.0, 1), (30.0, 2), (33.0, 3), (35.0, 4)]);
        assert!(watch.control.off_programme().is_empty());
        watch.control.wish(WishId(7), wish(controller, east, Urgency::Emergency, 60.0));
        // Five seconds of green, seven to clear the crossing, three of yellow, two of red.
        let served = watch.until(&roads, 70.0);
        assert_eq!(served[1..], [(40.0, 5), (47.0, 6), (50.0, 3), (52.0, 0)]);
        assert_eq!(watch.control.answers(), [(WishId(7), WishAnswer::Processing), (WishId(7), WishAnswer::Granted)]);
        assert_eq!(watch.control.off_programme(), [controller]);
        watch.control.wish(WishId(7), None);
        watch.until(&roads, 200.0);
        assert!(watch.control.off_programme().is_empty());
        let programme = roads.signals[controller.index()].phase_at(200.0).unwrap().0;
        assert_eq!(watch.phase(&roads), programme, "as if nothing had been");
    }

    #[test]
    fn a_bus_gets_a_little_more_green_and_not_again_at_once() {
        let (roads, controller, [east, _]) = junction();
        let mut watch = Watch { control: PriorityControl::new(roads.clone()), controller, step: 0 };
        watch.until(&roads, 20.0);
        watch.control.wish(WishId(1), wish(controller, east, Urgency::PublicTransport, 36.0));
        // The green would end at 30 s; it is held until the bus has passed.
        assert_eq!(watch.until(&roads, 37.0), [(20.0, 1)]);
        watch.control.wish(WishId(1), None);
        assert_eq!(watch.until(&roads, 37.5), [(37.0, 2)], "now the others");
        watch.control.wish(WishId(2), wish(controller, east, Urgency::PublicTransport, 45.0));
        watch.until(&roads, 50.0);
        let answers = watch.control.answers();
        assert!(answers.contains(&(WishId(2), WishAnswer::Locked)), "{answers:?}");
    }

    #[test]
    fn nobody_holds_the_others_for_ever_and_what_cannot_be_is_refused() {
        let (roads, controller, [east, north]) = junction();
        for (urgency, least_s, most_s) in [(Urgency::PublicTransport, 48.0, 50.0), (Urgency::Emergency, 126.0, 129.0)] {
            let mut watch = Watch { control: PriorityControl::new(roads.clone()), controller, step: 0 };
            watch.control.wish(WishId(1), wish(controller, east, urgency, 15.0));
            watch.until(&roads, 140.0);
            let answers = watch.control.answers();
            assert_eq!(answers, [(WishId(1), WishAnswer::Granted), (WishId(1), WishAnswer::TooLong)]);
            // The programme turns to the others at 30 s, back at 70 s, and to them again at 100 s. They have waited twelve
            // seconds at 42 s, sixty at 120 s; then people on foot get seven to leave the road.
            let mut again = Watch { control: PriorityControl::new(roads.clone()), controller, step: 0 };
            again.control.wish(WishId(1), wish(controller, east, urgency, 15.0));
            let begun = again.until(&roads, 140.0);
            let ended_s = begun.iter().find(|(_, phase)| *phase == 2).map(|(at_s, _)| *at_s).unwrap();
            assert!((least_s..most_s).contains(&ended_s), "{urgency:?} {begun:?}");
        }
        let mut watch = Watch { control: PriorityControl::new(roads.clone()), controller, step: 0 };
        let both = GreenWish { controller, links: vec![east, north], urgency: Urgency::Emergency, arrives_s: 5.0 };
        watch.control.wish(WishId(3), Some(both));
        watch.until(&roads, 5.0);
        assert_eq!(watch.control.answers(), [(WishId(3), WishAnswer::Rejected)]);
        assert!(watch.control.off_programme().is_empty());
    }
}
