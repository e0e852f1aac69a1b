//! In-vehicle information message (TS 103 301 v2.1.1 with ISO/TS 19321:2020, and the draft of v2.2.1 with ISO/TS
//! 19321:2024; ISO 14823 signs, ISO 14906 and ISO 17573-3 vehicle limits).
//!
//! In: signs, texts, lane states and the zones they apply to, as plain values. Out: an [`Ivim`]. The two editions give the
//! same bytes for what both can say, and the later one only adds, so one decoder reads both; [`Release`] picks the names
//! of [`Ivim::to_jer`]. Absent: when to send one (a facility decides), pictograms, and the infrastructure support
//! container of the later edition, whose content is not standardised yet and stays an unknown alternative.
//!
//! ISO leaves many lists and texts without an upper limit. Here a list past its root has the later edition's limit, or
//! twice to eight times its root, and a text or data field [`MAX_TEXT_LENGTH`]. Where the published module does not
//! state a number's unit, the field holds the number as it is sent and says so.

mod automation;
mod gdd;
mod limits;
mod location;
mod road;
mod sign;
mod text;
mod var_length;
mod vehicle;
mod vehicle_kind;

pub use automation::*;
pub use gdd::*;
pub use location::*;
pub use road::*;
pub use sign::*;
pub use text::*;
pub(crate) use var_length::VarLengthNumber;
pub use vehicle::*;
pub use vehicle_kind::*;

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::jer::{Jer, Release};
use crate::message::message;
use crate::uper::UnknownExtensions;
use crate::uper::bounded::Ext;
use crate::uper::declare::{choice, codes, sequence};

/// Longest text, characters, and longest data field, bytes: more than a single-hop packet carries.
pub const MAX_TEXT_LENGTH: usize = 1400;

message! {
    /// In-vehicle information message (`IVIM`): header with protocol version 2 and message id 6.
    pub struct Ivim: "IVIM", MessageId::Ivim, version 2, by_value {
        /// Content.
        ivi: IviStructure, "ivi";
    }
}

impl Ivim {
    /// An IVIM of `station_id` that has no container yet.
    pub fn new(station_id: StationId, management: IviManagementContainer) -> Self {
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Ivim, station_id },
            ivi: IviStructure { mandatory: management, optional: None },
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// Adds a container.
    ///
    /// # Errors
    /// The container, when 32 are already there.
    pub fn push(&mut self, container: impl Into<IviContainer>) -> Result<(), IviContainer> {
        self.ivi.optional.get_or_insert_default().push(container.into())
    }

    /// The value under the names of `release` (X.697): `R1` for TS 103 301 v2.1.1, `R2` for v2.2.1.
    pub fn to_jer(&self, release: Release) -> serde_json::Value {
        let mut jer = self.jer_by_table(release);
        restore(&mut jer, release);
        jer
    }
}

/// What the tables cannot say: names of alternatives that changed, and a group of additions with a mandatory component.
fn restore(jer: &mut Jer, release: Release) {
    const R1_NAMES: [(&str, &str); 3] = [
        ("segment-carriagewayOrLane", "segment"),
        ("euVehicleCategoryT", "euVehilcleCategoryT"),
        ("euVehicleCategoryG", "euVehilcleCategoryG"),
    ];
    match jer {
        Jer::Object(members) => {
            if let Some(Jer::Object(added)) = members.remove(TcPart::ADDED) {
                members.extend(added);
            }
            for (name, r1) in R1_NAMES.iter().filter(|_| release == Release::R1) {
                if let Some(value) = members.remove(*name) {
                    members.insert((*r1).to_owned(), value);
                }
            }
            members.values_mut().for_each(|value| restore(value, release));
        }
        Jer::Array(elements) => elements.iter_mut().for_each(|element| restore(element, release)),
        _ => {}
    }
}

sequence! {
    /// Content of an IVIM (`IviStructure`).
    pub struct IviStructure {
        /// Who says what, since when, until when.
        req mandatory: IviManagementContainer = IviManagementContainer, "mandatory";
        /// Containers; a cancellation or negation needs none.
        opt optional: IviContainers = ListExt<IviContainer, 0, 1, 8, 32>, "optional";
    }
}

/// Up to 32 containers (`IviContainers`); receivers of the first edition expect at most 8.
pub type IviContainers = List<IviContainer, 0, 32>;

