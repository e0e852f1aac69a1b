//! Everybody besides the scripted actors.

use super::RunError;
use crate::random::Seed;
use crate::roads::Roads;
use crate::scenario::Scenario;
use crate::world::World;
use std::sync::Arc;

/// Adds traffic and people as the scenario demands.
pub(super) fn add(scenario: &Scenario, _roads: &Arc<Roads>, _seed: Seed, _world: &mut World) -> Result<(), RunError> {
    if scenario.traffic.is_some() || scenario.people.is_some() {
        return Err(scenario.wrong("demand is not supported").into());
    }
    Ok(())
}
