//! The sources through their public API, on real files, servers and brokers.

#![allow(clippy::unwrap_used)]

mod controller;
mod files;
mod folder;
mod gnss;
mod iot;
mod mjpeg;
mod mosquitto;
mod rtsp;
mod rtsp_server;
mod support;
