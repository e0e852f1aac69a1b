//! Signal phase and timing message (TS 103 301 v2.1.1 on ISO/TS 19091:2019, protocol version 2; v2.2.1 is the same on
//! the wire).
//!
//! In: the state of signals as plain values. Out: a [`Spatem`]. Absent: when to send one (a facility decides).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::dsrc::codec::{
    ByteId, DSecond, MinuteOfTheYear, MsgCount, NameCodec, OtherRegionalsCodec, RegionalsOf, SpeedAdvice, ZoneLength,
};
use crate::dsrc::time::{minute_of_the_year, ms_of_minute};
use crate::dsrc::{
    ConnectionManeuverAssistAddGrpC, DescriptiveName, IntersectionReferenceId, IntersectionStateAddGrpC,
    MovementEventAddGrpC, OtherRegionals, Regionals, SignalGroupId, SpeedConfidence, TimeMark,
};
use crate::message::message;
use crate::time::Timestamp;
use crate::uper::declare::{bit_string, enumerated, sequence};
use crate::uper::element::Coded;
use crate::uper::{UnknownExtensions, UperErrorKind};

message! {
    /// Signal phase and timing message (`SPATEM`): header with protocol version 2 and message id 4.
    pub struct Spatem: "SPATEM", MessageId::Spatem, version 2, by_value {
        /// Content.
        spat: Spat, "spat";
    }
}

