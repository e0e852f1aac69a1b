//! What the standards exclude though the bytes could carry it.

use crate::cdd::MessageId;
use crate::dsrc::TimeMark;
use crate::limits::{Checked, LimitError, header, require};
use crate::mapem::{LaneList, Mapem};
use crate::rtcmem::Rtcmem;
use crate::spatem::{IntersectionState, Spatem};
use crate::srem::Srem;
use crate::ssem::Ssem;
use core::fmt::Display;

impl Spatem {
    /// Checks the rules of TS 103 301 and ISO/TS 19091 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Spatem)?;
        let mut intersections = self.spat.intersections.iter().enumerate();
        intersections.try_for_each(|(index, state)| intersection(state, &format_args!("spat.intersections[{index}]")))
    }
}

fn intersection(state: &IntersectionState, path: &dyn Display) -> Checked {
    for (index, movement) in state.states.iter().enumerate() {
        let timings = movement.state_time_speed.iter().filter_map(|event| event.timing);
        let marks = timings.flat_map(|timing| {
            let optional = [timing.start_time, timing.max_end_time, timing.likely_time, timing.next_time];
            optional.into_iter().flatten().chain([timing.min_end_time])
        });
        let reserved = marks.into_iter().any(|mark| matches!(mark, TimeMark::Reserved(_)));
        let rule = "times of at most 36,001 (ISO/TS 19091, TimeMark)";
        require(!reserved, &format_args!("{path}.states[{index}].state-time-speed"), rule)?;
    }
    Ok(())
}

impl Mapem {
    /// Checks the rules of TS 103 301 and ISO/TS 19091 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Mapem)?;
        for (index, intersection) in self.map.intersections.iter().flatten().enumerate() {
            lanes(&intersection.lane_set, &format_args!("map.intersections[{index}].laneSet"))?;
        }
        for (index, segment) in self.map.road_segments.iter().flatten().enumerate() {
            lanes(&segment.road_lane_set, &format_args!("map.roadSegments[{index}].roadLaneSet"))?;
        }
        Ok(())
    }
}

fn lanes(lanes: &LaneList, path: &dyn Display) -> Checked {
    let mut seen = [false; 256];
    for lane in lanes {
        require(lane.lane_id != 255, path, "lane 255 is reserved (ISO/TS 19091, LaneID)")?;
        let again = core::mem::replace(&mut seen[usize::from(lane.lane_id)], true);
        require(!again || lane.lane_id == 0, path, "each lane has its own number (ISO/TS 19091, GenericLane)")?;
    }
    Ok(())
}

impl Srem {
    /// Checks the rules of TS 103 301 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Srem)
    }
}

impl Ssem {
    /// Checks the rules of TS 103 301 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Ssem)
    }
}

impl Rtcmem {
    /// Checks the rules of TS 103 301 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Rtcmem)
    }
}
