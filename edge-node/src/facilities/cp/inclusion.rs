//! Which objects a CPM speaks of: TS 103 324 6.1.2.3.

use super::CpSettings;
use crate::world::RoadUser;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use std::f64::consts::{PI, TAU};

/// The standard's two groups of objects, which have rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ObjectType {
    /// Pedestrians, cyclists and light vehicles, animals, and what is neither vehicle nor vulnerable road user.
    A,
    /// Vehicles and motorcyclists.
    B,
}

impl ObjectType {
    pub(super) fn of(class: ObjectClass) -> Self {
        match class {
            ObjectClass::Person
            | ObjectClass::Bicycle
            | ObjectClass::EScooter
            | ObjectClass::Animal
            | ObjectClass::Obstacle => Self::A,
            ObjectClass::Motorcycle
            | ObjectClass::Car
            | ObjectClass::Van
            | ObjectClass::Truck
            | ObjectClass::Bus
            | ObjectClass::Tram => Self::B,
        }
    }

    /// After how long without inclusion an object must be included again, milliseconds.
    pub(super) fn max_interval_ms(self, settings: &CpSettings) -> i64 {
        match self {
            Self::A => i64::from(settings.t_gen_cpm_max_ms) / 2,
            Self::B => i64::from(settings.t_gen_cpm_max_ms),
        }
    }
}

/// Why an object is included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    New,
    PositionChanged,
    SpeedChanged,
    OrientationChanged,
    IntervalElapsed,
    /// It will have elapsed by the next generation.
    IntervalEnds,
    /// The newest frame no longer shows it, and what the one before showed has not been sent.
    LastSeen,
    /// Another object of type A was due.
    WithOthersOfTypeA,
}

impl Rule {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::PositionChanged => "position changed",
            Self::SpeedChanged => "speed changed",
            Self::OrientationChanged => "direction changed",
            Self::IntervalElapsed => "interval elapsed",
            Self::IntervalEnds => "interval about to elapse",
            Self::LastSeen => "last seen and not yet sent",
            Self::WithOthersOfTypeA => "with another vulnerable object",
        }
    }
}

/// What was last sent of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Included {
    pub(super) at: Timestamp,
    /// Of the newest frame that showed it.
    captured_at: Option<Timestamp>,
    position: Enu,
    speed_mps: f64,
    yaw_rad: Option<f64>,
}

impl Included {
    pub(super) fn now(user: &RoadUser, at: Timestamp) -> Self {
        let (captured_at, speed_mps) = (user.captured_at(), user.speed_mps());
        Self { at, captured_at, position: user.position, speed_mps, yaw_rad: user.yaw_rad }
    }
}

