//! SPATEM, MAPEM, SREM, SSEM and RTCMEM as a roadside unit and a bus build them; the bytes were checked with an
//! independent codec (pycrate 0.8.1).

use crate::common::{Bits, unhex};
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::dsrc::*;
use masa_v2x_proto::mapem::*;
use masa_v2x_proto::rtcmem::*;
use masa_v2x_proto::spatem::*;
use masa_v2x_proto::srem::*;
use masa_v2x_proto::ssem::*;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::uper::UperErrorKind;
use masa_v2x_proto::{List, Message};

const STATION: StationId = StationId(4711);
const BUS: StationId = StationId(815);
const AT: Timestamp = Timestamp::from_unix_ms(1_767_225_600_123);
const JUNCTION: IntersectionReferenceId = IntersectionReferenceId { region: Some(39), id: 1201 };

fn name(text: &str) -> Option<DescriptiveName> {
    Some(text.try_into().expect("a short name"))
}

/// Two stages: groups 1 and 3 are green for 12 s at least, groups 2 and 4 red; group 5 is a crosswalk.
fn spatem() -> Spatem {
    let mark = |ms: i64| TimeMark::of(AT.plus_ms(ms), AT);
    let timing = |min_ms, max_ms, likely_ms| TimeChangeDetails {
        start_time: Some(mark(-8_000)),
        min_end_time: mark(min_ms),
        max_end_time: Some(mark(max_ms)),
        likely_time: Some(mark(likely_ms)),
        confidence: Some(TimeIntervalConfidence::from_percent(80)),
        next_time: None,
    };
    let phase = |group| match group {
        1 | 3 => (MovementPhaseState::PermissiveMovementAllowed, timing(12_000, 30_000, 18_000)),
        _ => (MovementPhaseState::StopAndRemain, timing(15_000, 33_000, 21_000)),
    };
    let movement = |group| {
        let (state, timing) = phase(group);
        let events = MovementEvents::try_from_iter([MovementEvent::new(state, timing)]).expect("one event");
        MovementState::new(SignalGroupId(group), events)
    };
    let mut states: Vec<_> = (1..=5).map(movement).collect();
    let speed = AdvisorySpeed {
        advisory_type: AdvisorySpeedType::Greenwave,
        speed_mps: Some(Reading::of(11.1)),
        distance_m: Some(Reading::of(150)),
        ..AdvisorySpeed::default()
    };
    states[0].state_time_speed[0].speeds = List::try_from_iter([speed]);
    let reason = MovementEventAddGrpC { state_change_reason: Some(ExceptionalCondition::PublicTransportPriority) };
    states[2].state_time_speed[0].regional = List::try_from_iter([Regional::AddGrpC(reason)]);
    let waiting = ConnectionManeuverAssist {
        connection_id: 7,
        queue_length_m: Some(Reading::of(35)),
        ped_bicycle_detect: Some(true),
        ..ConnectionManeuverAssist::default()
    };
    states[4].maneuver_assist_list = List::try_from_iter([waiting]);
    let priority = PrioritizationResponse {
        station_id: BUS,
        prior_state: PrioritizationResponseStatus::Granted,
        signal_group: SignalGroupId(3),
    };
    let priorities = IntersectionStateAddGrpC { active_prioritizations: List::try_from_iter([priority]) };
    let status = IntersectionStatus::TRAFFIC_DEPENDENT_OPERATION | IntersectionStatus::SIGNAL_PRIORITY_IS_ACTIVE;
    let states = MovementStates::try_from_iter(states).expect("five groups");
    let mut state = IntersectionState::new(JUNCTION, 3, status, AT, states);
    state.name = name("Via Emilia");
    state.regional = List::try_from_iter([Regional::AddGrpC(priorities)]);
    Spatem::new(STATION, AT, IntersectionStates::try_from_iter([state]).expect("one intersection"))
}

fn nodes(offsets: &[(f32, f32)]) -> NodeSet {
    let nodes = offsets.iter().map(|(x_m, y_m)| Node::from_offset(*x_m, *y_m).expect("a short offset"));
    NodeSet::try_from_iter(nodes).expect("few nodes")
}

