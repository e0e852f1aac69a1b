//! Situations that the world model finds, as events: each is announced, kept up to date and withdrawn like one that a service
//! asks for (EN 302 637-3 5.4.1), with the road users that show it as its causes.
//!
//! A standing vehicle and a person on the road have triggers of their own ([`super::condition`]), a near miss is over before
//! anybody could heed it: no event.

use super::DenSettings;
use super::message::approaches;
use super::requested::RequestedEvents;
use crate::event::{DenAction, DenRequest, EventReport, Traffic};
use crate::facilities::Scene;
use crate::world::Drops;
use crate::world::situation::{Situation, SituationKind};
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Enu, yaw_to_heading_rad};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Who asks for these events.
const APPLICATION: &str = "situation";

/// An event of a situation and what was last said of it.
#[derive(Clone, Copy, Debug)]
struct Announced {
    kind: SituationKind,
    at: Timestamp,
    place: Enu,
}

/// Keeps the events of situations in step with them.
#[derive(Clone, Debug, Default)]
pub(super) struct SituationEvents {
    /// By the number of the situation.
    announced: BTreeMap<u32, Announced>,
}

impl SituationEvents {
    /// Asks for what has become of each situation since the last time.
    pub(super) fn evaluate(
        &mut self,
        scene: &Scene<'_>,
        settings: &DenSettings,
        requested: &mut RequestedEvents,
        drops: &mut Drops,
    ) {
        let told = |situation: &&Situation| {
            settings.situations.contains(&situation.kind) && situation.confidence >= settings.min_situation_confidence
        };
        self.announced.retain(|number, known| {
            let goes_on = scene.situations.situations().any(|situation| situation.number == *number);
            if !goes_on {
                requested.request(request(known.kind, *number, DenAction::Withdraw), Vec::new(), drops);
            }
            goes_on
        });
        for situation in scene.situations.situations() {
            let Some((cause_code, sub_cause_code)) = cause(situation) else { continue };
            let known = self.announced.get(&situation.number);
            let is_due = match known {
                None => told(&situation),
                Some(known) => is_news(known, situation, scene.now, settings),
            };
            if !is_due {
                continue;
            }
            let announced = Announced { kind: situation.kind, at: scene.now, place: situation.place };
            self.announced.insert(situation.number, announced);
            let report = EventReport {
                cause_code,
                sub_cause_code,
                information_quality: 1 + (situation.confidence.clamp(0.0, 1.0) * 6.0) as u8,
                position: scene.station.frame.to_wgs84(situation.place),
                covariance: situation.covariance,
                heading_deg: situation.yaw_rad.map(|yaw_rad| yaw_to_heading_rad(yaw_rad).to_degrees()),
                speed_mps: situation.speed_mps,
                awareness_distance_m: settings.awareness_distance_m,
                traffic: Traffic::All,
                validity_s: settings.validity_duration_s,
                repetition_interval_ms: settings.repetition_interval_ms,
                traces: approaches(situation.place, scene.map, scene.station),
            };
            let causes = situation.evidence.iter().cloned().collect();
            requested.request(request(situation.kind, situation.number, DenAction::Report(report)), causes, drops);
        }
    }
}

/// Whether receivers should hear anew of a situation: it has moved, or what they know runs out.
fn is_news(known: &Announced, situation: &Situation, now: Timestamp, settings: &DenSettings) -> bool {
    let half_validity_ms = i64::from(settings.validity_duration_s) * 500;
    let has_moved = situation.place.ground_distance_m(&known.place) > settings.update_distance_m;
    (has_moved && now >= known.at.plus_ms(i64::from(settings.update_interval_ms)))
        || now >= known.at.plus_ms(half_validity_ms)
}

fn request(kind: SituationKind, number: u32, action: DenAction) -> DenRequest {
    DenRequest { application: format!("{APPLICATION} {}", kind.name()), event: number, action }
}

/// `CauseCodeType` and its sub cause (TS 102 894-2) of the kinds that warrant an event.
fn cause(situation: &Situation) -> Option<(u8, u8)> {
    Some(match situation.kind {
        SituationKind::WrongWay => (14, 2),
        SituationKind::RedLight => (98, 2),
        SituationKind::ObjectOnRoad if situation.class == ObjectClass::Animal => (11, 0),
        SituationKind::ObjectOnRoad => (10, 0),
        SituationKind::QueueTail => (27, 0),
        SituationKind::Congestion => (1, 5),
        SituationKind::FallenPerson => (12, 4),
        SituationKind::StoppedVehicle | SituationKind::PersonOnRoad | SituationKind::NearMiss => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facilities::Content;
    use crate::facilities::den::DenService;
    use crate::facilities::fixture::Street;
    use crate::world::fixture::{CAMERA, at, frame, track};
    use crate::world::situation::Lights;
    use ObjectClass::{Animal, Obstacle};
    use masa_v2x_proto::denm::Termination;

    /// Time, cause and objects of each DENM while something lies on the road for four seconds; no cause when it is withdrawn.
    fn told(class: ObjectClass, settings: DenSettings) -> Vec<(i64, Option<u8>, usize)> {
        let (mut street, mut service) = (Street::new(), DenService::new(settings));
        let mut told = Vec::new();
        for ms in (0..8_000).step_by(100) {
            let lies = (ms < 4_000).then(|| track(1, class, [10.0, 0.0], ms));
            street.world.see_frame(CAMERA, &frame(ms), lies.as_slice(), at(ms));
            street.situations.update(&street.world, &street.map, &Lights::new(), at(ms));
            for draft in street.wake(&mut service, ms) {
                let Content::Denm(denm) = &draft.content else { panic!("{draft:?}") };
                let is_over = denm.denm.management.termination == Some(Termination::IsCancellation);
                let code = denm.denm.situation.as_ref().map(|situation| situation.event_type.code());
                assert_eq!(is_over, code.is_none());
                told.push((ms, code, draft.provenance.objects.len()));
            }
        }
        told
    }

    #[test]
    fn an_object_on_the_road_is_an_event_with_its_object_as_cause_until_it_is_gone() {
        for (class, code) in [(Obstacle, 10), (Animal, 11)] {
            let told = told(class, DenSettings::default());
            assert_eq!(told[0], (2_000, Some(code), 1), "{class:?}");
            let over: Vec<_> = told.iter().filter(|(_, code, _)| code.is_none()).map(|(ms, ..)| *ms).collect();
            // Unseen from 4 s on, over two seconds later, and said twice more.
            assert_eq!(over, [6_000, 7_000], "{class:?}: {told:?}");
        }
    }

    #[test]
    fn what_is_not_chosen_or_not_sure_enough_is_no_event() {
        for settings in [
            DenSettings { situations: vec![SituationKind::WrongWay], ..DenSettings::default() },
            DenSettings { min_situation_confidence: 0.99, ..DenSettings::default() },
        ] {
            assert_eq!(told(Obstacle, settings), []);
        }
    }
}
