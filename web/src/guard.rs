//! What every request passes first and every answer carries.
//!
//! A page elsewhere on the web must not reach a server through the operator's browser: names that are not ours are refused
//! (DNS rebinding), so are requests and WebSockets of other origins, and nothing can be framed.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use std::net::IpAddr;

const SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds the security headers. Data and pictures are of the moment and are not kept; a page's own files set their own rule.
pub fn secure(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Why a request is refused: not HTTP/1.1, without exactly one host, for a name that is neither an address, `localhost` nor one
/// of `host_names`, or from a page of another origin.
pub fn refusal(headers: &HeaderMap, version: Version, host_names: &[String]) -> Option<(StatusCode, &'static str)> {
    if version < Version::HTTP_11 {
        return Some((StatusCode::HTTP_VERSION_NOT_SUPPORTED, "This server speaks HTTP/1.1.\n"));
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|h| h.to_str().ok()), hosts.next()) else {
        return Some((StatusCode::BAD_REQUEST, "The request must name one host.\n"));
    };
    if !is_ours(host, host_names) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "This server does not go by that name. Use its IP address, or add the name to host-names.\n",
        ));
    }
    match headers.get(header::ORIGIN).map(HeaderValue::to_str) {
        None => None,
        Some(Ok(origin)) if origin.split_once("://").is_some_and(|(_, o)| o.eq_ignore_ascii_case(host)) => None,
        Some(_) => Some((StatusCode::FORBIDDEN, "Pages of other origins may not use this server.\n")),
    }
}

/// Whether a `Host` value is one a browser can only have been given on purpose: an IP address cannot be rebound.
fn is_ours(host: &str, host_names: &[String]) -> bool {
    if let Some((inside, port)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || is_port(port.strip_prefix(':')));
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    if port.is_some() && !is_port(port) {
        return false;
    }
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4())
        || host_names.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

fn is_port(port: Option<&str>) -> bool {
    port.is_some_and(|p| p.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_localhost_and_configured_names_are_ours() {
        let names = ["mast-12.example".to_owned()];
        for host in [
            "127.0.0.1:8080",
            "192.168.1.4",
            "[::1]:80",
            "[2001:db8::1]",
            "localhost",
            "LocalHost:80",
            "Mast-12.example:1",
        ] {
            assert!(is_ours(host, &names), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost:",
            "localhost:x",
            "[::1",
            "[x]",
            "1.2.3",
        ] {
            assert!(!is_ours(host, &names), "{host}");
        }
    }

    #[test]
    fn other_origins_are_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost:8080"));
        assert_eq!(refusal(&headers, Version::HTTP_11, &[]), None);
        headers.insert(header::ORIGIN, HeaderValue::from_static("http://localhost:8080"));
        assert_eq!(refusal(&headers, Version::HTTP_11, &[]), None);
        for origin in ["http://localhost:9999", "https://evil.example", "null"] {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            assert_eq!(refusal(&headers, Version::HTTP_11, &[]).unwrap().0, StatusCode::FORBIDDEN, "{origin}");
        }
        headers.remove(header::ORIGIN);
        headers.append(header::HOST, HeaderValue::from_static("localhost"));
        assert_eq!(refusal(&headers, Version::HTTP_11, &[]).unwrap().0, StatusCode::BAD_REQUEST, "two hosts");
    }
}
