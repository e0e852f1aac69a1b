use super::super::camera_model::CameraPose;
use super::super::lens::Intrinsics;
use super::*;
use crate::perception::ground::extent_of;
use masa_inference::ObjectClass;

const SIZE: [u32; 2] = [640, 384];
const FRAME_MS: i64 = 100;

fn surveyed() -> CameraModel {
    let pose = CameraPose { position_m: [14.5, -13.5, 7.0], yaw_deg: 148.0, pitch_deg: -13.0, roll_deg: 0.0 };
    CameraModel::new(&pose, &Intrinsics::pinhole(SIZE, 457.0), SIZE)
}

/// A street from east to west with a lane each way, and one that comes from the north.
fn lanes() -> Vec<LaneLine> {
    let lane = |points_m: &[[f64; 2]]| LaneLine { points_m: points_m.to_vec(), width_m: 3.2, turn: None };
    vec![
        lane(&[[-120.0, -1.6], [60.0, -1.6]]),
        lane(&[[60.0, 1.6], [-120.0, 1.6]]),
        lane(&[[-12.0, 90.0], [-12.0, 3.0]]),
    ]
}

/// A generator of numbers between −1 and 1 that is the same each time.
struct Luck(u64);

impl Luck {
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

struct Vehicle {
    lane: usize,
    enters_ms: i64,
    beside_m: f64,
    stated_off_m: [f64; 2],
}

/// What is common to a run.
struct Traffic {
    vehicles: Vec<Vehicle>,
    connected: bool,
    luck: Luck,
}

impl Traffic {
    fn new(connected: bool) -> Self {
        let mut luck = Luck(7);
        let vehicle = |i: i64| Vehicle {
            lane: (i % 3) as usize,
            enters_ms: i * 1_500,
            beside_m: 0.45 * luck.draw(),
            stated_off_m: [1.2 * luck.draw(), 1.2 * luck.draw()],
        };
        Self { vehicles: (0..90).map(vehicle).collect(), connected, luck: Luck(11) }
    }

