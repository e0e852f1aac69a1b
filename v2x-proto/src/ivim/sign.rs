//! Signs and the zones, lanes and vehicles they apply to (general IVI container).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::ivim::gdd::Iso14823AttributeList;
use crate::ivim::text::{LayoutId, PreStoredLayoutId, TextLineList, VehicleCharacteristicsCodec};
use crate::ivim::var_length::VarLengthNumber;
use crate::ivim::vehicle::VehicleCharacteristicsList;
use crate::ivim::{
    ApplicablePeriod, Iso14823Attributes, LanePositionList, LanePositions, SignUnit, TextLines, ZoneIdList, ZoneIds,
};
use crate::uper::bounded::Ext;
use crate::uper::declare::{choice, codes, enumerated, sequence};

use crate::uper::text::Octets;

sequence! {
    /// Signs for zones (`GicPart`).
    pub struct GicPart {
        /// Zones in which a receiver notes it.
        opt detection_zone_ids: ZoneIds = ZoneIdList, "detectionZoneIds";
        /// Number of the access rule in a registry (`its-Rrid`), up to 270549119 and more as an extension.
        opt its_rrid: u32 = VarLengthNumber, "its-Rrid";
        /// Zones in which it applies.
        opt relevance_zone_ids: ZoneIds = ZoneIdList, "relevanceZoneIds";
        /// Direction of travel, relative to that of the zones.
        opt direction: Direction = Direction, "direction";
        /// Zones in which the driver is told.
        opt driver_awareness_zone_ids: ZoneIds = ZoneIdList, "driverAwarenessZoneIds";
        /// Time for which the driver is told at least (`minimumAwarenessTime`), as sent: the published module states no
        /// unit.
        opt minimum_awareness_time: u8 = Int<u8, 0, 255>, "minimumAwarenessTime";
        /// Lanes.
        opt applicable_lanes: LanePositions = LanePositionList, "applicableLanes";
        /// Kind of information.
        req ivi_type: IviType = IviType, "iviType";
        /// What it is for.
        opt ivi_purpose: IviPurpose = IviPurpose, "iviPurpose";
        /// State of the lanes.
        opt lane_status: IviLaneStatus = Ext<IviLaneStatus, 255>, "laneStatus";
        /// Vehicles to which it applies.
        opt vehicle_characteristics: VehicleCharacteristicsList = VehicleCharacteristicsCodec, "vehicleCharacteristics";
        /// Drivers to whom it applies.
        opt driver_characteristics: DriverCharacteristics = DriverCharacteristics, "driverCharacteristics";
        /// Layout in this message, 1..=4, more as an extension.
        opt layout_id: u8 = LayoutId, "layoutId";
        /// Layout that receivers have, 1..=64, more as an extension.
        opt pre_stored_layout_id: u8 = PreStoredLayoutId, "preStoredlayoutId";
        /// The signs.
        req road_sign_codes: RoadSignCodes = RoadSignCodeList, "roadSignCodes";
        /// Text beside them, at most 32 characters each.
        opt extra_text: TextLines = TextLineList, "extraText";
        ...;
    }
}

impl GicPart {
    /// Signs for zones; which vehicles, lanes and drivers is left open.
    pub fn new(ivi_type: IviType, relevance_zone_ids: ZoneIds, road_sign_codes: RoadSignCodes) -> Self {
        Self {
            detection_zone_ids: None,
            its_rrid: None,
            relevance_zone_ids: Some(relevance_zone_ids),
            direction: None,
            driver_awareness_zone_ids: None,
            minimum_awareness_time: None,
            applicable_lanes: None,
            ivi_type,
            ivi_purpose: None,
            lane_status: None,
            vehicle_characteristics: None,
            driver_characteristics: None,
            layout_id: None,
            pre_stored_layout_id: None,
            road_sign_codes,
            extra_text: None,
        }
    }
}

