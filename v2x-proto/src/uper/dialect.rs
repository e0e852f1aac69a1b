//! Where readers of the standards disagree by one bit.

/// Whether a type that the standard derives from an extensible one carries the extension bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtensionBit {
    /// It does not.
    Absent,
    /// It does.
    Present,
}

/// A reading of the standards where implementations differ on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// `ConstraintWrappedCpmContainers` of CPM (TS 103 324), a constrained `SIZE(1..8, ...)`.
    pub cpm_containers: ExtensionBit,
    /// `containerId` of the extension containers of release-2 CAM (TS 103 900), a table-constrained `(1..16, ...)`.
    pub cam_container_id: ExtensionBit,
    /// `pathPredicted` of `PathPredicted2` (TS 102 894-2), a constrained `SIZE(1..16, ..., 17..40)`.
    pub path_predicted: ExtensionBit,
    /// `poiType` of POIM's blocks (TS 103 916), a table-constrained `(1..128, ...)`.
    pub poi_type: ExtensionBit,
}

impl Dialect {
    /// What code from asn1c sends: a further constraint on a list takes its extension bit away (X.680 §50.8).
    pub const ASN1C: Self = Self {
        cpm_containers: ExtensionBit::Absent,
        cam_container_id: ExtensionBit::Present,
        path_predicted: ExtensionBit::Absent,
        poi_type: ExtensionBit::Present,
    };
    /// What code from rasn-compiler sends: every extension bit stays.
    pub const RASN: Self = Self {
        cpm_containers: ExtensionBit::Present,
        cam_container_id: ExtensionBit::Present,
        path_predicted: ExtensionBit::Present,
        poi_type: ExtensionBit::Present,
    };
    /// A table constraint takes the extension bit away too.
    pub const BARE: Self = Self {
        cpm_containers: ExtensionBit::Absent,
        cam_container_id: ExtensionBit::Absent,
        path_predicted: ExtensionBit::Absent,
        poi_type: ExtensionBit::Absent,
    };
    /// All that are known.
    pub const ALL: [Self; 3] = [Self::ASN1C, Self::RASN, Self::BARE];
    /// What is sent, and what is tried first when a message is received.
    pub const DEFAULT: Self = Self::ASN1C;
}

impl Default for Dialect {
    fn default() -> Self {
        Self::DEFAULT
    }
}