/// The first rule of TS 103 324 6.1.2.3 by which an object is due at `now`, on its own account. Whom no newest frame shows is
/// neither new nor changed: where it would be by now, receivers know from what was sent. Its interval elapses all the same. Whom a
/// frame has just shown does not wait for that, when there is no other generation before: the standard says how rarely an object
/// may be sent, and the freshest picture is worth most. For the same reason what was seen last of one who vanishes goes out at once.
pub(super) fn due(user: &RoadUser, last: Option<&Included>, now: Timestamp, settings: &CpSettings) -> Option<Rule> {
    let Some(last) = last else { return user.is_seen().then_some(Rule::New) };
    let kind = ObjectType::of(user.class);
    let turned = |a: f64, b: f64| ((a - b + PI).rem_euclid(TAU) - PI).abs();
    if kind == ObjectType::B && user.is_seen() {
        if user.position.ground_distance_m(&last.position) > settings.min_position_change_m {
            return Some(Rule::PositionChanged);
        }
        if (user.speed_mps() - last.speed_mps).abs() > settings.min_ground_speed_change_mps {
            return Some(Rule::SpeedChanged);
        }
        let limit_rad = settings.min_ground_velocity_orientation_change_deg.to_radians();
        if user.yaw_rad.zip(last.yaw_rad).is_some_and(|(a, b)| turned(a, b) >= limit_rad) {
            return Some(Rule::OrientationChanged);
        }
    }
    let due_at = last.at.plus_ms(kind.max_interval_ms(settings));
    if now >= due_at {
        return Some(Rule::IntervalElapsed);
    }
    // By the time its interval elapses, what was seen of it would be older by all of that.
    if !user.is_seen() && user.captured_at() > last.captured_at {
        return Some(Rule::LastSeen);
    }
    // With the frame that shows it, rather than when the picture is older by up to a generation.
    let is_fresh = user.is_seen() && user.updated_at == now;
    (is_fresh && now.plus_ms(i64::from(settings.t_gen_cpm_min_ms)) >= due_at).then_some(Rule::IntervalEnds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use crate::world::fixture::{CAMERA, at, frame, track};
    use std::collections::BTreeMap;

    /// A road user that was included at 0 ms at the origin with 10 m/s to the east, `ms` later.
    fn user(class: ObjectClass, e_m: f64, speed_mps: f64, yaw_deg: f64, ms: i64) -> RoadUser {
        let mut world = World::new(crate::world::WorldSettings::default(), BTreeMap::new());
        let (sin, cos) = yaw_deg.to_radians().sin_cos();
        let moving = crate::perception::GroundTrack {
            velocity_e_mps: speed_mps * cos,
            velocity_n_mps: speed_mps * sin,
            yaw_rad: Some(yaw_deg.to_radians()),
            ..track(1, class, [e_m, 0.0], ms)
        };
        world.see_frame(CAMERA, &frame(ms), &[moving], at(ms));
        world.users()[0].clone()
    }

    #[test]
    fn an_interval_that_is_about_to_end_counts_with_the_frame_that_shows_the_object_only() {
        let settings = CpSettings::default();
        let sent = Included::now(&user(ObjectClass::Person, 0.0, 1.0, 0.0, 0), at(0));
        let seen = user(ObjectClass::Person, 0.5, 1.0, 0.0, 450);
        assert_eq!(due(&seen, Some(&sent), at(450), &settings), Some(Rule::IntervalEnds));
        assert_eq!(due(&seen, Some(&sent), at(480), &settings), None, "an older picture waits for its time");
        assert_eq!(due(&seen, Some(&sent), at(500), &settings), Some(Rule::IntervalElapsed));
    }

    #[test]
    fn what_was_seen_last_of_one_who_vanishes_goes_out_at_once_and_once() {
        use crate::perception::TrackState;
        let settings = CpSettings::default();
        let sent = Included::now(&user(ObjectClass::Animal, 0.0, 3.0, 0.0, 0), at(0));
        let mut deer = user(ObjectClass::Animal, 0.6, 3.0, 0.0, 200);
        assert_eq!(due(&deer, Some(&sent), at(200), &settings), None);
        deer.sights.iter_mut().for_each(|sight| sight.state = TrackState::Coasting);
        assert_eq!(due(&deer, Some(&sent), at(300), &settings), Some(Rule::LastSeen));
        let sent = Included::now(&deer, at(300));
        assert_eq!(due(&deer, Some(&sent), at(400), &settings), None);
    }

    #[test]
    fn who_is_only_predicted_is_neither_new_nor_changed() {
        use crate::perception::TrackState;
        let settings = CpSettings::default();
        let mut car = user(ObjectClass::Car, 0.0, 10.0, 0.0, 0);
        let sent = Included::now(&car, at(0));
        car.sights.iter_mut().for_each(|sight| sight.state = TrackState::Coasting);
        car.position.e_m = 5.0;
        assert_eq!(due(&car, None, at(500), &settings), None);
        assert_eq!(due(&car, Some(&sent), at(500), &settings), None);
        assert_eq!(due(&car, Some(&sent), at(1_000), &settings), Some(Rule::IntervalElapsed));
        car.sights.iter_mut().for_each(|sight| sight.state = TrackState::Confirmed);
        assert_eq!(due(&car, None, at(500), &settings), Some(Rule::New));
        assert_eq!(due(&car, Some(&sent), at(500), &settings), Some(Rule::PositionChanged));
    }

    #[test]
    fn inclusion_follows_ts_103_324_6_1_2_3() {
        use ObjectClass::{Animal, Bicycle, Car, Motorcycle, Obstacle, Person};
        use Rule::{IntervalElapsed, IntervalEnds, OrientationChanged, PositionChanged, SpeedChanged};
        let settings = CpSettings::default();
        for (class, e_m, speed_mps, yaw_deg, ms, expected) in [
            // Type B, rules b to e.
            (Car, 0.0, 10.0, 0.0, 899, None),
            (Car, 0.0, 10.0, 0.0, 900, Some(IntervalEnds)),
            (Car, 4.0, 10.0, 0.0, 400, None),
            (Car, 4.01, 10.0, 0.0, 401, Some(PositionChanged)),
            (Car, 0.0, 10.49, 0.0, 400, None),
            (Car, 0.0, 10.51, 0.0, 400, Some(SpeedChanged)),
            (Car, 0.0, 9.49, 0.0, 400, Some(SpeedChanged)),
            (Car, 0.0, 10.0, 3.99, 400, None),
            (Car, 0.0, 10.0, 4.0, 400, Some(OrientationChanged)),
            (Car, 0.0, 10.0, -4.0, 400, Some(OrientationChanged)),
            (Car, 0.0, 10.0, 359.0, 400, None),
            (Car, 0.0, 10.0, 0.0, 1_000, Some(IntervalElapsed)),
            (Motorcycle, 4.5, 10.0, 0.0, 450, Some(PositionChanged)),
            // Type A: only the interval, half as long.
            (Person, 9.0, 3.0, 90.0, 399, None),
            (Person, 9.0, 3.0, 90.0, 400, Some(IntervalEnds)),
            (Person, 0.0, 10.0, 0.0, 500, Some(IntervalElapsed)),
            (Bicycle, 0.0, 10.0, 0.0, 500, Some(IntervalElapsed)),
            (Animal, 0.0, 10.0, 0.0, 500, Some(IntervalElapsed)),
            (Obstacle, 0.0, 10.0, 0.0, 500, Some(IntervalElapsed)),
        ] {
            let last = Included::now(&user(class, 0.0, 10.0, 0.0, 0), at(0));
            let now = user(class, e_m, speed_mps, yaw_deg, ms);
            let got = due(&now, Some(&last), at(ms), &settings);
            assert_eq!(got, expected, "{class:?} {e_m} m {speed_mps} m/s {yaw_deg}° {ms} ms");
            assert_eq!(due(&now, None, at(ms), &settings), Some(Rule::New));
        }
    }
}