/// A lane in from the west, one out to the east, a crosswalk and a bicycle lane beside the first.
fn mapem() -> Mapem {
    let vehicle = || LaneTypeAttributes::Vehicle(LaneAttributesVehicle::default());
    let attributes = |direction, kind| LaneAttributes::new(direction, LaneSharing::default(), kind);

    let mut inbound =
        GenericLane::new(1, attributes(LaneDirection::INGRESS_PATH, vehicle()), nodes(&[(-12.5, -1.75), (-60.0, 0.0)]));
    inbound.ingress_approach = Some(1);
    inbound.maneuvers = Some(AllowedManeuvers::STRAIGHT_ALLOWED | AllowedManeuvers::RIGHT_ALLOWED);
    let straight = Connection {
        connection_id: Some(1),
        ..Connection::new(2, AllowedManeuvers::STRAIGHT_ALLOWED, Some(SignalGroupId(1)))
    };
    inbound.connects_to = List::try_from_iter([straight]);
    let limit = RegulatorySpeedLimit { limit_type: SpeedLimitType::VehicleMaxSpeed, speed_mps: Some(13.88) };
    let stop_line = NodeAttributeSet {
        local_node: List::try_from_iter([NodeAttribute::StopLine]),
        enabled: List::try_from_iter([SegmentAttribute::CurbOnRight, SegmentAttribute::LoadingzoneOnRight]),
        d_width_m: Some(-0.25),
        ..NodeAttributeSet::default()
    };
    if let NodeList::Nodes(nodes) = &mut inbound.node_list {
        nodes[0].attributes = Some(Box::new(stop_line));
    }
    let height = LaneAttributesAddGrpC { max_vehicle_height_m: Some(4.0), max_vehicle_weight_kg: None };
    inbound.lane_attributes.regional = Some(Regional::AddGrpC(height));
    let path = nodes(&[(-12.5, -1.75), (25.0, 0.0)]);
    let trajectory = ConnectionTrajectoryAddGrpC { nodes: path, connection_id: 1 };
    inbound.regional = List::try_from_iter([Regional::AddGrpC(trajectory)]);

    let mut outbound =
        GenericLane::new(2, attributes(LaneDirection::EGRESS_PATH, vehicle()), nodes(&[(12.5, -1.75), (80.0, 0.5)]));
    outbound.egress_approach = Some(2);

    let crosswalk = LaneTypeAttributes::Crosswalk(LaneAttributesCrosswalk::HAS_PUSH_TO_WALK_BUTTON);
    let both = LaneDirection::INGRESS_PATH | LaneDirection::EGRESS_PATH;
    let mut crossing = GenericLane::new(3, attributes(both, crosswalk), nodes(&[(-14.0, -5.0), (0.0, 10.0)]));
    crossing.name = name("Crosswalk west");

    let bike = LaneTypeAttributes::BikeLane(LaneAttributesBike::default());
    let mut beside = GenericLane::new(4, attributes(LaneDirection::INGRESS_PATH, bike), NodeSet::new());
    beside.node_list = NodeList::Computed(Box::new(ComputedLane {
        reference_lane_id: 1,
        offset_x_axis: DrivenLineOffset::Small(0.0),
        offset_y_axis: DrivenLineOffset::Large(-25.5),
        rotate_xy_deg: None,
        scale_x_axis_percent: None,
        scale_y_axis_percent: None,
        regional: None,
    }));

    let lanes = LaneList::try_from_iter([inbound, outbound, crossing, beside]).expect("four lanes");
    let reference = Position3D { elevation_m: Some(Some(34.5)), ..Position3D::new(44.655_54, 10.934_315) };
    let mut intersection = IntersectionGeometry::new(JUNCTION, 3, reference, lanes);
    intersection.name = name("Via Emilia");
    intersection.lane_width_m = Some(3.5);
    intersection.speed_limits = SpeedLimits::try_from_iter([limit]);
    let intersections = IntersectionGeometries::try_from_iter([intersection]).expect("one intersection");
    let mut mapem = Mapem::new(STATION, AT, 3, intersections);
    let users = [RestrictionUserType::BasicType(RestrictionAppliesTo::EquippedTransit)];
    let class = RestrictionClassAssignment { id: 1, users: List::try_from_iter(users).expect("one user") };
    mapem.map.restriction_list = List::try_from_iter([class]);
    let head = SignalHeadLocation {
        node_xy: NodeOffsetPoint::from_offset(14.0, -6.0).expect("near"),
        node_z_m: Reading::of(5.5),
        signal_group_id: SignalGroupId(1),
    };
    let heads = MapDataAddGrpC { signal_head_locations: List::try_from_iter([head]) };
    mapem.map.regional = List::try_from_iter([Regional::AddGrpC(heads)]);
    mapem
}