codes! {
    /// Kind of information (`IviType`).
    pub enum IviType: 0..=7 {
        /// Warning of an immediate danger.
        ImmediateDangerWarning = 0,
        /// Regulation.
        Regulatory = 1,
        /// About traffic.
        TrafficRelatedInformation = 2,
        /// About pollution.
        Pollution = 3,
        /// About something else.
        NotTrafficRelatedInformation = 4,
        /// For machines.
        MachineReadable = 5,
    }
}

codes! {
    /// What information is for (`IviPurpose`).
    pub enum IviPurpose: 0..=3 {
        /// Safety.
        Safety = 0,
        /// Environment.
        Environmental = 1,
        /// Management of traffic.
        TrafficManagement = 2,
    }
}

codes! {
    /// State of a lane (`LaneStatus`).
    pub enum IviLaneStatus: 0..=7 {
        /// Open.
        Open = 0,
        /// Closed.
        Closed = 1,
        /// Merge to the right.
        MergeRight = 2,
        /// Merge to the left.
        MergeLeft = 3,
        /// Merge to either side.
        MergeLeftRight = 4,
        /// Open for the time being.
        ProvisionallyOpen = 5,
        /// Diverges.
        Diverging = 6,
    }
}

codes! {
    /// Drivers to whom information applies (`DriverCharacteristics`).
    pub enum DriverCharacteristics: 0..=3 {
        /// Without experience.
        Unexperienced = 0,
        /// With experience.
        Experienced = 1,
    }
}

/// Signs (`RoadSignCodes`).
pub type RoadSignCodes = List<RsCode, 0, 16>;
/// Codec of [`RoadSignCodes`].
pub(crate) type RoadSignCodeList = ListExt<RsCode, 0, 1, 4, 16>;

sequence! {
    /// One sign (`RSCode`).
    pub struct RsCode {
        /// Place on the layout, 1..=4, more as an extension.
        opt layout_component_id: u8 = LayoutId, "layoutComponentId";
        /// Which sign.
        req code: RoadSignCode = RoadSignCode, "code";
    }
}

impl RsCode {
    /// A sign of ISO 14823 with what it says.
    pub fn iso14823(pictogram_code: PictogramCode, attributes: Option<Iso14823Attributes>) -> Self {
        Self { layout_component_id: None, code: RoadSignCode::Iso14823(Iso14823Code { pictogram_code, attributes }) }
    }
}

choice! {
    /// Which sign, in one of the catalogues.
    pub enum RoadSignCode {
        /// Of the Vienna Convention.
        ViennaConvention(VcCode) = VcCode, "viennaConvention";
        /// Of ISO 14823.
        Iso14823(Iso14823Code) = Iso14823Code, "iso14823";
        /// Of SAE J2540.
        ItisCodes(u16) = Int<u16, 0, 65_535>, "itisCodes";
        /// Of another catalogue.
        AnyCatalogue(AnyCatalogue) = AnyCatalogue, "anyCatalogue";
        ...;
    }
}

sequence! {
    /// A sign of the Vienna Convention (`VcCode`).
    pub struct VcCode {
        /// Class.
        req road_sign_class: VcClass = VcClass, "roadSignClass";
        /// Number in the class, 1..=64.
        req road_sign_code: u8 = Int<u8, 1, 64>, "roadSignCode";
        /// Letter behind the number.
        req vc_option: VcOption = VcOption, "vcOption";
        /// When it applies.
        opt validity: List<ApplicablePeriod, 0, 32> = ListExt<ApplicablePeriod, 0, 1, 8, 32>, "validity";
        /// Number on the sign, in `unit`.
        opt value: u16 = Int<u16, 0, 65_535>, "value";
        /// Unit of the number.
        opt unit: SignUnit = SignUnit, "unit";
    }
}

