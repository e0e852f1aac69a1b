//! GNSS correction message (TS 103 301 v2.1.1 on ISO/TS 19091:2019, protocol version 1).
//!
//! In: RTCM messages as bytes. Out: a [`Rtcmem`]. Absent: what RTCM messages mean, and when to send one.

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::dsrc::codec::{
    Angle, DDay, DHour, DMinute, DMonth, DOffset, DSecond, DYear, Elevation, HexOctets, MinuteOfTheYear, MsgCount,
    Offset9, Offset10, Offset12, OtherRegionalsCodec, SemiAxisAccuracy, SemiMajorAxisOrientation,
};
use crate::dsrc::time::minute_of_the_year;
use crate::dsrc::{OtherRegionals, SpeedConfidence, TransmissionAndSpeed};
use crate::message::message;
use crate::time::Timestamp;
use crate::uper::UnknownExtensions;
use crate::uper::declare::{bit_string, enumerated, sequence};

message! {
    /// GNSS correction message (`RTCMEM`): header with protocol version 1 and message id 13.
    pub struct Rtcmem: "RTCMEM", MessageId::Rtcmem, version 1, by_value {
        /// Content.
        rtcmc: RtcmCorrections, "rtcmc";
    }
}

impl Rtcmem {
    /// A RTCMEM of `station_id` with RTCM messages, generated at `generated_at`; `msg_cnt` counts its messages, modulo 128.
    pub fn new(
        station_id: StationId,
        generated_at: Timestamp,
        msg_cnt: u8,
        rev: RtcmRevision,
        msgs: RtcmMessages,
    ) -> Self {
        let rtcmc = RtcmCorrections {
            msg_cnt,
            rev,
            time_stamp: Some(Some(minute_of_the_year(generated_at))),
            anchor_point: None,
            rtcm_header: None,
            msgs,
            regional: None,
        };
        Self {
            header: ItsPduHeader {
                protocol_version: Self::PROTOCOL_VERSION,
                message_id: MessageId::Rtcmem,
                station_id,
            },
            rtcmc,
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// The value under the standard's names (X.697).
    #[cfg(feature = "std")]
    pub fn to_jer(&self, release: crate::jer::Release) -> serde_json::Value {
        self.jer_by_table(release)
    }
}

sequence! {
    /// Content of a RTCMEM (`RTCMcorrections`).
    pub struct RtcmCorrections {
        /// Counts the messages of the sender, modulo 128.
        req msg_cnt: u8 = MsgCount, "msgCnt";
        /// Which RTCM standard.
        req rev: RtcmRevision = RtcmRevision, "rev";
        /// Minute of the year, 0..=527,039.
        opt time_stamp: Option<u32> = MinuteOfTheYear, "timeStamp";
        /// Position of the reference station.
        opt anchor_point: Box<FullPositionVector> = OnHeap<FullPositionVector>, "anchorPoint";
        /// State and antenna of the reference station.
        opt rtcm_header: RtcmHeader = RtcmHeader, "rtcmHeader";
        /// RTCM messages.
        req msgs: RtcmMessages = ListOf<RtcmMessageCodec, 1, 1, 5>, "msgs";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

/// RTCM messages (`RTCMmessageList`), 1 to 5.
pub type RtcmMessages = List<RtcmMessage, 1, 5>;
/// A RTCM message (`RTCMmessage`), 1 to 1,023 bytes.
pub type RtcmMessage = List<u8, 0, 1023>;
type RtcmMessageCodec = HexOctets<0, 1, 1023>;

enumerated! {
    /// Which RTCM standard (`RTCM-Revision`).
    #[derive(Default)]
    pub enum RtcmRevision {
        /// Not known.
        #[default]
        Unknown "unknown",
        /// Version 2 (10402).
        Rev2 "rtcmRev2",
        /// Version 3 (10403).
        Rev3 "rtcmRev3",
        /// Without meaning.
        Reserved "reserved",
        ...
    }
}

sequence! {
    /// State and antenna of the reference station (`RTCMheader`).
    #[derive(Copy, Default)]
    pub struct RtcmHeader {
        /// State.
        req status: GnssStatus = GnssStatus, "status";
        /// Antenna.
        req offset_set: AntennaOffsetSet = AntennaOffsetSet, "offsetSet";
    }
}

bit_string! {
    /// State of a GNSS receiver (`GNSSstatus`).
    pub struct GnssStatus: 8 {
        /// Not known.
        UNAVAILABLE = 0 "unavailable",
        /// Healthy.
        IS_HEALTHY = 1 "isHealthy",
        /// Monitored.
        IS_MONITORED = 2 "isMonitored",
        /// A base station.
        BASE_STATION_TYPE = 3 "baseStationType",
        /// Dilution of precision below 5.
        A_PDOP_OF_UNDER_5 = 4 "aPDOPofUnder5",
        /// Fewer than five satellites.
        IN_VIEW_OF_UNDER_5 = 5 "inViewOfUnder5",
        /// Local corrections are in use.
        LOCAL_CORRECTIONS_PRESENT = 6 "localCorrectionsPresent",
        /// Network corrections are in use.
        NETWORK_CORRECTIONS_PRESENT = 7 "networkCorrectionsPresent",
    }
}

sequence! {
    /// Offset of an antenna from the anchor point (`AntennaOffsetSet`).
    #[derive(Copy, Default)]
    pub struct AntennaOffsetSet {
        /// Along the first axis, metres (0.01 m, ±20.47 m).
        req ant_offset_x_m: f32 = Offset12, "antOffsetX";
        /// Along the second axis, metres (0.01 m, ±2.55 m).
        req ant_offset_y_m: f32 = Offset9, "antOffsetY";
        /// Upwards, metres (0.01 m, ±5.11 m).
        req ant_offset_z_m: f32 = Offset10, "antOffsetZ";
    }
}

sequence! {
    /// Position, time and motion with their accuracy (`FullPositionVector`).
    #[derive(Default)]
    pub struct FullPositionVector {
        /// When.
        opt utc_time: DateTime = DateTime, "utcTime";
        /// Longitude, degrees east (0.1 µdeg).
        req longitude_deg: Option<f64> = Longitude, "long";
        /// Latitude, degrees north (0.1 µdeg).
        req latitude_deg: Option<f64> = Latitude, "lat";
        /// Height above the WGS 84 ellipsoid, metres (0.1 m, -409.5..6,143.9 m).
        opt elevation_m: Option<f32> = Elevation, "elevation";
        /// Heading, degrees clockwise from north (0.0125°).
        opt heading_deg: Option<f32> = Angle, "heading";
        /// Gear and speed.
        opt speed: TransmissionAndSpeed = TransmissionAndSpeed, "speed";
        /// Ellipse of the horizontal position.
        opt pos_accuracy: PositionalAccuracy = PositionalAccuracy, "posAccuracy";
        /// Accuracy of the time.
        opt time_confidence: TimeConfidence = TimeConfidence, "timeConfidence";
        /// Accuracy of the position.
        opt pos_confidence: PositionConfidenceSet = PositionConfidenceSet, "posConfidence";
        /// Accuracy of the motion.
        opt speed_confidence: MotionConfidence = MotionConfidence, "speedConfidence";
        ...;
    }
}

sequence! {
    /// Date and time (`DDateTime`); a part may be absent, and a present one not known.
    #[derive(Copy, Default)]
    pub struct DateTime {
        /// Year.
        opt year: Option<u16> = DYear, "year";
        /// Month, 1..=12.
        opt month: Option<u8> = DMonth, "month";
        /// Day, 1..=31.
        opt day: Option<u8> = DDay, "day";
        /// Hour; 24 and more are hours after a day's end.
        opt hour: Option<u8> = DHour, "hour";
        /// Minute, 0..=59.
        opt minute: Option<u8> = DMinute, "minute";
        /// Milliseconds of the minute.
        opt second_ms: Option<u16> = DSecond, "second";
        /// Offset of the time zone, minutes (-839..=840).
        opt offset_min: Option<i16> = DOffset, "offset";
    }
}

sequence! {
    /// Ellipse of a horizontal position, one standard deviation (`PositionalAccuracy`).
    #[derive(Copy, Default)]
    pub struct PositionalAccuracy {
        /// Semi-major axis, metres (0.05 m, up to 12.65 m).
        req semi_major_m: Option<Reading> = SemiAxisAccuracy, "semiMajor";
        /// Semi-minor axis, metres (0.05 m, up to 12.65 m).
        req semi_minor_m: Option<Reading> = SemiAxisAccuracy, "semiMinor";
        /// Direction of the semi-major axis, degrees clockwise from north (0.0055°).
        req orientation_deg: Option<f32> = SemiMajorAxisOrientation, "orientation";
    }
}

sequence! {
    /// Accuracy of a position (`PositionConfidenceSet`).
    #[derive(Copy, Default)]
    pub struct PositionConfidenceSet {
        /// Horizontally.
        req pos: PositionConfidence = PositionConfidence, "pos";
        /// Vertically.
        req elevation: ElevationConfidence = ElevationConfidence, "elevation";
    }
}

sequence! {
    /// Accuracy of a motion (`SpeedandHeadingandThrottleConfidence`).
    #[derive(Copy, Default)]
    pub struct MotionConfidence {
        /// Heading.
        req heading: HeadingConfidence = HeadingConfidence, "heading";
        /// Speed.
        req speed: SpeedConfidence = SpeedConfidence, "speed";
        /// Throttle.
        req throttle: ThrottleConfidence = ThrottleConfidence, "throttle";
    }
}

enumerated! {
    /// Accuracy of a heading: 95 % of values are within this (`HeadingConfidence`).
    #[derive(Default)]
    pub enum HeadingConfidence {
        /// Not known.
        #[default]
        Unavailable "unavailable",
        /// 10°.
        Within10deg "prec10deg",
        /// 5°.
        Within5deg "prec05deg",
        /// 1°.
        Within1deg "prec01deg",
        /// 0.1°.
        Within0_1deg "prec0-1deg",
        /// 0.05°.
        Within0_05deg "prec0-05deg",
        /// 0.01°.
        Within0_01deg "prec0-01deg",
        /// 0.0125°.
        Within0_0125deg "prec0-0125deg",
    }
}

enumerated! {
    /// Accuracy of a throttle's position (`ThrottleConfidence`).
    #[derive(Default)]
    pub enum ThrottleConfidence {
        /// Not known.
        #[default]
        Unavailable "unavailable",
        /// 10 %.
        Within10percent "prec10percent",
        /// 1 %.
        Within1percent "prec1percent",
        /// 0.5 %.
        Within0_5percent "prec0-5percent",
    }
}

enumerated! {
    /// Accuracy of a horizontal position: 95 % of values are within this (`PositionConfidence`).
    #[derive(Default)]
    pub enum PositionConfidence {
        /// Not known.
        #[default]
        Unavailable "unavailable",
        /// 500 m.
        Within500m "a500m",
        /// 200 m.
        Within200m "a200m",
        /// 100 m.
        Within100m "a100m",
        /// 50 m.
        Within50m "a50m",
        /// 20 m.
        Within20m "a20m",
        /// 10 m.
        Within10m "a10m",
        /// 5 m.
        Within5m "a5m",
        /// 2 m.
        Within2m "a2m",
        /// 1 m.
        Within1m "a1m",
        /// 0.5 m.
        Within0_5m "a50cm",
        /// 0.2 m.
        Within0_2m "a20cm",
        /// 0.1 m.
        Within0_1m "a10cm",
        /// 0.05 m.
        Within0_05m "a5cm",
        /// 0.02 m.
        Within0_02m "a2cm",
        /// 0.01 m.
        Within0_01m "a1cm",
    }
}

enumerated! {
    /// Accuracy of a height: 95 % of values are within this (`ElevationConfidence`).
    #[derive(Default)]
    pub enum ElevationConfidence {
        /// Not known.
        #[default]
        Unavailable "unavailable",
        /// 500 m.
        Within500m "elev-500-00",
        /// 200 m.
        Within200m "elev-200-00",
        /// 100 m.
        Within100m "elev-100-00",
        /// 50 m.
        Within50m "elev-050-00",
        /// 20 m.
        Within20m "elev-020-00",
        /// 10 m.
        Within10m "elev-010-00",
        /// 5 m.
        Within5m "elev-005-00",
        /// 2 m.
        Within2m "elev-002-00",
        /// 1 m.
        Within1m "elev-001-00",
        /// 0.5 m.
        Within0_5m "elev-000-50",
        /// 0.2 m.
        Within0_2m "elev-000-20",
        /// 0.1 m.
        Within0_1m "elev-000-10",
        /// 0.05 m.
        Within0_05m "elev-000-05",
        /// 0.02 m.
        Within0_02m "elev-000-02",
        /// 0.01 m.
        Within0_01m "elev-000-01",
    }
}

enumerated! {
    /// Accuracy of a time: 95 % of values are within this (`TimeConfidence`).
    #[derive(Default)]
    pub enum TimeConfidence {
        /// Not known.
        #[default]
        Unavailable "unavailable",
        /// 100 s.
        Within100s "time-100-000",
        /// 50 s.
        Within50s "time-050-000",
        /// 20 s.
        Within20s "time-020-000",
        /// 10 s.
        Within10s "time-010-000",
        /// 2 s.
        Within2s "time-002-000",
        /// 1 s.
        Within1s "time-001-000",
        /// 500 ms.
        Within500ms "time-000-500",
        /// 200 ms.
        Within200ms "time-000-200",
        /// 100 ms.
        Within100ms "time-000-100",
        /// 50 ms.
        Within50ms "time-000-050",
        /// 20 ms.
        Within20ms "time-000-020",
        /// 10 ms.
        Within10ms "time-000-010",
        /// 5 ms.
        Within5ms "time-000-005",
        /// 2 ms.
        Within2ms "time-000-002",
        /// 1 ms.
        Within1ms "time-000-001",
        /// 500 µs.
        Within500us "time-000-000-5",
        /// 200 µs.
        Within200us "time-000-000-2",
        /// 100 µs.
        Within100us "time-000-000-1",
        /// 50 µs.
        Within50us "time-000-000-05",
        /// 20 µs.
        Within20us "time-000-000-02",
        /// 10 µs.
        Within10us "time-000-000-01",
        /// 5 µs.
        Within5us "time-000-000-005",
        /// 2 µs.
        Within2us "time-000-000-002",
        /// 1 µs.
        Within1us "time-000-000-001",
        /// 500 ns.
        Within500ns "time-000-000-000-5",
        /// 200 ns.
        Within200ns "time-000-000-000-2",
        /// 100 ns.
        Within100ns "time-000-000-000-1",
        /// 50 ns.
        Within50ns "time-000-000-000-05",
        /// 20 ns.
        Within20ns "time-000-000-000-02",
        /// 10 ns.
        Within10ns "time-000-000-000-01",
        /// 5 ns.
        Within5ns "time-000-000-000-005",
        /// 2 ns.
        Within2ns "time-000-000-000-002",
        /// 1 ns.
        Within1ns "time-000-000-000-001",
        /// 500 ps.
        Within500ps "time-000-000-000-000-5",
        /// 200 ps.
        Within200ps "time-000-000-000-000-2",
        /// 100 ps.
        Within100ps "time-000-000-000-000-1",
        /// 50 ps.
        Within50ps "time-000-000-000-000-05",
        /// 20 ps.
        Within20ps "time-000-000-000-000-02",
        /// 10 ps.
        Within10ps "time-000-000-000-000-01",
    }
}
