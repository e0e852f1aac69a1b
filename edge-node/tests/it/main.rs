//! The crate through its public API. One binary: each more links Zenoh and the inference engine anew.

mod cam_drive;
mod deploy;
mod node_any_events;
mod node_radar;
mod node_scenes;
mod node_street;
mod on_board;
mod perception_camera;
mod perception_junction;
mod perception_masa;
mod perception_support;
mod privacy;
mod sources_api;
mod v2x_in;
mod web_server;
mod web_support;
