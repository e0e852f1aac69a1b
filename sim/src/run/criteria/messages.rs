//! Criteria of what was said and heard.

use super::{Case, Finding};
use crate::run::trace::Sent;
use masa_v2x_proto::MessageKind;
use std::collections::BTreeMap;

/// Nearer to a way than this is on it, metres.
const ON_WAY_M: f64 = 1.7;
/// A message larger than this could hold a picture, bytes.
const LARGEST_MESSAGE: usize = 4_096;

/// Every recipient has received a message about the actor, early enough before arriving at it.
pub(super) fn warned(case: &Case<'_>, recipients: &[String], about: &str, at_least_s: f64, by: &[String]) -> Finding {
    let mut worst: Option<Finding> = None;
    for name in recipients {
        let finding = one_warned(case, name, about, at_least_s, by);
        if worst.as_ref().is_none_or(|worst| worst.passed) {
            worst = Some(finding);
        }
    }
    worst.unwrap_or(Finding {
        passed: false,
        expected: "a recipient".into(),
        actual: "none".into(),
        at_s: None,
        station: None,
    })
}

fn one_warned(case: &Case<'_>, name: &str, about: &str, at_least_s: f64, by: &[String]) -> Finding {
    let kinds = if by.is_empty() { "message".to_owned() } else { by.join(" or ").to_uppercase() };
    let expected = format!("{name} has a {kinds} about {about} at least {at_least_s} s before arriving at it");
    let end_s = case.trace.snapshots.last().map_or(0.0, |s| s.time_s);
    let fail = |actual: String, at_s: f64| Finding {
        passed: false,
        expected: expected.clone(),
        actual,
        at_s: Some(at_s),
        station: None,
    };
    let (Some(target), Some(station)) = (case.ids.get(about), case.trace.station(name)) else {
        return fail("no such station on board".into(), 0.0);
    };
    let counts = |sent: &Sent| {
        (by.is_empty() || by.iter().any(|kind| kind == sent.kind.name())) && case.trace.is_about(sent, *target)
    };
    let first = case.trace.received.iter().find(|reception| {
        reception.station == station
            && reception.trusted
            && reception.sent.is_some_and(|sent| counts(&case.trace.sent[sent]))
    });
    let nearest_s = nearest(case, name, about).unwrap_or(end_s);
    let Some(first) = first else { return fail("never received one".into(), nearest_s) };
    let Some(left_s) = time_to_arrival(case, name, about, first.at_s) else {
        return fail(format!("received at {:.2} s, but they never come to each other", first.at_s), first.at_s);
    };
    let sent = first.sent.map(|sent| &case.trace.sent[sent]);
    let id = sent.map_or_else(String::new, |sent| sent.id.clone());
    Finding {
        passed: left_s >= at_least_s,
        expected,
        actual: format!("{id} received at {:.2} s, {left_s:.2} s before", first.at_s),
        at_s: Some(first.at_s),
        station: sent.map(|sent| case.trace.stations[sent.station].name.clone()),
    }
}

/// When the two were nearest to each other.
fn nearest(case: &Case<'_>, a: &str, b: &str) -> Option<f64> {
    let (a, b) = (case.ids.get(a)?, case.ids.get(b)?);
    let apart =
        case.trace.snapshots.iter().filter_map(|s| {
            Some((s.time_s, (s.actor(*a)?.pose.position.xy() - s.actor(*b)?.pose.position.xy()).norm()))
        });
    apart.min_by(|x, y| x.1.total_cmp(&y.1)).map(|(at_s, _)| at_s)
}

