//! The service on the street of the fixtures: alone, and three who walk together.

use super::*;
use crate::event::ReceivedMessage;
use crate::facilities::fixture::Street;
use crate::world::fixture::at;
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::security::Verdict;
use masa_v2x_proto::vam::Vam;

fn vams(drafts: &[Draft]) -> Vec<Vam> {
    let of = |draft: &Draft| match &draft.content {
        Content::Vam(vam) => (**vam).clone(),
        other => panic!("{other:?}"),
    };
    drafts.iter().map(of).collect()
}

/// Somebody who walks north at 1.3 m/s, `e_m` east of the origin.
struct Walker {
    street: Street,
    service: VaService,
    e_m: f64,
}

impl Walker {
    fn new(station: u32, e_m: f64, settings: VaSettings) -> Self {
        let mut street = Street::new();
        street.station.id = StationId(station);
        street.station.kind = StationKind::Pedestrian;
        street.ldm = crate::world::ldm::Ldm::new(Default::default(), StationId(station), street.station.frame);
        Self { street, service: VaService::new(StationKind::Pedestrian, settings), e_m }
    }

    fn walk(&mut self, ms: i64, stops_at_ms: i64) -> Vec<Vam> {
        let walked_s = ms.min(stops_at_ms) as f64 / 1e3;
        self.street.ego = Some(EgoState {
            captured_at: at(ms),
            position: self.street.station.frame.to_wgs84(Enu::ground(self.e_m, 1.3 * walked_s)),
            heading_deg: Some(0.0),
            speed_mps: Some(if ms < stops_at_ms { 1.3 } else { 0.0 }),
            ..EgoState::default()
        });
        let drafts = self.street.wake(&mut self.service, ms);
        vams(&drafts)
    }

    fn hear(&mut self, vam: &Vam, ms: i64) {
        let message = ReceivedMessage {
            link: "geonet".into(),
            origin: String::new(),
            uper: vam.to_uper().unwrap(),
            verdict: Verdict::Unsigned,
            received_at: at(ms),
        };
        assert!(self.street.ldm.take(&message, at(ms)).is_some());
    }
}

#[test]
fn a_pedestrian_sends_a_vam_every_4_m_and_every_5_s_when_standing() {
    let mut walker = Walker::new(10, 0.0, VaSettings::default());
    let mut sent = Vec::new();
    for ms in (0..30_000).step_by(100) {
        sent.extend(walker.walk(ms, 10_000).into_iter().map(|vam| (ms, vam)));
    }
    let times: Vec<_> = sent.iter().map(|(ms, _)| *ms).collect();
    // 4 m take 3.08 s; at 10 s the speed falls by 1.3 m/s; then every 5 s.
    assert_eq!(times, [0, 3_100, 6_200, 9_300, 10_000, 15_000, 20_000, 25_000]);
    let low: Vec<_> =
        sent.iter().map(|(_, vam)| vam.vam.vam_parameters.vru_low_frequency_container.is_some()).collect();
    assert_eq!(low, [true, true, true, true, false, true, true, true], "at most every 2 s");
    for (_, vam) in &sent {
        assert!(vam.to_uper().is_ok() && vam.check_limits().is_ok());
    }
}

#[test]
fn three_who_walk_together_speak_with_one_voice() {
    let settings = VaSettings { cluster: Some(ClusterSettings::default()), ..VaSettings::default() };
    let mut walkers: Vec<_> =
        [10, 20, 30].iter().zip(0..).map(|(id, e_m)| Walker::new(*id, f64::from(e_m), settings.clone())).collect();
    let mut late = [0usize; 3];
    let mut sizes = Vec::new();
    for ms in (0..20_000).step_by(100) {
        for speaker in 0..3 {
            for vam in walkers[speaker].walk(ms, i64::MAX) {
                assert!(vam.check_limits().is_ok(), "{:?}", vam.check_limits());
                if ms >= 6_000 {
                    late[speaker] += 1;
                }
                let container = vam.vam.vam_parameters.vru_cluster_information_container.as_ref();
                sizes.extend(container.map(|c| c.vru_cluster_information.cluster_cardinality_size));
                for listener in (0..3).filter(|listener| *listener != speaker) {
                    walkers[listener].hear(&vam, ms);
                }
            }
        }
    }
    assert!(late[0] >= 14, "the leader says at least every 900 ms that it is there: {late:?}");
    assert_eq!(late[1..], [0, 0], "the members are silent");
    assert_eq!(sizes.iter().max(), Some(&3));
    assert!(walkers[1].service.clustering.is_passive() && walkers[2].service.clustering.is_passive());
    // The leader is switched off: the members speak again within timeClusterContinuity.
    let mut back = Vec::new();
    for ms in (20_000..24_000).step_by(100) {
        for member in &mut walkers[1..3] {
            back.extend(member.walk(ms, i64::MAX).into_iter().map(|vam| (ms, vam)));
        }
    }
    let (ms, first) = &back[0];
    assert!(*ms <= 22_100, "{ms}");
    let operation = first.vam.vam_parameters.vru_cluster_operation_container.unwrap();
    assert!(operation.cluster_leave_info.is_some());
}

#[test]
fn what_a_companion_says_already_is_not_said_again_where_the_settings_say_so() {
    let mut alone = Walker::new(10, 0.0, VaSettings { skip_vams: 2, ..VaSettings::default() });
    let mut other = Walker::new(20, 1.0, VaSettings::default());
    let mut sent = Vec::new();
    for ms in (0..30_000).step_by(100) {
        for vam in other.walk(ms, i64::MAX) {
            alone.hear(&vam, ms);
        }
        sent.extend(alone.walk(ms, i64::MAX).iter().map(|_| ms));
    }
    // TS 103 300-3 6.4.2: at most two of the longest intervals without an own VAM.
    assert!(sent.len() < 6 && sent.windows(2).all(|pair| pair[1] - pair[0] <= 14_000), "{sent:?}");
    assert!(alone.service.drops().get("vam-redundant") > 0);
}

#[test]
fn a_roadside_unit_and_a_vehicle_send_no_vams() {
    for kind in [StationKind::RoadSideUnit, StationKind::PassengerCar] {
        let mut walker = Walker::new(10, 0.0, VaSettings::default());
        walker.service = VaService::new(kind, VaSettings::default());
        assert!(walker.walk(0, i64::MAX).is_empty() && walker.service.wake_at().is_none());
    }
}
