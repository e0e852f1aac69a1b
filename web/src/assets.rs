//! Files compiled in, with what a browser needs to keep them.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A text file that is compiled in.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name, which pages see below `/static/`.
    pub name: &'static str,
    /// What is in it.
    pub content: &'static str,
}

/// The named files of the folder `static` beside the calling source file.
#[macro_export]
macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$($crate::Asset { name: $name, content: include_str!(concat!("static/", $name)) }),*]
    };
}

macro_rules! shared {
    ($($name:literal),*) => {
        &[$(Asset { name: $name, content: include_str!(concat!("../static/", $name)) }),*]
    };
}

/// Files of every page.
const SHARED: &[Asset] = shared!["base.css", "icon.svg", "classes.js", "dom.js", "figures.js", "plane.js"];

/// The files of one page: its own and the shared ones.
#[derive(Clone, Copy, Debug)]
pub struct Files(pub &'static [Asset]);

impl Files {
    fn all(self) -> impl Iterator<Item = &'static Asset> {
        self.0.iter().chain(SHARED)
    }

    fn find(self, name: &str) -> Option<&'static Asset> {
        self.all().find(|asset| asset.name == name)
    }

    /// The answer to a request for a file: whole, or "not modified" when the browser has it.
    pub fn answer(self, name: &str, headers: &HeaderMap) -> Response {
        let Some(asset) = self.find(name) else {
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
        (caching, [(header::CONTENT_TYPE, content_type(asset.name))], asset.content).into_response()
    }

    /// Bytes of all files.
    pub fn size(self) -> usize {
        self.all().map(|asset| asset.content.len()).sum()
    }

    /// What is wrong with the files, for the tests of a page: references to the outside or to files that are not there, and
    /// ways to turn text into markup or code. Names of sensors, sources and messages come from outside; a page builds its
    /// document from nodes and text only, so that none of them can ever be read as markup or code.
    pub fn faults(self) -> Vec<String> {
        let mut faults = Vec::new();
        for Asset { name, content } in self.all() {
            let outside = content.match_indices("://").filter(|(at, _)| {
                let around = &content[content.floor_char_boundary(at.saturating_sub(8))..];
                !around[..around.floor_char_boundary(36)].contains("www.w3.org/2000/svg")
            });
            faults.extend(outside.map(|(at, _)| format!("{name} refers to the outside at byte {at}")));
            for mark in ["\"/static/", "from \"./", "import \"./"] {
                let named =
                    content.match_indices(mark).filter_map(|(at, _)| content[at + mark.len()..].split('"').next());
                faults
                    .extend(named.filter(|file| self.find(file).is_none()).map(|file| format!("{name} names {file}")));
            }
            if name.ends_with(".js") {
                let ways = WAYS_TO_CODE.iter().filter(|way| content.contains(**way));
                faults.extend(ways.map(|way| format!("{name} uses {way}")));
            }
            if name.ends_with(".html") {
                let inline = ["<style", " style=", "javascript:", " onclick=", " onload=", " onerror="];
                let inline = inline.iter().filter(|text| content.contains(**text));
                faults.extend(inline.map(|text| format!("{name} has {text}, which would need a weaker policy")));
            }
        }
        faults
    }
}

const WAYS_TO_CODE: [&str; 12] = [
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

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found() {
        assert_eq!(Files(&[]).faults(), Vec::<String>::new(), "the shared files have none");
        let bad = |name, content| Files(Box::leak(Box::new([Asset { name, content }]))).faults();
        for (name, content) in [
            ("a.js", "fetch(\"https://elsewhere.example\")"),
            ("a.js", "import { x } from \"./nothing.js\""),
            ("a.js", "node.innerHTML = name"),
            ("a.html", "<p style=\"color: red\">"),
            ("a.html", "<script src=\"/static/nothing.js\">"),
        ] {
            assert_eq!(bad(name, content).len(), 1, "{content}");
        }
    }

    #[test]
    fn a_file_the_browser_has_is_not_sent_again() {
        let files = Files(&[]);
        let first = files.answer("dom.js", &HeaderMap::new());
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())]);
        assert_eq!(files.answer("dom.js", &known).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(files.answer("../Cargo.toml", &known).status(), StatusCode::NOT_FOUND);
    }
}
