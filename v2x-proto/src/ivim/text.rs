//! Free text, and the arrangement of signs and texts on a display.

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::ivim::vehicle::VehicleCharacteristicsList;
use crate::ivim::{IviLaneStatus, IviType, LanePositionList, LanePositions, MAX_TEXT_LENGTH, ZoneIdList, ZoneIds};
use crate::uper::bounded::{BoxedUtf8, BytesUpTo, Ext};
use crate::uper::declare::{codes, sequence};

sequence! {
    /// A text in a language (`Text`).
    pub struct Text {
        /// Place on the layout, 1..=4, more as an extension.
        opt layout_component_id: u8 = LayoutId, "layoutComponentId";
        /// Language, ten bits: the two letters of ISO 639-1 in ITA2 code.
        req language: u16 = CountryCodeCodec, "language";
        /// The text; as extra text of a sign at most 32 characters.
        req text_content: Box<str> = BoxedUtf8<0, MAX_TEXT_LENGTH>, "textContent";
    }
}

impl Text {
    /// A text in the language of an ISO 639-1 code such as `it`; `None` when the code is not two letters.
    pub fn new(language: &str, text: impl Into<Box<str>>) -> Option<Self> {
        Some(Self { layout_component_id: None, language: ita2(language)?, text_content: text.into() })
    }
}

/// Two letters, upper or lower case, as the ten bits of ISO 14816: the five ITA2 units of each, the first one highest.
///
/// Countries (ISO 3166-1, `IT` is 0b01100_00001) and languages (ISO 639-1) are sent in this form.
pub fn ita2(letters: &str) -> Option<u16> {
    // Units of A to Z; the first unit transmitted is the highest bit.
    const UNITS: [u8; 26] = [
        0b11000, 0b10011, 0b01110, 0b10010, 0b10000, 0b10110, 0b01011, 0b00101, 0b01100, 0b11010, 0b11110, 0b01001,
        0b00111, 0b00110, 0b00011, 0b01101, 0b11101, 0b01010, 0b10100, 0b00001, 0b11100, 0b01111, 0b11001, 0b10111,
        0b10101, 0b10001,
    ];
    let units =
        |letter: u8| letter.is_ascii_alphabetic().then(|| UNITS[usize::from(letter.to_ascii_uppercase() - b'A')]);
    let [first, second] = letters.as_bytes() else { return None };
    Some(u16::from(units(*first)?) << 5 | u16::from(units(*second)?))
}

/// Texts (`TextLines`), one a language or a place.
pub type TextLines = List<Text, 0, 16>;
/// Codec of [`TextLines`].
pub(crate) type TextLineList = ListExt<Text, 0, 1, 4, 16>;
/// Codec of a place on a layout, and of the layout's own number.
pub(crate) type LayoutId = Ext<Int<u8, 1, 4>, 255>;
/// Codec of the number of a layout that receivers have stored (`preStoredlayoutId`).
pub(crate) type PreStoredLayoutId = Ext<Int<u8, 1, 64>, 255>;

sequence! {
    /// Free text for zones (`TcPart`).
    pub struct TcPart {
        /// Zones in which a receiver notes it.
        opt detection_zone_ids: ZoneIds = ZoneIdList, "detectionZoneIds";
        /// Zones in which it applies.
        req relevance_zone_ids: ZoneIds = ZoneIdList, "relevanceZoneIds";
        /// Direction of travel, relative to that of the zones.
        opt direction: Direction = Direction, "direction";
        /// Zones in which the driver is told.
        opt driver_awareness_zone_ids: ZoneIds = ZoneIdList, "driverAwarenessZoneIds";
        /// Time for which the driver is told at least (`minimumAwarenessTime`), as sent: the published module states no
        /// unit.
        opt minimum_awareness_time: u8 = Int<u8, 0, 255>, "minimumAwarenessTime";
        /// Lanes.
        opt applicable_lanes: LanePositions = LanePositionList, "applicableLanes";
        /// Layout in this message, 1..=4, more as an extension.
        opt layout_id: u8 = LayoutId, "layoutId";
        /// Layout that receivers have, 1..=64, more as an extension.
        opt pre_stored_layout_id: u8 = PreStoredLayoutId, "preStoredlayoutId";
        /// Texts.
        opt text: TextLines = TextLineList, "text";
        /// Data that the sender and its receivers have agreed on.
        req data: Box<[u8]> = BytesUpTo<MAX_TEXT_LENGTH>, "data";
        ...;
        /// What the second edition adds.
        + opt added: Box<TcPartAdded> = OnHeap<TcPartAdded>, "added";
    }
}

