//! Criteria of signals.

use super::{Case, Finding};
use masa_v2x_proto::MessageKind;

/// The signal ahead of an actor turns green soon after it has asked for it, and is green when the actor passes.
pub(super) fn green(case: &Case<'_>, name: &str, within_s: f64) -> Finding {
    let expected = format!("green at most {within_s} s after {name} has asked, and when it passes the stop line");
    let fail = |actual: &str, at_s: Option<f64>| Finding {
        passed: false,
        expected: expected.clone(),
        actual: actual.to_owned(),
        at_s,
        station: None,
    };
    let station = case.trace.station(name);
    let asked = case.trace.sent.iter().find(|sent| Some(sent.station) == station && sent.kind == MessageKind::Srem);
    let Some(asked_s) = asked.map(|sent| sent.at_s) else { return fail("it never asked", None) };
    let Some(way) = case.way_of(name) else { return fail("it has no way", None) };
    let after = case.track(name).into_iter().filter(|(at_s, _)| *at_s >= asked_s - 1e-9);
    let fronts: Vec<(f64, f64)> = after
        .filter_map(|(at_s, actor)| {
            let s_m = way.line.project(actor.pose.position.xy())?.s_m;
            Some((at_s, s_m + actor.size.length_m / 2.0))
        })
        .collect();
    let first_m = fronts.first().map_or(0.0, |(_, front_m)| *front_m);
    let Some((line_m, controller, link)) = way.signals.iter().find(|(line_m, ..)| *line_m > first_m) else {
        return fail("no signal is ahead", Some(asked_s));
    };
    let is_green = |at_s: f64| {
        let state = case.trace.at(at_s).and_then(|snapshot| snapshot.signal(*controller, *link));
        state.is_some_and(|state| state.is_green())
    };
    let Some(green_s) = fronts.iter().map(|(at_s, _)| *at_s).find(|at_s| is_green(*at_s)) else {
        return fail("never green", Some(asked_s));
    };
    let Some(passes_s) = fronts.iter().find(|(_, front_m)| front_m > line_m).map(|(at_s, _)| *at_s) else {
        return fail("it never passed the stop line", Some(green_s));
    };
    let passes_green = is_green(passes_s);
    let waited_s = green_s - asked_s;
    Finding {
        passed: waited_s <= within_s && passes_green,
        expected,
        actual: format!(
            "asked at {asked_s:.2} s, green {waited_s:.2} s later, passed at {passes_s:.2} s {}",
            if passes_green { "at green" } else { "not at green" }
        ),
        at_s: Some(green_s),
        station: None,
    }
}
