//! Who meets whom in a junction, and who goes first, from the shape of the ways through it.
//!
//! In: the links of a junction. Out: for each the links whose ways it meets, and those of them that go before it. Two ways
//! meet if they end in the same lane or come so close that two vehicles could not pass; ways from one lane do not. Of two
//! that meet, in this order: an explicit priority, signs, ways from one edge (who turns more gives way), oncoming ones (who
//! turns across gives way), else right before left (left before right where traffic keeps left).

use super::{LaneId, LinkId, Roads, Turn};
use crate::geometry::angle_between;
use nalgebra::Point2;
use std::f64::consts::{FRAC_PI_4, PI};

/// Distance between the points by which ways are compared, metres.
const STEP_M: f64 = 1.0;
/// Share of the lanes' mean width below which two vehicles could not pass.
const TOO_CLOSE: f64 = 0.6;

/// What signs say of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Stop, then give way.
    Stop,
    /// Give way.
    GiveWay,
    /// No sign.
    None,
    /// Priority road.
    Priority,
}

/// What is found for one link; places in the list of links.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) conflicts: Vec<u16>,
    pub(super) yields_to: Vec<u16>,
    /// It gives way for no other reason than right before left.
    pub(super) only_right_before_left: bool,
}

/// Direction of a way by its yaw before and after.
pub(super) fn turn(before_rad: f64, after_rad: f64) -> Turn {
    let by = angle_between(after_rad, before_rad);
    match by.abs() {
        by if by < FRAC_PI_4 * 0.75 => Turn::Straight,
        by if by > PI * 0.86 => Turn::UTurn,
        _ if by > 0.0 => Turn::Left,
        _ => Turn::Right,
    }
}

/// A way through a junction.
struct Way {
    from: LaneId,
    to: LaneId,
    turn: Turn,
    yaw_rad: f64,
    width_m: f64,
    points: Vec<Point2<f64>>,
    low: Point2<f64>,
    high: Point2<f64>,
}

/// Finds conflicts and right of way among `links`. `explicit(a, b)` says whether the source itself lets `a` give way to `b`.
/// At most 65,535 links are compared.
pub(super) fn find(
    roads: &Roads,
    links: &[LinkId],
    ranks: &[Rank],
    explicit: &dyn Fn(LinkId, LinkId) -> bool,
) -> Vec<Found> {
    let links = &links[..links.len().min(usize::from(u16::MAX))];
    let ways: Vec<Way> = links.iter().map(|link| way(roads, *link)).collect();
    let mut found = vec![Found { only_right_before_left: true, ..Found::default() }; links.len()];
    for a in 0..ways.len() {
        for b in (a + 1)..ways.len() {
            if !meet(&ways[a], &ways[b]) {
                continue;
            }
            found[a].conflicts.push(b as u16);
            found[b].conflicts.push(a as u16);
            let (first, reason) = who_yields(roads, (&ways[a], &ways[b]), (ranks[a], ranks[b]), || {
                (explicit(links[a], links[b]), explicit(links[b], links[a]))
            });
            let (yielding, going) = if first { (a, b) } else { (b, a) };
            found[yielding].yields_to.push(going as u16);
            found[yielding].only_right_before_left &= reason == Reason::RightBeforeLeft;
        }
    }
    for found in &mut found {
        found.conflicts.sort_unstable();
        found.yields_to.sort_unstable();
    }
    found
}

fn way(roads: &Roads, link: LinkId) -> Way {
    let link = roads.link(link);
    let mut lanes = Vec::new();
    let mut next = link.via;
    while let Some(lane) = next.filter(|lane| !lanes.contains(lane)) {
        lanes.push(lane);
        next = roads.lane(lane).links.first().and_then(|link| roads.link(*link).via);
    }
    if lanes.is_empty() {
        lanes.push(link.to);
    }
    let mut points = Vec::new();
    for lane in &lanes {
        let line = &roads.lane(*lane).centre;
        let steps = (line.length_m() / STEP_M).ceil().clamp(1.0, 500.0);
        let at = |step: usize| line.at(line.length_m() * step as f64 / steps).map(|on| on.point.xy());
        points.extend((0..=steps as usize).filter_map(at));
    }
    let start = roads.lane(lanes[0]).centre.at(0.0);
    let (low, high) = points
        .iter()
        .fold((Point2::new(f64::MAX, f64::MAX), Point2::new(f64::MIN, f64::MIN)), |(l, h), p| (l.inf(p), h.sup(p)));
    Way {
        from: link.from,
        to: link.to,
        turn: link.turn,
        yaw_rad: start.map_or(0.0, |on| on.yaw_rad),
        width_m: roads.lane(lanes[0]).width_m,
        points,
        low,
        high,
    }
}

fn meet(a: &Way, b: &Way) -> bool {
    if a.from == b.from {
        return false;
    }
    let reach = (a.width_m + b.width_m) / 2.0 * TOO_CLOSE;
    if a.to == b.to {
        return true;
    }
    let apart = |i: usize| a.low[i] > b.high[i] + reach || b.low[i] > a.high[i] + reach;
    if apart(0) || apart(1) {
        return false;
    }
    let near = reach * reach;
    a.points.iter().any(|p| b.points.iter().any(|q| (p - q).norm_squared() < near))
}

#[derive(PartialEq)]
enum Reason {
    RightBeforeLeft,
    Other,
}

