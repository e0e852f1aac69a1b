//! Everything that brings input into a node: cameras and IoT sensors.
//!
//! In: files, sockets and their settings. Out: [`camera::CameraOutput`] and [`iot_mqtt::IotOutput`] through bounded
//! [`queue`]s, each entry already carrying its capture time. Sources own their threads and tasks; a
//! [`stop::StopToken`] ends them and their handles join them. Only [`clock`] reads the time.
//!
//! Absent: detection, tracking, anything that interprets a picture or a value.

pub mod backoff;
pub mod camera;
pub mod clock;
pub mod iot_mqtt;
pub mod queue;
pub mod stop;
pub mod v2x_in;
