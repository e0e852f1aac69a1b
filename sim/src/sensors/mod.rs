//! Sensors: what cameras and other sensors make of a [`crate::Snapshot`].

pub mod camera;
