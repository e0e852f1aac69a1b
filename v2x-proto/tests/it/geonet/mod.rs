//! The GeoNetworking router through its public API: one router by table, many routers on a simulated road.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod network;
mod road;
mod rules;
