//! A control room over a small town, to look at and to measure: no node, broker or file is needed.
//!
//! `cargo run --release -p masa-data-room --example control_room -- [STREETS] [ROAD-USERS]`; it prints where its page is.
#![allow(dead_code, clippy::unwrap_used, reason = "the town belongs to the tests of the page")]

#[path = "../tests/it/page/messages.rs"]
mod messages;
#[path = "../tests/it/support/messages.rs"]
mod shared;
#[path = "../tests/it/page/support.rs"]
mod support;
#[path = "../tests/it/page/town.rs"]
mod town;

use std::io::Write;

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let (streets, users) = (numbers.next().unwrap_or(3), numbers.next().unwrap_or(140));
    let desk = support::Desk::open(streets, users, None).await;
    println!("{} operator={} viewer={} past-ms={}", desk.url(), desk.operator, desk.viewer, desk.begun.unix_ms());
    std::io::stdout().flush().expect("standard output is open");
    // Without a handler there is nothing to wait for: it is ended from outside.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    desk.close().await;
}