/// A late bus that asks for lane 1 to lane 2.
fn srem() -> Srem {
    let request = SignalRequest {
        id: JUNCTION,
        request_id: 5,
        request_type: PriorityRequestType::Request,
        inbound_lane: IntersectionAccessPoint::Lane(1),
        outbound_lane: Some(IntersectionAccessPoint::Approach(2)),
        regional: None,
    };
    let package = SignalRequestPackage {
        duration_ms: Some(Some(10_000)),
        ..SignalRequestPackage::new(request, AT.plus_ms(17_000))
    };
    let kind = RequestorType {
        role: BasicVehicleRole::PublicTransport,
        request: Some(RequestImportanceLevel::Level8),
        ..RequestorType::default()
    };
    let position = RequestorPosition {
        position: Position3D::new(44.655_6, 10.932_1),
        heading_deg: Some(Some(91.25)),
        speed: Some(TransmissionAndSpeed { transmission: TransmissionState::ForwardGears, speed_mps: Some(9.5) }),
    };
    let requestor = RequestorDescription {
        requestor_type: Some(kind),
        position: Some(position),
        route_name: name("Line 7"),
        transit_status: Some(TransitVehicleStatus::DOOR_OPEN),
        transit_occupancy: Some(TransitVehicleOccupancy::Med),
        transit_schedule_s: Some(Some(120)),
        ..RequestorDescription::new(VehicleId::Station(BUS))
    };
    Srem::new(BUS, AT, 9, SignalRequests::try_from_iter([package]).expect("one request"), requestor)
}

/// The answer to the bus, and a rejected request.
fn ssem() -> Ssem {
    let to_bus = SignalRequesterInfo {
        role: Some(BasicVehicleRole::PublicTransport),
        ..SignalRequesterInfo::new(VehicleId::Station(BUS), 5, 9)
    };
    let lane = IntersectionAccessPoint::Lane(1);
    let granted = SignalStatusPackage::new(to_bus, lane.clone(), PrioritizationResponseStatus::Granted);
    let to_other = SignalRequesterInfo::new(VehicleId::Entity(TemporaryId(0xCAFE_0001)), 1, 0);
    let reason = SignalStatusPackageAddGrpC {
        synch_to_schedule_s: None,
        rejected_reason: Some(RejectedReason::MaxWaitingTimeExceeded),
    };
    let rejected = SignalStatusPackage {
        regional: List::try_from_iter([Regional::AddGrpC(reason)]),
        ..SignalStatusPackage::new(to_other, lane, PrioritizationResponseStatus::Rejected)
    };
    let packages = SignalStatusPackages::try_from_iter([granted, rejected]).expect("two answers");
    let status = SignalStatus::new(4, JUNCTION, packages);
    Ssem::new(STATION, AT, 12, SignalStatuses::try_from_iter([status]).expect("one intersection"))
}

fn rtcmem() -> Rtcmem {
    let message =
        RtcmMessage::try_from_iter(unhex("d300133ed7d30202980edeef34b4bd62ac0941986f33360b98")).expect("short");
    let messages = RtcmMessages::try_from_iter([message]).expect("one message");
    let mut rtcmem = Rtcmem::new(STATION, AT, 77, RtcmRevision::Rev3, messages);
    rtcmem.rtcmc.anchor_point = Some(Box::new(FullPositionVector {
        utc_time: Some(DateTime {
            year: Some(Some(2026)),
            month: Some(Some(1)),
            hour: Some(None),
            ..DateTime::default()
        }),
        longitude_deg: Some(10.934_315),
        latitude_deg: Some(44.655_54),
        elevation_m: Some(Some(34.5)),
        pos_accuracy: Some(PositionalAccuracy {
            semi_major_m: Reading::of(0.1),
            semi_minor_m: Some(Reading::AboveRange),
            orientation_deg: None,
        }),
        time_confidence: Some(TimeConfidence::Within1us),
        ..FullPositionVector::default()
    }));
    let antenna = AntennaOffsetSet { ant_offset_x_m: 1.25, ant_offset_y_m: -0.5, ant_offset_z_m: 2.0 };
    rtcmem.rtcmc.rtcm_header = Some(RtcmHeader { status: GnssStatus::IS_HEALTHY, offset_set: antenna });
    rtcmem
}