codes! {
    /// Class of the Vienna Convention (`VcClass`).
    pub enum VcClass: 0..=7 {
        /// Danger warning.
        A = 0,
        /// Priority.
        B = 1,
        /// Prohibition.
        C = 2,
        /// Mandatory.
        D = 3,
        /// Special regulation.
        E = 4,
        /// Information.
        F = 5,
        /// Direction.
        G = 6,
        /// Additional panel.
        H = 7,
    }
}

codes! {
    /// Letter behind the number of a sign (`VcOption`).
    pub enum VcOption: 0..=7 {
        /// None.
        None = 0,
        /// a.
        A = 1,
        /// b.
        B = 2,
        /// c.
        C = 3,
        /// d.
        D = 4,
        /// e.
        E = 5,
        /// f.
        F = 6,
        /// g.
        G = 7,
    }
}

sequence! {
    /// A sign of ISO 14823 (`ISO14823Code`).
    pub struct Iso14823Code {
        /// Which.
        req pictogram_code: PictogramCode = PictogramCode, "pictogramCode";
        /// What it says.
        opt attributes: Iso14823Attributes = Iso14823AttributeList, "attributes";
    }
}

sequence! {
    /// Number of a sign of ISO 14823 (`pictogramCode`): service category and category, such as 12-557 for a speed limit.
    pub struct PictogramCode {
        /// Country whose variant is meant: two bytes, the letters of ISO 3166-1.
        opt country_code: heapless::Vec<u8, 2> = Octets<2, 2>, "countryCode";
        /// Service category: the first part of the number.
        req service_category_code: ServiceCategoryCode = ServiceCategoryCode, "serviceCategoryCode";
        /// Category: the second part.
        req pictogram_category_code: PictogramCategoryCode = PictogramCategoryCode, "pictogramCategoryCode";
    }
}

impl PictogramCode {
    /// The sign `service_category`-`category`, of any country. Service categories are 11 to 13 (traffic signs), 21 (public
    /// facilities), 31 and 32 (conditions); `None` for others, or for a category below 100 or above 999.
    pub fn new(service_category: u8, category: u16) -> Option<Self> {
        let service_category_code = match service_category {
            11 => ServiceCategoryCode::TrafficSign(TrafficSignPictogram::DangerWarning),
            12 => ServiceCategoryCode::TrafficSign(TrafficSignPictogram::Regulatory),
            13 => ServiceCategoryCode::TrafficSign(TrafficSignPictogram::Informative),
            21 => ServiceCategoryCode::PublicFacilities(PublicFacilitiesPictogram::PublicFacilities),
            31 => ServiceCategoryCode::Condition(ConditionPictogram::AmbientCondition),
            32 => ServiceCategoryCode::Condition(ConditionPictogram::RoadCondition),
            _ => return None,
        };
        let (nature, serial_number) = ((category / 100) as u8, (category % 100) as u8);
        let pictogram_category_code = PictogramCategoryCode { nature, serial_number };
        (100..=999).contains(&category).then_some(Self {
            country_code: None,
            service_category_code,
            pictogram_category_code,
        })
    }

    /// Service category and category, such as (12, 557); `None` for another service category.
    pub fn number(&self) -> Option<(u8, u16)> {
        let service_category = match &self.service_category_code {
            ServiceCategoryCode::TrafficSign(TrafficSignPictogram::DangerWarning) => 11,
            ServiceCategoryCode::TrafficSign(TrafficSignPictogram::Regulatory) => 12,
            ServiceCategoryCode::TrafficSign(TrafficSignPictogram::Informative) => 13,
            ServiceCategoryCode::PublicFacilities(PublicFacilitiesPictogram::PublicFacilities) => 21,
            ServiceCategoryCode::Condition(ConditionPictogram::AmbientCondition) => 31,
            ServiceCategoryCode::Condition(ConditionPictogram::RoadCondition) => 32,
            _ => return None,
        };
        let PictogramCategoryCode { nature, serial_number } = self.pictogram_category_code;
        Some((service_category, u16::from(nature) * 100 + u16::from(serial_number)))
    }
}

