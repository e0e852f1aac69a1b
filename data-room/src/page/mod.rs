//! The control-room page: its files, compiled in. What it shows comes from [`crate::control_room`].
//!
//! `/` is the page; `?mode=wall` makes it a wall display, `?mode=public` a screen for the public, `?lang=it` and
//! `?theme=dark` set what an operator would set by hand.

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use masa_web::{Files, guard};

const FILES: Files = Files(masa_web::assets![
    "index.html",
    "style.css",
    "screens.css",
    "main.js",
    "alarms.js",
    "api.js",
    "background.js",
    "charts.js",
    "clock.js",
    "compare.js",
    "details.js",
    "map.js",
    "messages.js",
    "panels.js",
    "scene.js",
    "screens.js",
    "sprites.js",
    "tabs.js",
    "timeline.js",
    "words.js",
]);

/// The page's routes. Anybody may have the page itself; what it shows needs a token, which no other page has: a name that
/// is pointed at this server (DNS rebinding) gains nothing.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(async |headers: HeaderMap| page("index.html", &headers)))
        .route("/static/{name}", get(async |Path(name): Path<String>, headers: HeaderMap| page(&name, &headers)))
}

fn page(name: &str, headers: &HeaderMap) -> Response {
    let mut response = FILES.answer(name, headers);
    guard::secure(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_self_contained_and_makes_no_markup_of_text() {
        assert!(FILES.size() < 180_000, "the page has {} bytes", FILES.size());
        assert_eq!(FILES.faults(), Vec::<String>::new());
    }

    /// Words stand in English in the scripts and the page; each has its Italian beside the others in `words.js`.
    #[test]
    fn every_word_of_the_page_has_its_italian() {
        let words = FILES.0.iter().find(|file| file.name == "words.js").unwrap().content;
        let known = |text: &str| words.contains(&format!("\"{text}\":"));
        let mut missing = Vec::new();
        for file in FILES.0.iter().filter(|file| file.name != "words.js") {
            for (mark, end) in [("t(\"", '"'), ("data-t=\"", '"'), ("data-t-label=\"", '"'), ("data-t-title=\"", '"')] {
                for (at, _) in file.content.match_indices(mark) {
                    // `get("…")`, `createElement("…")` and the like end in the same two characters.
                    let before = file.content[..at].chars().next_back().unwrap_or(' ');
                    let text = file.content[at + mark.len()..].split(end).next().unwrap();
                    if !(mark == "t(\"" && (before.is_alphanumeric() || before == '.')) && !known(text) {
                        missing.push(format!("{}: {text}", file.name));
                    }
                }
            }
        }
        assert_eq!(missing, Vec::<String>::new());
    }
}
