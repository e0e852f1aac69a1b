//! The control room as an operator uses it: a real data room, its page in a headless browser, a town full of messages.
#![allow(clippy::unwrap_used)]

mod messages;
mod support;
mod town;

use crate::support::messages as shared;
use support::{Desk, background, browser};

/// Runs `tests/it/page/page.py`, which does what an operator does and checks what the page shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_can_work_from_the_page() {
    let Some(mut script) = browser("an_operator_can_work_from_the_page") else { return };
    let desk = Desk::open(2, 60, Some(background())).await;
    script.args(["--url", &desk.url(), "--operator", &desk.operator, "--viewer", &desk.viewer]);
    script.args(["--past-ms", &desk.begun.unix_ms().to_string()]);
    let done = tokio::task::spawn_blocking(move || script.output()).await.unwrap().unwrap();
    let (said, trouble) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n{trouble}");
    let audit = desk.audit().await;
    let words: Vec<_> = audit.iter().map(|entry| format!("{} {}", entry.by, entry.words)).collect();
    let noted = |by: &str, what: &str| words.iter().any(|words| words.starts_with(by) && words.contains(what));
    assert!(noted("desk-1", ": acknowledge"), "the acknowledgement is audited: {words:?}");
    assert!(noted("desk-1", ": assign patrol 3") && noted("desk-1", ": note lane closed"), "{words:?}");
    assert!(
        noted("desk-1", "live picture") && noted("desk-1", "picture of"),
        "who saw road users is audited: {words:?}"
    );
    assert!(
        !words.iter().any(|words| words.starts_with("viewer")),
        "who sees no road users leaves no entry: {words:?}"
    );
    desk.close().await;
}