choice! {
    /// Service category of a sign (`serviceCategoryCode`).
    pub enum ServiceCategoryCode {
        /// Traffic sign.
        TrafficSign(TrafficSignPictogram) = TrafficSignPictogram, "trafficSignPictogram";
        /// Public facility.
        PublicFacilities(PublicFacilitiesPictogram) = PublicFacilitiesPictogram, "publicFacilitiesPictogram";
        /// Condition of the surroundings or of the road.
        Condition(ConditionPictogram) = ConditionPictogram, "ambientOrRoadConditionPictogram";
        ...;
        /// Additional panel.
        + SupplementaryPanel(SupplementaryPanelPictogram) = SupplementaryPanelPictogram, "supplementaryPanel";
    }
}

enumerated! {
    /// Kind of traffic sign (`trafficSignPictogram`).
    pub enum TrafficSignPictogram {
        /// Danger warning (11).
        DangerWarning "dangerWarning",
        /// Regulation (12).
        Regulatory "regulatory",
        /// Information (13).
        Informative "informative",
        ...
    }
}

enumerated! {
    /// Kind of facility sign (`publicFacilitiesPictogram`).
    pub enum PublicFacilitiesPictogram {
        /// Public facilities (21).
        PublicFacilities "publicFacilities",
        ...
    }
}

enumerated! {
    /// Kind of condition sign (`ambientOrRoadConditionPictogram`).
    pub enum ConditionPictogram {
        /// Ambient condition (31).
        AmbientCondition "ambientCondition",
        /// Road condition (32).
        RoadCondition "roadCondition",
        ...
    }
}

enumerated! {
    /// Kind of additional panel (`supplementaryPanel`).
    pub enum SupplementaryPanelPictogram {
        /// Supplementary panel.
        Panel "supplementaryPanelAndAdditionalPanel",
        ...
    }
}

sequence! {
    /// Category of a sign (`pictogramCategoryCode`): hundreds and the rest of its number.
    #[derive(Copy, Eq)]
    pub struct PictogramCategoryCode {
        /// Hundreds, 1..=9.
        req nature: u8 = Int<u8, 1, 9>, "nature";
        /// Rest, 0..=99.
        req serial_number: u8 = Int<u8, 0, 99>, "serialNumber";
    }
}

sequence! {
    /// A sign of another catalogue (`AnyCatalogue`).
    pub struct AnyCatalogue {
        /// Who keeps the catalogue.
        req owner: Provider = Provider, "owner";
        /// Its version.
        req version: u8 = Int<u8, 0, 255>, "version";
        /// Number of the sign.
        req pictogram_code: u16 = Int<u16, 0, 65_535>, "pictogramCode";
        /// Number on the sign, in `unit`.
        opt value: u16 = Int<u16, 0, 65_535>, "value";
        /// Unit of the number.
        opt unit: SignUnit = SignUnit, "unit";
        /// What it says.
        opt attributes: Iso14823Attributes = Iso14823AttributeList, "attributes";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_named_by_their_number() {
        let limit = PictogramCode::new(12, 557).expect("a regulatory sign");
        assert_eq!(limit.service_category_code, ServiceCategoryCode::TrafficSign(TrafficSignPictogram::Regulatory));
        assert_eq!(limit.pictogram_category_code, PictogramCategoryCode { nature: 5, serial_number: 57 });
        for (service_category, category) in [(11, 100), (12, 557), (13, 999), (21, 101), (31, 110), (32, 120)] {
            let code = PictogramCode::new(service_category, category).expect("a sign");
            assert_eq!(code.number(), Some((service_category, category)));
        }
        for (service_category, category) in [(10, 100), (12, 99), (12, 1000), (42, 100)] {
            assert_eq!(PictogramCode::new(service_category, category), None, "{service_category}-{category}");
        }
    }
}
