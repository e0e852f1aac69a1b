//! The criterion of what a node knew of where its camera looks.

use super::{Case, Finding};
use crate::run::camera::{surveyed, turn_error_deg};

/// The last pictures of a run may not reach the node any more, seconds.
const UNDER_WAY_S: f64 = 0.5;

pub(super) fn camera_pose(
    case: &Case<'_>,
    station: &str,
    camera: &str,
    [since_s, within_s]: [f64; 2],
    within_deg: f64,
) -> Finding {
    let index = case.trace.station(station);
    let settings = case.scenario.stations.iter().find(|known| known.id == station);
    let place = settings.and_then(|known| known.cameras.iter().position(|known| known.id == camera));
    let finding = |passed: bool, actual: String, at_s: Option<f64>| Finding {
        passed,
        expected: format!("within {within_deg}° from {within_s} s after {since_s} s on, and the alarm first"),
        actual,
        at_s,
        station: Some(station.to_owned()),
    };
    let Some((settings, place)) = settings.zip(place) else {
        return finding(false, format!("there is no camera {station}/{camera}"), None);
    };
    let model = surveyed(&settings.cameras[place]);
    let frames = || case.trace.frames.iter().filter(|frame| Some(frame.station) == index && frame.camera == place);
    let corrected_s = frames().find(|frame| frame.corrected_rad.is_some()).map(|frame| frame.captured_s);
    let is_alarm = |problem: &str| problem.strip_prefix("camera-moved").is_some_and(|rest| rest.trim() == camera);
    let alarm_s = case.trace.health.iter().find(|h| Some(h.station) == index && is_alarm(&h.problem)).map(|h| h.from_s);
    let judged_s = since_s + within_s..case.scenario.duration_s - UNDER_WAY_S;
    let errors = frames().filter(|frame| judged_s.contains(&frame.captured_s)).map(|frame| {
        let turn_rad = frame.corrected_rad.unwrap_or_default();
        (turn_error_deg(&model, frame.broken.turned, turn_rad), frame.captured_s)
    });
    let (Some(alarm_s), Some(corrected_s)) = (alarm_s, corrected_s) else {
        return finding(false, format!("alarm at {alarm_s:?} s, corrected at {corrected_s:?} s"), alarm_s);
    };
    let Some((worst_deg, at_s)) = errors.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return finding(false, format!("the run ends before {:.0} s", since_s + within_s), None);
    };
    let is_in_order = since_s <= alarm_s && alarm_s < corrected_s;
    let (alarm_after_s, corrected_after_s) = (alarm_s - since_s, corrected_s - since_s);
    let words = format!(
        "alarm after {alarm_after_s:.1} s, corrected after {corrected_after_s:.1} s, then at most {worst_deg:.2}° off"
    );
    finding(is_in_order && worst_deg <= within_deg, words, Some(at_s))
}
