//! Everything that brings input into a node: cameras, IoT sensors, GNSS receivers, signal controllers.
//!
//! In: files, sockets and their settings. Out: [`camera::CameraOutput`], [`iot_mqtt::IotOutput`], [`gnss::GnssOutput`] and
//! [`signal_controller::ControllerOutput`] through bounded [`queue`]s, each entry already carrying its capture time. Sources own their threads and tasks; a
//! [`stop::StopToken`] ends them and their handles join them. Only [`clock`] reads the time.
//!
//! Absent: detection, tracking, anything that interprets a picture or a value.

pub mod backoff;
pub mod camera;
pub mod clock;
pub mod gnss;
pub mod iot_mqtt;
mod mqtt;
pub mod queue;
pub mod signal_controller;
pub mod stop;
pub mod v2x_in;
pub mod worker;
