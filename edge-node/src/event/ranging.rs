//! What radars and lidars measure, in the axes of the device: x forward, y left (ISO 8855), its place the origin.
//!
//! A radar tells of targets before any tracking. Whatever finds objects itself (a lidar's segmentation, a radar with a tracker
//! of its own: the object lists of vendors, ASTERIX-like) tells of objects. The
//! points of a lidar stay outside the core, as a camera's pixels do.

use masa_v2x_proto::time::Timestamp;

/// Targets of one scan at most.
pub const MAX_TARGETS: usize = 512;
/// Objects of one list at most.
pub const MAX_LISTED: usize = 256;

/// A radar's scan.
#[derive(Clone, Debug, PartialEq)]
pub struct RadarScan {
    /// Running number of the scan in its source, from 1.
    pub scan: u64,
    /// The middle of its measurement.
    pub captured_at: Timestamp,
    /// What reflected, at most [`MAX_TARGETS`].
    pub targets: Vec<RadarTarget>,
}

/// A place that reflects a radar's waves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadarTarget {
    /// From the device, metres.
    pub range_m: f32,
    /// Against the device's x axis, counter-clockwise, radians.
    pub azimuth_rad: f32,
    /// Velocity along the ray, away from the device positive, m/s.
    pub radial_mps: f32,
    /// Radar cross section, decibels above a square metre.
    pub rcs_dbsm: f32,
}

/// Objects that a sensor finds by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectList {
    /// Running number of the scan in its source, from 1.
    pub scan: u64,
    /// The middle of its measurement.
    pub captured_at: Timestamp,
    /// What was found, at most [`MAX_LISTED`].
    pub objects: Vec<ListedObject>,
}

/// An object of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListedObject {
    /// Middle of what shows of it, x and y in the device's axes, metres.
    pub position_m: [f32; 2],
    /// Length (along [`Self::yaw_rad`]), width and height of what shows of it, metres.
    pub size_m: Option<[f32; 3]>,
    /// Direction of its length against the device's x axis, counter-clockwise, radians; either of the two.
    pub yaw_rad: Option<f32>,
    /// Over ground, along the device's axes, m/s.
    pub velocity_mps: Option<[f32; 2]>,
    /// Points that hit it.
    pub points: Option<u32>,
}
