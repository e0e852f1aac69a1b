//! What a node's health says, and what it is told of its links.

use masa_edge_node::event::{SourceState, StatusChange};
use masa_edge_node::node::Node;
use std::collections::BTreeMap;

/// The report of the radio link.
pub(super) fn link(up: bool) -> StatusChange {
    let (state, detail) = match up {
        true => (SourceState::Up, "radio up"),
        false => (SourceState::Failed, "radio down"),
    };
    StatusChange { name: "geonet".into(), state, detail: detail.into() }
}

/// Problems that the node names, with their words.
pub(super) fn problems(node: &Node) -> BTreeMap<String, String> {
    let named = node
        .health()
        .problems()
        .map(|problem| (format!("{} {}", problem.kind.name(), problem.subject), problem.detail.clone()));
    named.collect()
}
