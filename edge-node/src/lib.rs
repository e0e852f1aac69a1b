//! The runtime of a node, at the roadside or on board.
//!
//! Data flows one way: sources → perception → world → facilities → links. No stage imports one to its right.
//! [`node`] is a pure step over an ordered log of [`event`]s; only [`sources`] and [`run`] wait or read a clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod config;
mod drops;
pub mod effect;
pub mod event;
pub mod facilities;
pub mod health;
pub mod keystore;
pub mod node;
pub mod perception;
mod polygon;
pub mod recorder;
pub mod run;
pub mod snapshot;
pub mod sources;
pub mod telemetry;
pub mod web;
pub mod world;
