//! What the node knows of its surroundings.

pub mod site;
