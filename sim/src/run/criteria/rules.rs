//! Criteria about how traffic behaves: who broke which rule of the road, who parked.

use super::{Case, Finding};
use crate::truth::parking::Turnover;
use crate::truth::rules::{Rule, RuleWatch};
use std::sync::Arc;

/// What a rule is called in words.
pub(super) const fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::RedLight => "the rule to stop at red",
        Rule::WrongWay => "the rule to keep to one's side",
        Rule::Speeding => "the speed limit",
    }
}

pub(super) fn breaches(case: &Case<'_>, rule: Rule, at_least: u32, at_most: Option<u32>) -> Finding {
    let mut watch = RuleWatch::new(Arc::new(case.roads.clone()));
    let begun: Vec<_> =
        case.trace.snapshots.iter().flat_map(|now| watch.watch(now)).filter(|breach| breach.rule == rule).collect();
    let count = begun.len() as u32;
    let who: Vec<_> =
        begun.iter().take(5).map(|breach| format!("{} at {:.1} s", case.name(breach.actor), breach.at_s)).collect();
    let most = at_most.map_or_else(String::new, |most| format!(", at most {most}"));
    // What went wrong is the first one too many.
    let decided = at_most.and_then(|most| begun.get(most as usize)).or(begun.first());
    Finding {
        passed: count >= at_least && at_most.is_none_or(|most| count <= most),
        expected: format!("broken at least {at_least} times{most}"),
        actual: if who.is_empty() { "never".into() } else { format!("{count} times: {}", who.join(", ")) },
        at_s: decided.map(|breach| breach.at_s),
        station: None,
    }
}

pub(super) fn parking(case: &Case<'_>, taken: u32, freed: u32) -> Finding {
    let mut turnover = Turnover::default();
    for now in &case.trace.snapshots {
        turnover.watch(case.roads, now);
    }
    Finding {
        passed: turnover.taken >= taken && turnover.freed >= freed,
        expected: format!("{taken} spaces become taken, {freed} free"),
        actual: format!("{} became taken, {} free", turnover.taken, turnover.freed),
        at_s: case.trace.snapshots.last().map(|now| now.time_s),
        station: None,
    }
}
