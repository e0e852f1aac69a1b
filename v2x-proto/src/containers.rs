//! Lists of containers that are told apart by a number on the wire: in CPM, and in release-2 CAM.

use crate::List;

/// Order of the containers as received, with the content of those that have no field of their own.
///
/// The default is ascending order and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerOrder {
    /// One entry a container; empty for ascending order.
    pub(crate) entries: List<ContainerEntry, 0, 32>,
}

/// A container's place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerEntry {
    /// `CpmContainerId`.
    pub(crate) id: u8,
    /// Its content when it has no field of its own.
    pub(crate) content: Option<Box<[u8]>>,
}