choice! {
    /// One container (`IviContainer`).
    pub enum IviContainer {
        /// Zones, by geometry.
        Location(Box<GeographicLocationContainer>) = OnHeap<GeographicLocationContainer>, "glc";
        /// Signs.
        General(List<GicPart, 0, 64>) = ListExt<GicPart, 0, 1, 16, 64>, "giv";
        /// Lanes of a road.
        RoadConfiguration(List<RccPart, 0, 64>) = ListExt<RccPart, 0, 1, 16, 64>, "rcc";
        /// Free text.
        Text(List<TcPart, 0, 64>) = ListExt<TcPart, 0, 1, 16, 64>, "tc";
        /// Arrangement of signs on a display.
        Layout(Box<LayoutContainer>) = OnHeap<LayoutContainer>, "lac";
        ...;
        /// Rules for automated vehicles and platoons.
        + AutomatedVehicle(List<AvcPart, 0, 64>) = ListExt<AvcPart, 0, 1, 16, 64>, "avc";
        /// Zones, by the lanes of a MAPEM.
        + MapLocation(Box<MapLocationContainer>) = OnHeap<MapLocationContainer>, "mlc";
        /// State of the road surface.
        + RoadSurface(List<RscPart, 0, 64>) = ListExt<RscPart, 0, 1, 16, 64>, "rsc";
    }
}

impl From<GeographicLocationContainer> for IviContainer {
    fn from(container: GeographicLocationContainer) -> Self {
        Self::Location(Box::new(container))
    }
}

impl From<GicPart> for IviContainer {
    /// A container of one part.
    fn from(part: GicPart) -> Self {
        Self::General(one(part))
    }
}

impl From<TcPart> for IviContainer {
    /// A container of one part.
    fn from(part: TcPart) -> Self {
        Self::Text(one(part))
    }
}

sequence! {
    /// Who says what, since when, until when (`IviManagementContainer`).
    pub struct IviManagementContainer {
        /// Who issued the information.
        req service_provider_id: Provider = Provider, "serviceProviderId";
        /// Its number at that provider, 1..=32767, up to 8388607 as an extension.
        req ivi_identification_number: u32 = IviNumber, "iviIdentificationNumber";
        /// When this version of the information was made.
        opt time_stamp: TimestampIts = TimestampItsCodec, "timeStamp";
        /// Since when it holds; since it was received when absent.
        opt valid_from: TimestampIts = TimestampItsCodec, "validFrom";
        /// Until when it holds; until it is cancelled when absent.
        opt valid_to: TimestampIts = TimestampItsCodec, "validTo";
        /// Numbers of other information of the same provider that belongs to this one.
        opt connected_ivi_structures: List<u32, 0, 8> = ListOf<IviNumber, 0, 1, 8>, "connectedIviStructures";
        /// New, changed or withdrawn.
        req ivi_status: IviStatus = IviStatus, "iviStatus";
        ...;
        /// DENMs about the same event.
        + opt connected_denms: List<ActionId, 0, 64> = ListExt<ActionId, 0, 1, 8, 64>, "connectedDenms";
    }
}

impl IviManagementContainer {
    /// The information `number` of `provider`, without times.
    pub const fn new(provider: Provider, number: u32, status: IviStatus) -> Self {
        Self {
            service_provider_id: provider,
            ivi_identification_number: number,
            time_stamp: None,
            valid_from: None,
            valid_to: None,
            connected_ivi_structures: None,
            ivi_status: status,
            connected_denms: None,
        }
    }
}

/// A list of one part.
fn one<T>(part: T) -> List<T, 0, 64> {
    let mut list = List::new();
    // An empty list has room.
    let _ = list.push(part);
    list
}

codes! {
    /// Life of a piece of information (`IviStatus`).
    pub enum IviStatus: 0..=7 {
        /// Issued for the first time, or repeated.
        New = 0,
        /// Replaces what the same provider sent under this number.
        Update = 1,
        /// Withdrawn by its provider.
        Cancellation = 2,
        /// Withdrawn by another provider.
        Negation = 3,
    }
}

/// Zones by number (`ZoneIds`): 1..=31, 33..=127; 32 stands for no zone.
pub type ZoneIds = List<u8, 0, 16>;
/// Codec of one zone number (`Zid`).
pub(crate) type ZoneId = Ext<Int<u8, 1, 32>, 127>;
/// Codec of [`ZoneIds`].
pub(crate) type ZoneIdList = ListExt<ZoneId, 0, 1, 8, 16>;
/// Lanes across the road (`LanePositions`).
pub type LanePositions = List<LanePosition, 0, 16>;
/// Codec of [`LanePositions`].
pub(crate) type LanePositionList = ListExt<LanePosition, 0, 1, 8, 16>;
