//! The page's own files, and what every request to this server passes first.

use super::server::App;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use masa_web::{Files, guard};

const FILES: Files =
    Files(masa_web::assets!["index.html", "style.css", "main.js", "map.js", "camera.js", "panels.js", "messages.js"]);

/// `/`
pub(super) async fn page(headers: HeaderMap) -> Response {
    FILES.answer("index.html", &headers)
}

/// `/static/{name}`
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    FILES.answer(&name, &headers)
}

/// Refuses foreign requests, since a node has no accounts, and adds the security headers to every answer.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let refusal = guard::refusal(request.headers(), request.version(), &app.settings.host_names);
    let mut response = match refusal {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    guard::secure(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_self_contained_and_makes_no_markup_of_text() {
        assert!(FILES.size() < 80_000, "the page has {} bytes", FILES.size());
        assert_eq!(FILES.faults(), Vec::<String>::new());
    }
}
