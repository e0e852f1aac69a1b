//! The crate through its public API. One binary: each more links the inference engine anew.

mod agreement;
mod descriptions;
mod providers;
mod reference;
mod refusals;
mod support;
mod tiny_models;