/// Seconds until the recipient, at its speed at `at_s`, would come to where the other is or gets in its way.
fn time_to_arrival(case: &Case<'_>, recipient: &str, about: &str, at_s: f64) -> Option<f64> {
    let snapshot = case.trace.at(at_s)?;
    let own = snapshot.actor(*case.ids.get(recipient)?)?;
    let way = case.way_of(recipient)?.line;
    let here_m = way.project(own.pose.position.xy())?.s_m;
    let front_m = here_m + own.size.length_m / 2.0;
    let speed_mps = own.speed_mps.max(0.5);
    let other = *case.ids.get(about)?;
    if let Some(there) = snapshot.actor(other) {
        let at = way.project(there.pose.position.xy())?;
        if at.offset_m.abs() <= ON_WAY_M && at.s_m > front_m {
            let along = way.at(at.s_m)?.yaw_rad;
            let along_mps = there.speed_mps * (there.pose.yaw_rad - along).cos();
            let closing_mps = speed_mps - along_mps;
            return Some((at.s_m - there.size.length_m / 2.0 - front_m).max(0.0) / closing_mps.max(0.1));
        }
    }
    // It is not in the way yet: the first place where it will be, or comes nearest to it.
    let later = case.trace.snapshots.iter().filter(|s| s.time_s >= at_s).filter_map(|s| {
        let p = s.actor(other)?.pose.position.xy();
        way.project(p)
    });
    let mut nearest: Option<(f64, f64)> = None;
    for at in later {
        let off_m = at.offset_m.abs();
        if off_m <= ON_WAY_M {
            nearest = Some((off_m, at.s_m));
            break;
        }
        if nearest.is_none_or(|(known, _)| off_m < known) {
            nearest = Some((off_m, at.s_m));
        }
    }
    let (_, s_m) = nearest?;
    Some((s_m - front_m) / speed_mps)
}

pub(super) fn latency(case: &Case<'_>, station: Option<&str>, p95_ms: f64) -> Finding {
    let only = station.and_then(|name| case.trace.station(name));
    let of_frames = |sent: &&Sent| {
        matches!(sent.kind, MessageKind::Cpm | MessageKind::Denm) && only.is_none_or(|only| sent.station == only)
    };
    // A repetition says again what an older frame has shown; only the first message with a frame measures its way.
    let mut newest_ms: BTreeMap<(usize, MessageKind), f64> = BTreeMap::new();
    let mut found = Vec::new();
    for sent in case.trace.sent.iter().filter(of_frames) {
        let Some(photon_ms) = sent.photon_ms else { continue };
        let captured_ms = sent.at_s * 1e3 - photon_ms;
        let newest_ms = newest_ms.entry((sent.station, sent.kind)).or_insert(f64::NEG_INFINITY);
        if captured_ms > *newest_ms + 0.5 {
            *newest_ms = captured_ms;
            found.push((photon_ms, sent.at_s));
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let p95 = found.get((found.len() * 95 / 100).min(found.len().saturating_sub(1)));
    Finding {
        passed: p95.is_some_and(|(ms, _)| *ms <= p95_ms),
        expected: format!("p95 at most {p95_ms} ms"),
        actual: p95
            .map_or("no message from a frame".into(), |(ms, _)| format!("p95 {ms:.1} ms of {} messages", found.len())),
        at_s: p95.map(|(_, at_s)| *at_s),
        station: station.map(str::to_owned),
    }
}

pub(super) fn received(case: &Case<'_>, recipients: &[String], kind: &str, after_s: f64, before_s: f64) -> Finding {
    let expected = format!("a {} from {after_s} s to {before_s} s", kind.to_uppercase());
    for name in recipients {
        let station = case.trace.station(name);
        let first = case.trace.received.iter().find(|reception| {
            Some(reception.station) == station
                && reception.trusted
                && reception.at_s >= after_s
                && reception.sent.is_some_and(|sent| case.trace.sent[sent].kind.name() == kind)
        });
        match first {
            Some(first) if first.at_s <= before_s => {}
            late => {
                let actual = late.map_or(format!("{name} never received one"), |late| {
                    format!("{name} received the first at {:.2} s", late.at_s)
                });
                return Finding { passed: false, expected, actual, at_s: Some(before_s), station: None };
            }
        }
    }
    Finding { passed: true, expected, actual: "all in time".into(), at_s: None, station: None }
}

/// Nothing that left a station is as large as a picture, and everything decodes to a V2X message, which has no room for one.
pub(super) fn privacy(case: &Case<'_>) -> Finding {
    let bad = case
        .trace
        .sent
        .iter()
        .find(|sent| sent.uper.len() > LARGEST_MESSAGE || masa_v2x_proto::Message::decode(&sent.uper).is_err());
    let largest = case.trace.sent.iter().map(|sent| sent.uper.len()).max().unwrap_or(0);
    Finding {
        passed: bad.is_none(),
        expected: format!("only V2X messages of at most {LARGEST_MESSAGE} bytes leave"),
        actual: match bad {
            Some(sent) => format!("{} has {} bytes", sent.id, sent.uper.len()),
            None => format!("{} messages, the largest {largest} bytes", case.trace.sent.len()),
        },
        at_s: bad.map(|sent| sent.at_s),
        station: bad.map(|sent| case.trace.stations[sent.station].name.clone()),
    }
}