fn check(name: &str, message: Message, sample: &str) {
    let bytes = message.to_uper().unwrap_or_else(|error| panic!("{name}: {error}"));
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, sample.trim(), "{name}");
    assert_eq!(Message::decode(&bytes), Ok(message), "{name}");
}

#[test]
fn samples() {
    check("SPATEM", spatem().into(), include_str!("../samples/spatem.hex"));
    check("MAPEM", mapem().into(), include_str!("../samples/mapem.hex"));
    check("SREM", srem().into(), include_str!("../samples/srem.hex"));
    check("SSEM", ssem().into(), include_str!("../samples/ssem.hex"));
    check("RTCMEM", rtcmem().into(), include_str!("../samples/rtcmem.hex"));
}

#[test]
fn our_messages_keep_the_limits_that_are_not_on_the_wire() {
    let checked = [
        spatem().check_limits(),
        mapem().check_limits(),
        srem().check_limits(),
        ssem().check_limits(),
        rtcmem().check_limits(),
    ];
    assert_eq!(checked, [Ok(()), Ok(()), Ok(()), Ok(()), Ok(())]);
}

#[test]
fn what_the_standards_exclude_is_named() {
    let mut late = spatem();
    let timing = late.spat.intersections[0].states[1].state_time_speed[0].timing.as_mut().expect("set above");
    timing.max_end_time = Some(TimeMark::Reserved(36_111));
    let back = Spatem::decode(&late.to_uper().expect("the bytes can carry it")).expect("decodes");
    assert_eq!(back, late);
    let error = back.check_limits().expect_err("a time of another version");
    assert_eq!(&*error.path, "spat.intersections[0].states[1].state-time-speed");

    let mut twice = mapem();
    twice.map.intersections.as_mut().expect("set above")[0].lane_set[1].lane_id = 1;
    let error = twice.check_limits().expect_err("two lanes with one number");
    assert_eq!(&*error.path, "map.intersections[0].laneSet");
    twice.header.protocol_version = 1;
    assert_eq!(&*twice.check_limits().expect_err("another version").path, "header.protocolVersion");
}

#[test]
fn times_outside_their_range_are_errors() {
    let mut late = spatem();
    let timing = late.spat.intersections[0].states[0].state_time_speed[0].timing.as_mut().expect("set above");
    timing.min_end_time = TimeMark::OfHour(36_000);
    let error = late.to_uper().expect_err("not within the hour");
    assert_eq!(&*error.path, ".spat.intersections[0].states[0].state-time-speed[0].timing.minEndTime");
    assert_eq!(error.kind, UperErrorKind::OutOfRange { value: 36_000.0, min: 0, max: 36_111 });
}

/// Trap 6 of the wire: other decoders refuse what they do not know.
#[test]
fn regional_extensions_of_others_are_sent_on_unchanged() {
    let other = |region_id| OtherRegional { region_id, content: Box::from([0x80 | region_id, 0, 1]) };
    let mut spatem = spatem();
    spatem.spat.regional = List::try_from_iter([other(1), other(128)]);
    let state = &mut spatem.spat.intersections[0];
    state.states[3].state_time_speed[0].regional =
        List::try_from_iter([Regional::Other(other(2)), Regional::AddGrpC(MovementEventAddGrpC::default())]);
    // Europe adds nothing to a movement state: its region is as unknown as any other there.
    state.states[3].regional = List::try_from_iter([other(3)]);
    let bytes = spatem.to_uper().expect("encodes");
    let back = Spatem::decode(&bytes).expect("decodes");
    assert_eq!(back, spatem);
    assert_eq!(back.to_uper(), Ok(bytes));

    let mut mapem = mapem();
    let lane = &mut mapem.map.intersections.as_mut().expect("set above")[0].lane_set[1];
    lane.lane_attributes.regional = Some(Regional::Other(other(130)));
    lane.node_list = NodeList::Nodes(
        List::try_from_iter(
            [other(3), other(4)].map(|delta| Node { delta: NodeOffsetPoint::Regional(delta), attributes: None }),
        )
        .expect("two nodes"),
    );
    assert_eq!(Mapem::decode(&mapem.to_uper().expect("encodes")), Ok(mapem));

    spatem.spat.regional = List::try_from_iter([OtherRegional { region_id: 1, content: Box::default() }]);
    let error = spatem.to_uper().expect_err("there is no empty open type");
    assert_eq!(&*error.path, ".spat.regional[0].regExtValue");
}

