//! What the standard excludes though the bytes could carry it.

use crate::cdd::MessageId;
use crate::limits::{LimitError, header, require};
use crate::poim::{PoiBlock, Poim};

impl Poim {
    /// Checks the rules of TS 103 916 v2.1.1 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Poim)?;
        for (index, block) in self.payload.0.iter().enumerate() {
            let PoiBlock::ParkingAvailability(block) = block else { continue };
            for (part, status) in block.aggregated_status.detailed_status.iter().flatten().enumerate() {
                let kind = status.vehicle_types.is_some()
                    || status.reservation_types.is_some()
                    || status.load_types.is_some()
                    || status.parking_fee_types.is_some()
                    || status.occupancy_types.is_some();
                let path = format!("payload[{index}].poiBlock.aggregatedStatus.detailedStatus[{part}]");
                require(kind, &path, "at least one list says which spaces (TS 103 916, ParkingStatus)")?;
            }
        }
        Ok(())
    }
}
