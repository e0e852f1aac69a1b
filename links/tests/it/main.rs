//! Links against real brokers, routers and foreign clients. One binary: linking Zenoh takes long.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;
mod children;
mod foreign;
mod geonet;
mod mqtt;
mod outages;
mod places;
mod support;
mod zenoh;
