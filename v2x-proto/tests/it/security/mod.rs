//! Stations sign, and judge what they receive: every refusal is reached, each by the one thing that is wrong.
mod dissected;
mod independent;
mod peers;
mod routed;
mod verdicts;
mod world;