    /// What a camera shows, and the connected vehicles say, at a time.
    fn at(&mut self, camera: &CameraModel, ms: i64) -> (Vec<SeenVehicle>, Vec<StatedVehicle>) {
        const SPEED_MPS: f64 = 9.0;
        let (mut seen, mut stated) = (Vec::new(), Vec::new());
        for (number, vehicle) in self.vehicles.iter().enumerate() {
            let lane = &lanes()[vehicle.lane];
            let [a, b] = [lane.points_m[0], lane.points_m[1]].map(Vector2::from);
            let (along, driven_m) = ((b - a).normalize(), (ms - vehicle.enters_ms) as f64 * 1e-3 * SPEED_MPS);
            if !(0.0..(b - a).norm()).contains(&driven_m) {
                continue;
            }
            let middle = a + along * driven_m + Vector2::new(-along.y, along.x) * vehicle.beside_m;
            let mut car = SeenVehicle {
                track_id: number as u32 + 1,
                pixel: [0.0; 2],
                sigma_px: 2.0,
                extent: extent_of(ObjectClass::Car),
                speed_mps: SPEED_MPS,
                yaw_rad: along.y.atan2(along.x),
            };
            let [e, n] = [middle.x + vehicle.stated_off_m[0], middle.y + vehicle.stated_off_m[1]];
            if self.connected {
                let position = Enu::ground(e + 2.2 * along.x, n + 2.2 * along.y);
                stated.push(StatedVehicle {
                    station: car.track_id,
                    position,
                    speed_mps: SPEED_MPS,
                    yaw_rad: car.yaw_rad,
                });
            }
            let Some(pixel) = footing::lower_middle(camera, middle, 0.0, car.yaw_rad, &car.extent) else { continue };
            let pixel = pixel + Vector2::new(self.luck.draw(), self.luck.draw()) * 2.5;
            if (0.0..640.0).contains(&pixel.x)
                && (0.0..380.0).contains(&pixel.y)
                && (middle - Vector2::new(14.5, -13.5)).norm() < 70.0
            {
                car.pixel = pixel.into();
                seen.push(car);
            }
        }
        (seen, stated)
    }
}

fn watched(policy: DriftPolicy) -> OnlinePose {
    let mut online = OnlinePose::new(OnlinePoseSettings { policy, ..OnlinePoseSettings::default() }, surveyed(), 0.0);
    online.set_lanes(lanes());
    online
}

/// Lets traffic pass before a camera that is turned at 60 s; returns when the alarm came and when positions were corrected,
/// seconds after that, and the watch 60 s after it.
fn run(turn_deg: [f64; 3], connected: bool, policy: DriftPolicy) -> (Option<f64>, Option<f64>, OnlinePose) {
    let turn = Vector3::from(turn_deg).map(f64::to_radians);
    let (mut online, mut traffic) = (watched(policy), Traffic::new(connected));
    let (mut alarm, mut corrected) = (None, None);
    for ms in (0..120_000).step_by(FRAME_MS as usize) {
        let camera = if ms < 60_000 { surveyed() } else { surveyed().turned(turn) };
        let (seen, stated) = traffic.at(&camera, ms);
        let after_s = (ms - 60_000) as f64 * 1e-3;
        let is_corrected = online.see(Timestamp::from_unix_ms(ms), &seen, &stated);
        alarm = alarm.or(online.drift().map(|_| after_s));
        corrected = corrected.or(is_corrected.then_some(after_s));
    }
    (alarm, corrected, online)
}

fn error_deg(online: &OnlinePose, turn_deg: [f64; 3]) -> f64 {
    let corrected = online.drift().and_then(|drift| drift.corrected_rad).unwrap_or_default();
    (corrected.map(f64::to_degrees) - Vector3::from(turn_deg)).norm()
}

#[test]
fn a_camera_turned_by_two_degrees_is_noticed_and_then_corrected() {
    for (turn_deg, connected) in
        [([0.0, 2.0, 0.0], false), ([0.0, -2.0, 0.0], true), ([1.4, 1.4, 0.0], false), ([-1.2, 1.2, 1.0], true)]
    {
        let (alarm, corrected, online) = run(turn_deg, connected, DriftPolicy::Correct);
        let said = online.drift().map(PoseDrift::words);
        let (alarm, corrected) =
            (alarm.expect("an alarm"), corrected.unwrap_or_else(|| panic!("{turn_deg:?}: {said:?}")));
        assert!(alarm > 0.0 && corrected >= alarm + 3.0 && corrected < 60.0, "{turn_deg:?}: {alarm} {corrected}");
        assert!(error_deg(&online, turn_deg) <= 0.2, "{turn_deg:?}: {said:?}");
        eprintln!("{turn_deg:?} alarm after {alarm:.1} s, corrected after {corrected:.1} s: {said:?}");
    }
}

#[test]
fn a_camera_that_stands_still_is_left_alone() {
    for connected in [false, true] {
        let (alarm, corrected, online) = run([0.0; 3], connected, DriftPolicy::Correct);
        assert_eq!((alarm, corrected), (None, None), "{:?}", online.drift());
        let estimate = online.estimate().unwrap();
        assert!(estimate.turn_rad.norm().to_degrees() < 0.3 && estimate.vehicles > 10, "{estimate:?}");
    }
}

#[test]
fn an_alarm_alone_corrects_nothing() {
    let (alarm, corrected, online) = run([0.0, 2.0, 0.0], false, DriftPolicy::Alarm);
    assert!(alarm.is_some() && corrected.is_none());
    let words = online.drift().unwrap().words();
    assert!(words.contains("to the right") && words.contains("positions are wrong"), "{words}");
}

#[test]
fn without_lanes_and_stations_nothing_is_said() {
    let (mut online, mut traffic) = (watched(DriftPolicy::Correct), Traffic::new(false));
    online.set_lanes(Vec::new());
    for ms in (0..60_000).step_by(FRAME_MS as usize) {
        let (seen, stated) = traffic.at(&surveyed().turned(Vector3::new(0.0, 0.03, 0.0)), ms);
        assert!(!online.see(Timestamp::from_unix_ms(ms), &seen, &stated));
    }
    assert!(online.drift().is_none());
    let sigma_deg = online.estimate().map(|e| e.sigma_rad().to_degrees());
    assert!(sigma_deg.is_none_or(|sigma| sigma > 2.0), "{sigma_deg:?}");
}

#[test]
fn a_shift_of_the_pictures_forgets_what_was_before_and_tells_the_turn() {
    const TURN_DEG: [f64; 3] = [0.2, 2.0, 0.4];
    let (mut online, mut traffic) = (watched(DriftPolicy::Correct), Traffic::new(false));
    let at = Timestamp::from_unix_ms;
    let turned = surveyed().turned(Vector3::from(TURN_DEG).map(f64::to_radians));
    let patches = picture::tests::patches(&surveyed(), &turned);
    let mut corrected_ms = None;
    for ms in (0..60_000).step_by(FRAME_MS as usize) {
        let camera = if ms < 40_000 { surveyed() } else { turned };
        let (seen, stated) = traffic.at(&camera, ms);
        // 2° to the right: what was in the middle is 457 px · tan 2° further left.
        online.picture_moved((ms >= 42_000).then_some((at(42_000), [-16.0, 1.6])), &patches);
        if ms == 42_000 {
            assert!(online.window.since(at(0)).is_empty());
        }
        let corrects = online.see(at(ms), &seen, &stated);
        corrected_ms = corrected_ms.or(corrects.then_some(ms));
    }
    assert!((45_000..50_000).contains(&corrected_ms.unwrap()), "{corrected_ms:?}");
    assert!(error_deg(&online, TURN_DEG) < 0.1, "{:?}", online.drift().map(PoseDrift::words));
}

#[test]
fn pictures_alone_are_enough() {
    let mut online = watched(DriftPolicy::Correct);
    let patches = picture::tests::patches(&surveyed(), &surveyed().turned(Vector3::new(-0.03, 0.0, 0.01)));
    let corrects = (0..100).map(|frame| Timestamp::from_unix_ms(frame * FRAME_MS)).find(|at| {
        online.picture_moved(Some((Timestamp::from_unix_ms(0), [0.0, -13.7])), &patches);
        online.see(*at, &[], &[])
    });
    assert!(corrects.is_some_and(|at| at.unix_ms() > 3_000), "{corrects:?}");
    assert!(error_deg(&online, [-0.03, 0.0, 0.01].map(f64::to_degrees)) < 0.1, "{:?}", online.drift());
}