/// Whether the first of two ways that meet gives way, else the second does; and why.
fn who_yields(
    roads: &Roads,
    (a, b): (&Way, &Way),
    ranks: (Rank, Rank),
    explicit: impl FnOnce() -> (bool, bool),
) -> (bool, Reason) {
    match explicit() {
        (true, false) => return (true, Reason::Other),
        (false, true) => return (false, Reason::Other),
        _ => {}
    }
    if ranks.0 != ranks.1 {
        return (ranks.0 < ranks.1, Reason::Other);
    }
    let across = |turn: Turn| match (turn, roads.left_hand) {
        (Turn::Straight, _) => 0,
        (Turn::Right, false) | (Turn::Left, true) => 1,
        (Turn::Left, false) | (Turn::Right, true) => 2,
        (Turn::UTurn, _) => 3,
    };
    let (from_a, from_b) = (roads.lane(a.from), roads.lane(b.from));
    let between = angle_between(b.yaw_rad, a.yaw_rad);
    let beside = from_a.edge == from_b.edge || between.abs() < FRAC_PI_4;
    if beside || between.abs() > 3.0 * FRAC_PI_4 {
        let order = across(a.turn).cmp(&across(b.turn)).then(from_b.index.cmp(&from_a.index));
        // The later one of two equals gives way.
        return (order.is_gt(), Reason::Other);
    }
    // `b` comes from the right of `a` if it runs to the left of `a`'s direction.
    ((between > 0.0) != roads.left_hand, Reason::RightBeforeLeft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Polyline;
    use crate::roads::{Lane, Link, RightOfWay};
    use nalgebra::Point3;

    /// Straight ways over a crossing from south, east, north and west, and a left turn from the south.
    fn crossing(left_hand: bool) -> (Roads, Vec<LinkId>) {
        let mut roads = Roads { left_hand, ..Roads::default() };
        let mut links = Vec::new();
        let side = if left_hand { -1.75 } else { 1.75 };
        let ways: [&[(f64, f64)]; 5] = [
            &[(side, -10.0), (side, 10.0)],
            &[(10.0, side), (-10.0, side)],
            &[(-side, 10.0), (-side, -10.0)],
            &[(-10.0, -side), (10.0, -side)],
            &[(side, -10.0), (side, 0.0), (-10.0, side + 0.1)],
        ];
        for (place, way) in ways.iter().enumerate() {
            // From, through, to; the left turn begins in a lane of its own and ends where the way from the east ends.
            let base = roads.lanes.len() as u32;
            let line = Polyline::new(way.iter().map(|(x, y)| Point3::new(*x, *y, 0.0)));
            let lane =
                |edge| Lane { centre: line.clone(), width_m: 3.5, edge: crate::roads::EdgeId(edge), ..Lane::default() };
            let edge = if place == 4 { 0 } else { place as u32 };
            roads.lanes.extend([lane(edge), lane(100), lane(200)]);
            links.push(LinkId(roads.links.len() as u32));
            roads.links.push(Link {
                from: LaneId(base),
                to: if place == 4 { LaneId(5) } else { LaneId(base + 2) },
                via: Some(LaneId(base + 1)),
                junction: None,
                turn: if place == 4 { Turn::Left } else { Turn::Straight },
                right_of_way: RightOfWay::Major,
                signal: None,
                yields_to: Vec::new(),
                conflicts: Vec::new(),
                waits_inside: false,
            });
        }
        (roads, links)
    }

    #[test]
    fn right_goes_before_left_and_straight_before_across() {
        let (roads, links) = crossing(false);
        let found = find(&roads, &links, &[Rank::None; 5], &|_, _| false);
        // South and north do not meet, nor east and west.
        assert_eq!(found[0].conflicts, [1, 3, 4]);
        assert_eq!(found[0].yields_to, [1]);
        assert_eq!(found[1].yields_to, [2]);
        assert_eq!(found[2].yields_to, [3]);
        assert_eq!(found[3].yields_to, [0, 4]);
        assert!(found[3].only_right_before_left);
        // The left turn yields to its own road's straight way, to the east (merging) and to the oncoming north.
        assert_eq!(found[4].yields_to, [0, 1, 2]);
        assert!(!found[4].only_right_before_left);
    }

    #[test]
    fn where_traffic_keeps_left_the_left_goes_first() {
        let (roads, links) = crossing(true);
        let found = find(&roads, &links[..4], &[Rank::None; 4], &|_, _| false);
        assert_eq!(found[0].yields_to, [3]);
        assert_eq!(found[3].yields_to, [2]);
    }

    #[test]
    fn signs_and_explicit_priorities_come_first() {
        let (roads, links) = crossing(false);
        let ranks = [Rank::Priority, Rank::GiveWay, Rank::Priority, Rank::Stop, Rank::Priority];
        let found = find(&roads, &links, &ranks, &|_, _| false);
        assert_eq!(found[0].yields_to, Vec::<u16>::new());
        assert_eq!(found[1].yields_to, [0, 2, 4]);
        assert_eq!(found[3].yields_to, [0, 2, 4]);
        let found = find(&roads, &links, &ranks, &|a, b| (a, b) == (links[0], links[1]));
        assert_eq!(found[0].yields_to, [1]);
    }

    #[test]
    fn turns_have_their_names() {
        for (after, name) in
            [(0.1, Turn::Straight), (1.5, Turn::Left), (-1.5, Turn::Right), (3.1, Turn::UTurn), (-3.1, Turn::UTurn)]
        {
            assert_eq!(turn(2.0, 2.0 + after), name, "{after}");
        }
    }
}
