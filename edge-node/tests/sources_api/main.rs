//! The sources through their public API, on real files, servers and brokers.

#![allow(clippy::unwrap_used)]

mod files;
mod folder;
mod iot;
mod mjpeg;
mod rtsp;
mod rtsp_server;
mod support;