#[test]
fn additions_of_later_versions_are_sent_on_unchanged() {
    let mut rtcmem = rtcmem();
    rtcmem.rtcmc.msgs[0] = RtcmMessage::try_from_iter([0xFF]).expect("one byte");
    let mut bits = Bits::of(&rtcmem.to_uper().expect("encodes"));
    // The content ends with the last bit that is set; the extension bit follows the header.
    let end = bits.0.iter().rposition(|bit| *bit).expect("eight of them are") + 1;
    bits.0.truncate(end);
    bits.0[48] = true;
    // Two additions are announced, the second of them is there: two bytes.
    bits.insert(end, (1 << 26) | (0b01 << 24) | (2 << 16) | 0xABCD, 7 + 2 + 8 + 16);
    let bytes = bits.bytes();
    let later = Rtcmem::decode(&bytes).expect("an unknown addition is no error");
    assert!(!later.unknown_extensions.is_empty());
    assert_eq!(later.to_uper(), Ok(bytes));
    let mut known = later;
    known.unknown_extensions.clear();
    assert_eq!(known, rtcmem);
}

#[test]
fn what_version_2_2_1_adds_is_read() {
    let mut srem = srem();
    let ocit =
        OcitRequestorDescription { line: Some(7), priority_level: Some(3), ..OcitRequestorDescription::default() };
    srem.srm.requestor.ocit = Some(ocit);
    let kind = srem.srm.requestor.requestor_type.as_mut().expect("set above");
    kind.role = BasicVehicleRole::Tram;
    let back = Srem::decode(&srem.to_uper().expect("encodes")).expect("decodes");
    assert_eq!(back, srem);
    // A role of a still later version keeps its number.
    let kind = srem.srm.requestor.requestor_type.as_mut().expect("set above");
    kind.role = BasicVehicleRole::Other(9);
    assert_eq!(Srem::decode(&srem.to_uper().expect("encodes")), Ok(srem));
}

/// A sender may choose a longer form than needed: it is kept.
#[test]
fn forms_of_offsets_are_kept() {
    let mut mapem = mapem();
    let lanes = &mut mapem.map.intersections.as_mut().expect("set above")[0].lane_set;
    let near = OffsetXy { x_m: 1.0, y_m: -1.0 };
    let forms = [NodeOffsetPoint::Xy16(near), NodeOffsetPoint::Xy13(near), NodeOffsetPoint::Xy10(near)];
    let nodes = forms.map(|delta| Node { delta, attributes: None });
    lanes[1].node_list = NodeList::Nodes(NodeSet::try_from_iter(nodes).expect("three nodes"));
    if let NodeList::Computed(lane) = &mut lanes[3].node_list {
        lane.offset_x_axis = DrivenLineOffset::Large(0.25);
    }
    let back = Mapem::decode(&mapem.to_uper().expect("encodes")).expect("decodes");
    assert_eq!(back, mapem);
    let lanes = &back.map.intersections.as_ref().expect("set above")[0].lane_set;
    let NodeList::Nodes(nodes) = &lanes[1].node_list else { panic!("nodes were sent") };
    assert!(nodes.iter().all(|node| node.delta.offset() == Some(near)));
}

#[test]
fn errors_name_the_component_and_the_bit() {
    let mut bits = Bits::of(&spatem().to_uper().expect("encodes"));
    // Header 48, extension and presence 4, minute of the year 20, count 5: then the first intersection, whose preamble
    // has 7 bits, its name 6 + 7 × 10, its region 1 + 16 + 16, its revision 7. All bits of `moy` set are too many.
    let moy = 48 + 4 + 20 + 5 + 7 + 6 + 70 + 33 + 7 + 16;
    bits.0[moy..moy + 20].fill(true);
    let error = Message::decode(&bits.bytes()).expect_err("no year is that long");
    let expected = "SPATEM.spat.intersections[0].moy at bit 236: 1048575 is not in 0..=527040";
    assert_eq!(error.to_string(), expected);
}
