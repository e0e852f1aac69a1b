//! The crate through its public API. One binary: with nodes in the loop each more links Zenoh and the inference engine anew.

#[cfg(feature = "node")]
mod calibration;
mod common;
#[cfg(feature = "door")]
mod door;
#[cfg(feature = "node")]
mod live;
mod openscenario;
mod parking;
mod people;
mod roads_maps;
mod roads_opendrive;
mod roads_robustness;
mod roads_sumo;
mod rules;
#[cfg(feature = "node")]
mod scenarios;
mod sumo;
mod traffic;
