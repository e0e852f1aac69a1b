//! The crate through its public API. One binary: each more links Zenoh anew. `chaos` kills processes and measures how long
//! recovery takes, so nothing else runs beside it.

mod api_ngsi_ld;
mod api_security;
mod api_subscriptions;
mod city;
mod entity_schemas;
mod ingest;
mod page;
mod publications;
mod server;
mod services;
mod store;
mod support;
mod walk_api;