impl TcPart {
    /// Name of the second edition's additions in the tables; the standard has them beside the other components.
    pub(crate) const ADDED: &str = "added";

    /// Texts for zones.
    pub fn new(relevance_zone_ids: ZoneIds, text: TextLines) -> Self {
        Self {
            detection_zone_ids: None,
            relevance_zone_ids,
            direction: None,
            driver_awareness_zone_ids: None,
            minimum_awareness_time: None,
            applicable_lanes: None,
            layout_id: None,
            pre_stored_layout_id: None,
            text: Some(text),
            data: Box::default(),
            added: None,
        }
    }
}

sequence! {
    /// What the second edition adds to free text (group of additions of `TcPart`).
    pub struct TcPartAdded {
        /// Kind of information.
        req ivi_type: IviType = IviType, "iviType";
        /// State of the lanes.
        opt lane_status: IviLaneStatus = Ext<IviLaneStatus, 255>, "laneStatus";
        /// Vehicles to which it applies.
        opt vehicle_characteristics: VehicleCharacteristicsList = VehicleCharacteristicsCodec, "vehicleCharacteristics";
    }
}

/// Codec of [`VehicleCharacteristicsList`].
pub(crate) type VehicleCharacteristicsCodec = ListExt<crate::ivim::CompleteVehicleCharacteristics, 0, 1, 8, 32>;

sequence! {
    /// Arrangement of signs and texts (`LayoutContainer`); lengths are in cells of the layout.
    pub struct LayoutContainer {
        /// Number of the layout, 1..=4, more as an extension.
        req layout_id: u8 = LayoutId, "layoutId";
        /// Height, 10..=73.
        opt height: u8 = Int<u8, 10, 73>, "height";
        /// Width, 10..=265.
        opt width: u16 = Int<u16, 10, 265>, "width";
        /// Its places.
        req layout_components: List<LayoutComponent, 0, 16> = ListExt<LayoutComponent, 0, 1, 4, 16>, "layoutComponents";
        ...;
    }
}

sequence! {
    /// One place of a layout (`LayoutComponent`).
    #[derive(Copy, Eq)]
    pub struct LayoutComponent {
        /// Number of the place, 1..=8, more as an extension.
        req layout_component_id: u8 = Ext<Int<u8, 1, 8>, 255>, "layoutComponentId";
        /// Height, 10..=73.
        req height: u8 = Int<u8, 10, 73>, "height";
        /// Width, 10..=265.
        req width: u16 = Int<u16, 10, 265>, "width";
        /// Left edge, 10..=265.
        req x: u16 = Int<u16, 10, 265>, "x";
        /// Upper edge, 10..=73.
        req y: u8 = Int<u8, 10, 73>, "y";
        /// How text runs.
        req text_scripting: TextScripting = TextScripting, "textScripting";
    }
}

codes! {
    /// How text runs (`textScripting`).
    pub enum TextScripting: 0..=1 {
        /// In lines.
        Horizontal = 0,
        /// In columns.
        Vertical = 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_become_ten_bits() {
        assert_eq!(ita2("IT"), Some(0b01100_00001));
        assert_eq!(ita2("it"), ita2("IT"));
        assert_eq!(ita2("DE"), Some(0b10010_10000));
        for wrong in ["", "I", "ITA", "I1", "è"] {
            assert_eq!(ita2(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_two_letters_share_a_code() {
        let codes: std::collections::BTreeSet<_> =
            (b'a'..=b'z').map(|l| ita2(&format!("a{}", char::from(l)))).collect();
        assert_eq!(codes.len(), 26);
    }
}