impl Spatem {
    /// A SPATEM of `station_id`, generated at `generated_at`.
    pub fn new(station_id: StationId, generated_at: Timestamp, intersections: IntersectionStates) -> Self {
        let time_stamp = Some(Some(minute_of_the_year(generated_at)));
        Self {
            header: ItsPduHeader {
                protocol_version: Self::PROTOCOL_VERSION,
                message_id: MessageId::Spatem,
                station_id,
            },
            spat: Spat { time_stamp, name: None, intersections, regional: None },
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// The value under the standard's names (X.697); release 2 is v2.2.1.
    #[cfg(feature = "std")]
    pub fn to_jer(&self, release: crate::jer::Release) -> serde_json::Value {
        self.jer_by_table(release)
    }
}

sequence! {
    /// Content of a SPATEM (`SPAT`).
    pub struct Spat {
        /// Minute of the year, 0..=527,039.
        opt time_stamp: Option<u32> = MinuteOfTheYear, "timeStamp";
        /// Name for people.
        opt name: DescriptiveName = NameCodec, "name";
        /// Intersections.
        req intersections: IntersectionStates = ListOf<IntersectionState, 1, 1, 32>, "intersections";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

/// Intersections (`IntersectionStateList`), 1 to 32.
pub type IntersectionStates = List<IntersectionState, 1, 32>;

sequence! {
    /// State of an intersection (`IntersectionState`).
    pub struct IntersectionState {
        /// Name for people.
        opt name: DescriptiveName = NameCodec, "name";
        /// The intersection.
        req id: IntersectionReferenceId = IntersectionReferenceId, "id";
        /// Counts the changes of the content, modulo 128.
        req revision: u8 = MsgCount, "revision";
        /// State of the controller.
        req status: IntersectionStatus = IntersectionStatus, "status";
        /// Minute of the year, 0..=527,039.
        opt moy: Option<u32> = MinuteOfTheYear, "moy";
        /// Milliseconds of the minute at which the state was taken.
        opt time_stamp_ms: Option<u16> = DSecond, "timeStamp";
        /// Revocable lanes that are in force.
        opt enabled_lanes: List<u8, 8, 16> = ListOf<ByteId, 8, 1, 16>, "enabledLanes";
        /// Signal groups.
        req states: MovementStates = ListOf<MovementState, { inline(0, 16) }, 1, 255>, "states";
        /// Queues and waiting road users.
        opt maneuver_assist_list: ManeuverAssistList = ManeuverAssistListCodec, "maneuverAssistList";
        /// What Europe and other regions add.
        opt regional: Regionals<IntersectionStateAddGrpC> = RegionalsOf<IntersectionStateAddGrpC>, "regional";
        ...;
    }
}

impl IntersectionState {
    /// The state of an intersection, taken at `at`.
    pub fn new(
        id: IntersectionReferenceId,
        revision: u8,
        status: IntersectionStatus,
        at: Timestamp,
        states: MovementStates,
    ) -> Self {
        Self {
            name: None,
            id,
            revision,
            status,
            moy: Some(Some(minute_of_the_year(at))),
            time_stamp_ms: Some(Some(ms_of_minute(at))),
            enabled_lanes: None,
            states,
            maneuver_assist_list: None,
            regional: None,
        }
    }
}

bit_string! {
    /// State of a signal controller (`IntersectionStatusObject`).
    pub struct IntersectionStatus: 16 {
        /// Operated by hand.
        MANUAL_CONTROL_IS_ENABLED = 0 "manualControlIsEnabled",
        /// Stopped in its phase.
        STOP_TIME_IS_ACTIVATED = 1 "stopTimeIsActivated",
        /// Flashing because of a failure or conflict.
        FAILURE_FLASH = 2 "failureFlash",
        /// Preempted.
        PREEMPT_IS_ACTIVE = 3 "preemptIsActive",
        /// Giving priority.
        SIGNAL_PRIORITY_IS_ACTIVE = 4 "signalPriorityIsActive",
        /// Fixed plan.
        FIXED_TIME_OPERATION = 5 "fixedTimeOperation",
        /// Dependent on traffic.
        TRAFFIC_DEPENDENT_OPERATION = 6 "trafficDependentOperation",
        /// Stand-by: flashing or dark in part.
        STANDBY_OPERATION = 7 "standbyOperation",
        /// Failed.
        FAILURE_MODE = 8 "failureMode",
        /// Off.
        OFF = 9 "off",
        /// The map changed recently.
        RECENT_MAP_MESSAGE_UPDATE = 10 "recentMAPmessageUpdate",
        /// The lanes of the map in use changed recently.
        RECENT_CHANGE_IN_MAP_ASSIGNED_LANES_IDS_USED = 11 "recentChangeInMAPassignedLanesIDsUsed",
        /// There is no valid map.
        NO_VALID_MAP_IS_AVAILABLE_AT_THIS_TIME = 12 "noValidMAPisAvailableAtThisTime",
        /// There is no valid signal state.
        NO_VALID_SPAT_IS_AVAILABLE_AT_THIS_TIME = 13 "noValidSPATisAvailableAtThisTime",
    }
}

/// Signal groups (`MovementList`), 1 to 255.
pub type MovementStates = List<MovementState, { inline(0, 16) }, 255>;

sequence! {
    /// State of a signal group (`MovementState`).
    pub struct MovementState {
        /// Name for people.
        opt movement_name: DescriptiveName = NameCodec, "movementName";
        /// The signal group.
        req signal_group: SignalGroupId = SignalGroupId, "signalGroup";
        /// What it shows now and next, 1 to 16.
        req state_time_speed: MovementEvents = ListOf<MovementEvent, { inline(1, 2) }, 1, 16>, "state-time-speed";
        /// Queues and waiting road users.
        opt maneuver_assist_list: ManeuverAssistList = ManeuverAssistListCodec, "maneuverAssistList";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

impl MovementState {
    /// A signal group and what it shows now and next.
    pub fn new(signal_group: SignalGroupId, state_time_speed: MovementEvents) -> Self {
        Self { movement_name: None, signal_group, state_time_speed, maneuver_assist_list: None, regional: None }
    }
}

/// What a signal group shows, the present first (`MovementEventList`), 1 to 16.
pub type MovementEvents = List<MovementEvent, { inline(1, 2) }, 16>;

sequence! {
    /// A phase of a signal group (`MovementEvent`).
    #[derive(Default)]
    pub struct MovementEvent {
        /// What it shows.
        req event_state: MovementPhaseState = MovementPhaseState, "eventState";
        /// From when to when.
        opt timing: TimeChangeDetails = TimeChangeDetails, "timing";
        /// Advised speeds.
        opt speeds: List<AdvisorySpeed, { inline(0, 1) }, 16> = ListOf<AdvisorySpeed, { inline(0, 1) }, 1, 16>, "speeds";
        /// What Europe and other regions add.
        opt regional: Regionals<MovementEventAddGrpC> = RegionalsOf<MovementEventAddGrpC>, "regional";
        ...;
    }
}

impl MovementEvent {
    /// A phase with its timing.
    pub fn new(event_state: MovementPhaseState, timing: TimeChangeDetails) -> Self {
        Self { event_state, timing: Some(timing), ..Self::default() }
    }
}

enumerated! {
    /// What a signal group shows (`MovementPhaseState`).
    #[derive(Default)]
    pub enum MovementPhaseState {
        /// Not known.
        #[default]
        Unavailable "unavailable",
        /// Dark.
        Dark "dark",
        /// Flashing red: stop, then proceed.
        StopThenProceed "stop-Then-Proceed",
        /// Red.
        StopAndRemain "stop-And-Remain",
        /// Red and yellow: prepare to proceed.
        PreMovement "pre-Movement",
        /// Green, give way to conflicting traffic.
        PermissiveMovementAllowed "permissive-Movement-Allowed",
        /// Green arrow: no conflicting traffic.
        ProtectedMovementAllowed "protected-Movement-Allowed",
        /// Yellow, give way to conflicting traffic.
        PermissiveClearance "permissive-clearance",
        /// Yellow arrow.
        ProtectedClearance "protected-clearance",
        /// Flashing yellow.
        CautionConflictingTraffic "caution-Conflicting-Traffic",
    }
}

sequence! {
    /// When a phase starts and ends (`TimeChangeDetails`).
    #[derive(Copy, Default)]
    pub struct TimeChangeDetails {
        /// When it started or will start.
        opt start_time: TimeMark = TimeMark, "startTime";
        /// Earliest end.
        req min_end_time: TimeMark = TimeMark, "minEndTime";
        /// Latest end.
        opt max_end_time: TimeMark = TimeMark, "maxEndTime";
        /// Best guess of the end.
        opt likely_time: TimeMark = TimeMark, "likelyTime";
        /// Class of the confidence that it ends at `likely_time`.
        opt confidence: TimeIntervalConfidence = TimeIntervalConfidence, "confidence";
        /// When the phase comes again.
        opt next_time: TimeMark = TimeMark, "nextTime";
    }
}

/// Confidence in a time, a class of 0..=15 (`TimeIntervalConfidence`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeIntervalConfidence(pub u8);

impl TimeIntervalConfidence {
    /// Probability that each class stands for, percent.
    const PERCENT: [u8; 16] = [21, 36, 47, 56, 62, 68, 73, 77, 81, 85, 88, 91, 94, 96, 98, 100];

    /// The highest class whose probability is not above `percent`, the lowest below 21 %.
    pub fn from_percent(percent: u8) -> Self {
        Self(Self::PERCENT.iter().rposition(|class| *class <= percent).unwrap_or(0) as u8)
    }

    /// The probability of the class, percent.
    pub fn percent(self) -> u8 {
        Self::PERCENT[usize::from(self.0.min(15))]
    }
}

impl Coded for TimeIntervalConfidence {
    type Value = Self;
    const MIN: i64 = 0;
    const MAX: i64 = 15;

    fn to_code(value: &Self) -> Result<i64, UperErrorKind> {
        Ok(value.0.into())
    }

    fn from_code(code: i64) -> Self {
        Self(code as u8)
    }
}

sequence! {
    /// An advised speed (`AdvisorySpeed`).
    #[derive(Default)]
    pub struct AdvisorySpeed {
        /// Why it is advised.
        req advisory_type: AdvisorySpeedType = AdvisorySpeedType, "type";
        /// Speed, m/s (0.1 m/s, up to 49.8 m/s).
        opt speed_mps: Option<Reading> = SpeedAdvice, "speed";
        /// Accuracy of the speed.
        opt confidence: SpeedConfidence = SpeedConfidence, "confidence";
        /// Distance before the stop line over which it is advised, metres (1 m, up to 9,999 m).
        opt distance_m: Option<Reading<u16>> = ZoneLength, "distance";
        /// Restriction class for which it is advised.
        opt class: u8 = ByteId, "class";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

enumerated! {
    /// Why a speed is advised (`AdvisorySpeedType`).
    #[derive(Default)]
    pub enum AdvisorySpeedType {
        /// No reason given.
        #[default]
        None "none",
        /// To arrive at green.
        Greenwave "greenwave",
        /// To save energy.
        EcoDrive "ecoDrive",
        /// Public transport.
        Transit "transit",
        ...
    }
}

/// Queues and waiting road users (`ManeuverAssistList`), 1 to 16.
pub type ManeuverAssistList = List<ConnectionManeuverAssist, { inline(0, 1) }, 16>;
type ManeuverAssistListCodec = ListOf<ConnectionManeuverAssist, { inline(0, 1) }, 1, 16>;

sequence! {
    /// Queue and waiting road users of a connection of lanes (`ConnectionManeuverAssist`).
    #[derive(Default)]
    pub struct ConnectionManeuverAssist {
        /// Connection.
        req connection_id: u8 = ByteId, "connectionID";
        /// Length of the queue behind the stop line, metres (1 m, up to 9,999 m).
        opt queue_length_m: Option<Reading<u16>> = ZoneLength, "queueLength";
        /// Room behind the intersection, metres (1 m, up to 9,999 m).
        opt available_storage_length_m: Option<Reading<u16>> = ZoneLength, "availableStorageLength";
        /// Whether to wait at the stop line.
        opt wait_on_stop: bool = bool, "waitOnStop";
        /// Whether pedestrians or bicycles were seen that cross.
        opt ped_bicycle_detect: bool = bool, "pedBicycleDetect";
        /// What Europe and other regions add.
        opt regional: Regionals<ConnectionManeuverAssistAddGrpC> = RegionalsOf<ConnectionManeuverAssistAddGrpC>, "regional";
        ...;
    }
}
