//! What every request passes first and every answer carries.
//!
//! In: a request and what its route needs. Out: the [`Caller`], or a refusal. Invariants: size, rate, token, tenant and scope
//! are looked at in this order, before any handler.

use super::problem::Problem;
use super::tokens::{Caller, Scope};
use super::{Api, OpenToAll};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// Longest path and query, bytes.
const MAX_ADDRESS_BYTES: usize = 8 << 10;
/// How a browser shows a token on a WebSocket: as one of the sub-protocols it offers.
pub(super) const BEARER_PROTOCOL: &str = "bearer.";
/// The header in which NGSI-LD names a tenant.
const TENANT: &str = "ngsild-tenant";

/// Name of whoever shows no token.
pub(crate) const ANYONE: &str = "(anyone)";

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Open,
    /// A token with this scope.
    Needs(Scope),
}

const ANSWER_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// What a question to a list brings, whatever is listed.
pub(super) struct Question {
    pub(super) api: Api,
    pub(super) caller: Caller,
    /// Behind the `?`, encoded.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
}

impl FromRequestParts<Api> for Question {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(Problem::Unauthorized)?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self { api: api.clone(), caller, query, headers: parts.headers.clone() })
    }
}

/// Lets a request through to its handler, or not.
pub(crate) async fn guard(State((api, access)): State<(Api, Access)>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let length = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    let admitted = match length > MAX_ADDRESS_BYTES {
        true => Err(Problem::AddressTooLong),
        false => admit(&api, access, request.headers(), peer),
    };
    let mut response = match admitted {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(problem) => {
            metrics::counter!("masa_data_room_refused_total", "reason" => problem.name()).increment(1);
            problem.into_response()
        }
    };
    for (name, value) in ANSWER_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Who asks, when that is allowed; nobody for open routes.
pub(crate) fn admit(
    api: &Api,
    access: Access,
    headers: &HeaderMap,
    peer: Option<SocketAddr>,
) -> Result<Option<Caller>, Problem> {
    let now = api.now();
    let from_peer = || peer.map_or_else(|| "peer".to_owned(), |peer| format!("peer {}", peer.ip()));
    let limit = |name: &str| api.limiter.take(name, now).map_err(Problem::TooMany);
    let Access::Needs(scope) = access else {
        limit(&from_peer())?;
        return Ok(None);
    };
    let caller = match token(headers) {
        Shown::None => anyone(api),
        Shown::Token(token) => api.tokens.caller(token, now),
        Shown::Unreadable => None,
    };
    // Who guesses tokens is slowed by the address the guesses come from.
    let Some(caller) = caller else { return Err(limit(&from_peer()).err().unwrap_or(Problem::Unauthorized)) };
    limit(&format!("token {}", caller.name))?;
    let other = headers.get(TENANT).is_some_and(|tenant| tenant.as_bytes() != caller.tenant.as_str().as_bytes());
    if other {
        return Err(Problem::Forbidden("the token belongs to another tenant".into()));
    }
    if !caller.may(scope) {
        return Err(Problem::Forbidden(format!("the scope {} is needed", scope.name())));
    }
    Ok(Some(caller))
}

/// Whoever shows no token.
fn anyone(api: &Api) -> Option<Caller> {
    match &api.settings.open_to_all {
        OpenToAll::Nothing => None,
        OpenToAll::Traffic(tenant) => {
            Some(Caller { name: ANYONE.into(), tenant: tenant.clone(), scopes: BTreeSet::from([Scope::ReadTraffic]) })
        }
    }
}

/// What a request shows.
enum Shown<'a> {
    None,
    Token(&'a str),
    Unreadable,
}

fn token(headers: &HeaderMap) -> Shown<'_> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|text| text.split_once(' '));
        return match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Shown::Token(token.trim()),
            _ => Shown::Unreadable,
        };
    }
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok()).unwrap_or("");
    match offered.split(',').find_map(|protocol| protocol.trim().strip_prefix(BEARER_PROTOCOL)) {
        Some(token) => Shown::Token(token),
        None => Shown::None,
    }
}
