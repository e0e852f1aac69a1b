//! The page's own files, compiled in: a node needs no files beside its binary and the page no network beyond the node.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::hash::{DefaultHasher, Hash, Hasher};

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! assets {
    ($($name:literal: $content_type:expr),* $(,)?) => {
        [$(Asset { name: $name, content_type: $content_type, content: include_str!(concat!("static/", $name)) }),*]
    };
}

const PAGE: &str = "index.html";
const ASSETS: [Asset; 10] = assets! {
    "index.html": HTML,
    "style.css": CSS,
    "icon.svg": SVG,
    "main.js": JS,
    "classes.js": JS,
    "dom.js": JS,
    "map.js": JS,
    "camera.js": JS,
    "panels.js": JS,
    "messages.js": JS,
};

/// Content type and content of one of the page's files: what other pages of this program share with it.
pub fn static_file(name: &str) -> Option<(&'static str, &'static str)> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| (asset.content_type, asset.content))
}

/// `/`
pub(super) async fn page(headers: HeaderMap) -> Response {
    serve(PAGE, &headers)
}

/// `/static/{name}`
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&name, &headers)
}

fn serve(name: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|a| a.name == name) else {
        return (StatusCode::NOT_FOUND, "No such file.\n").into_response();
    };
    let mut hasher = DefaultHasher::new();
    asset.content.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|t| t.as_bytes() == tag.as_bytes());
    let caching = [(header::CACHE_CONTROL, "no-cache".to_owned()), (header::ETAG, tag)];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, asset.content_type)], asset.content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_and_self_contained() {
        let total: usize = ASSETS.iter().map(|a| a.content.len()).sum();
        assert!(total < 80_000, "the page has {total} bytes");
        for asset in &ASSETS {
            for (at, _) in asset.content.match_indices("://") {
                let from = asset.content.floor_char_boundary(at.saturating_sub(8));
                let until = asset.content.floor_char_boundary(at + 28);
                let context = &asset.content[from..until];
                assert!(context.contains("www.w3.org/2000/svg"), "{} refers to the outside: {context}", asset.name);
            }
        }
    }

    #[test]
    fn every_file_the_page_names_exists() {
        for asset in &ASSETS {
            for mark in ["\"/static/", "from \"./", "import \"./"] {
                for (at, _) in asset.content.match_indices(mark) {
                    let rest = &asset.content[at + mark.len()..];
                    let name = &rest[..rest.find('"').unwrap()];
                    assert!(ASSETS.iter().any(|a| a.name == name), "{} names {name}", asset.name);
                }
            }
        }
    }

    /// Names of sensors, sources and messages come from outside. The page builds its document from nodes and text only,
    /// so none of them can ever be read as markup or code.
    #[test]
    fn no_script_turns_text_into_markup_or_code() {
        const WAYS: [&str; 12] = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "srcdoc",
            "DOMParser",
            "setHTML",
            "createContextualFragment",
            "eval(",
            "Function(",
            "javascript:",
            "setAttribute(\"on",
        ];
        for asset in ASSETS.iter().filter(|a| a.content_type == JS) {
            for way in WAYS {
                assert!(!asset.content.contains(way), "{} uses {way}", asset.name);
            }
        }
        let page = ASSETS.iter().find(|a| a.name == PAGE).unwrap().content;
        assert!(!page.contains(" on") || !page.contains("=\"javascript"), "the page carries inline handlers");
        assert!(!page.contains("<style") && !page.contains(" style="), "inline styles would need a weaker policy");
    }
}
