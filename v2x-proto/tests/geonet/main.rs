//! The GeoNetworking router through its public API: one router by table, many routers on a simulated road.

mod network;
mod road;
mod rules;
