//! The state machine against the clauses of TS 103 300-3.

use super::*;
use crate::world::fixture::at;

fn own(station: u32) -> Own {
    Own { station: StationId(station), position: Enu::ground(0.0, 0.0), speed_mps: 1.4 }
}

fn companion(station: u32, e_m: f64, ms: i64) -> Companion {
    Companion {
        station: StationId(station),
        position: Enu::ground(e_m, 0.0),
        speed_mps: 1.4,
        heard_at: at(ms),
        leads: None,
        breaks_up: false,
        joins: None,
        leaves: None,
    }
}

fn leader(station: u32, size: u8, ms: i64) -> Companion {
    Companion { leads: Some((7, size)), ..companion(station, 1.0, ms) }
}

#[test]
fn a_cluster_is_made_as_5_4_2_2_says() {
    // Others as (station, metres away, speed); whether the road user 10 leads.
    for (name, others, expected) in [
        ("three who walk together", vec![(20, 1.0, 1.4), (30, 2.0, 1.45)], true),
        ("two are too few", vec![(20, 1.0, 1.4)], false),
        ("one is too far", vec![(20, 1.0, 1.4), (30, 5.1, 1.4)], false),
        ("one is too fast", vec![(20, 1.0, 1.4), (30, 2.0, 1.6)], false),
        ("another has the smaller id", vec![(5, 1.0, 1.4), (30, 2.0, 1.4)], false),
    ] {
        let companions: Vec<_> = others
            .iter()
            .map(|(station, e_m, speed_mps)| Companion { speed_mps: *speed_mps, ..companion(*station, *e_m, 0) })
            .collect();
        let mut state = Clustering::new();
        let news = state.step(own(10), &companions, &ClusterSettings::default(), at(0));
        assert_eq!((news, matches!(state, Clustering::Leader { .. })), (expected, expected), "{name}");
    }
}

#[test]
fn a_member_announces_itself_falls_silent_and_is_counted() {
    let settings = ClusterSettings::default();
    let mut state = Clustering::new();
    assert!(state.step(own(10), &[leader(5, 3, 0)], &settings, at(0)));
    assert_eq!(state.statement(at(1_000)), Statement::Joins { id: 7, in_s: 2.0 });
    assert!(!state.step(own(10), &[leader(5, 3, 2_900)], &settings, at(2_900)), "the countdown is no news");
    assert!(state.step(own(10), &[leader(5, 3, 2_900)], &settings, at(3_000)));
    assert!(state.is_passive());
    assert_eq!(state.wake_at(&[leader(5, 3, 2_900)]), Some(at(3_500)));
    assert!(!state.step(own(10), &[leader(5, 4, 3_200)], &settings, at(3_200)));
    assert!(!state.step(own(10), &[leader(5, 4, 3_200)], &settings, at(3_600)), "counted in time");
    assert_eq!(state.wake_at(&[leader(5, 4, 3_200)]), Some(at(5_200)), "timeClusterContinuity");
}

#[test]
fn a_member_leaves_for_each_reason_of_5_4_2_4() {
    use ClusterLeaveReason as Reason;
    let near = |ms| leader(5, 4, ms);
    // The leader's state at 10 s, and why the member leaves then.
    for (name, heard, expected) in [
        ("all is well", Some(near(9_000)), None),
        ("silent for two seconds", Some(near(8_000)), Some(Reason::ClusterLeaderLost)),
        ("forgotten", None, Some(Reason::ClusterLeaderLost)),
        ("breaks up", Some(Companion { breaks_up: true, ..near(9_900) }), Some(Reason::ClusterDisbandedByLeader)),
        ("leads no more", Some(Companion { leads: None, ..near(9_900) }), Some(Reason::ClusterDisbandedByLeader)),
        (
            "too far",
            Some(Companion { position: Enu::ground(5.1, 0.0), ..near(9_900) }),
            Some(Reason::OutOfClusterBoundingBox),
        ),
        ("too fast", Some(Companion { speed_mps: 1.6, ..near(9_900) }), Some(Reason::OutOfClusterSpeedRange)),
    ] {
        let mut state = Clustering::Passive { id: 7, leader: StationId(5), unconfirmed: None };
        let companions: Vec<_> = heard.into_iter().collect();
        let news = state.step(own(10), &companions, &ClusterSettings::default(), at(10_000));
        let told = expected.map_or(Statement::None, |reason| Statement::Left { id: 7, reason });
        assert_eq!((news, state.statement(at(10_000))), (expected.is_some(), told), "{name}");
    }
    let mut state = Clustering::Passive { id: 7, leader: StationId(5), unconfirmed: Some((4, at(500))) };
    assert!(!state.step(own(10), &[near(0)], &ClusterSettings::default(), at(499)));
    assert!(state.step(own(10), &[near(0)], &ClusterSettings::default(), at(500)));
    assert_eq!(state.statement(at(500)), Statement::Left { id: 7, reason: Reason::FailedJoin });
    // Told for a second, then nothing is left of it.
    assert!(!state.step(own(10), &[], &ClusterSettings::default(), at(1_499)));
    assert!(state.step(own(10), &[], &ClusterSettings::default(), at(1_500)));
    assert_eq!(state, Clustering::new());
}

#[test]
fn joining_is_called_off_when_the_cluster_goes_away() {
    let mut state = Clustering::new();
    state.step(own(10), &[leader(5, 3, 0)], &ClusterSettings::default(), at(0));
    let gone = Companion { breaks_up: true, ..leader(5, 3, 1_000) };
    assert!(state.step(own(10), &[gone], &ClusterSettings::default(), at(1_000)));
    let reason = ClusterLeaveReason::CancelledJoin;
    assert_eq!(state.statement(at(1_000)), Statement::Left { id: 7, reason });
}

#[test]
fn a_leader_counts_its_members_and_ends_an_empty_cluster() {
    let settings = ClusterSettings::default();
    let mut state = Clustering::Leader { id: 7, members: vec![], since: at(0), ends: None };
    let size = |state: &Clustering| match state.statement(at(0)) {
        Statement::Leads { size, .. } => size,
        other => panic!("{other:?}"),
    };
    let joining = |station| Companion { joins: Some(7), ..companion(station, 1.0, 0) };
    assert!(state.step(own(10), &[joining(20), joining(30)], &settings, at(100)));
    assert_eq!(size(&state), 3);
    assert!(!state.step(own(10), &[joining(20)], &settings, at(200)), "counted once");
    let leaving = |station| Companion { leaves: Some(7), ..companion(station, 1.0, 0) };
    assert!(state.step(own(10), &[leaving(20)], &settings, at(6_000)));
    assert_eq!(size(&state), 2);
    assert!(state.step(own(10), &[leaving(30)], &settings, at(7_000)), "alone: the end is announced");
    let reason = ClusterBreakupReason::ClusteringPurposeCompleted;
    assert_eq!(state.statement(at(8_000)), Statement::Leads { id: 7, size: 1, ends: Some((reason, 2.0)) });
    assert!(!state.step(own(10), &[], &settings, at(9_999)));
    assert!(state.step(own(10), &[], &settings, at(10_000)), "timeClusterBreakupWarning");
    assert_eq!(state, Clustering::new());
}

#[test]
fn a_full_cluster_takes_nobody() {
    let settings = ClusterSettings { max_cluster_size: 3, ..ClusterSettings::default() };
    let mut state = Clustering::new();
    assert!(!state.step(own(10), &[leader(5, 3, 0)], &settings, at(0)));
    assert!(state.step(own(10), &[leader(5, 2, 0)], &settings, at(0)));
}
