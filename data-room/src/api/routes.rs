//! The table of routes: what the router is built from, and the OpenAPI document.

use super::guard::{Access, guard};
use super::tokens::Scope;
use super::{Api, entities, live, openapi, publications, records, subscriptions, temporal, twin};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

/// Largest body of a request, bytes.
const MAX_BODY_BYTES: usize = 256 << 10;

/// One operation.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    handler: fn(MethodFilter) -> MethodRouter<Api>,
    /// What it does, one line.
    pub(super) summary: &'static str,
    /// Names of its parameters; those of the path are in the path.
    pub(super) parameters: &'static [&'static [&'static str]],
    /// Media type and status of the usual answer.
    pub(super) answer: (u16, Option<&'static str>),
    /// Whether it has a JSON body.
    pub(super) has_body: bool,
}

/// Methods that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

const READ: Access = Access::Needs(Scope::ReadTraffic);
const WRITE: Access = Access::Needs(Scope::WriteAlerts);
const ADMIN: Access = Access::Needs(Scope::Admin);

const CHOICE: &[&str] = &["type", "id", "idPattern", "q", "georel", "geometry", "coordinates", "geoproperty"];
const FORM: &[&str] = &["attrs", "options", "format", "limit", "offset", "count"];
const SPAN: &[&str] = &["timerel", "timeAt", "endTimeAt", "lastN", "timeproperty"];
const MOMENT: &[&str] = &["at"];
const PAGE: &[&str] = &["limit", "offset"];

const JSON: (u16, Option<&str>) = (200, Some("application/json"));
const JSON_LD: (u16, Option<&str>) = (200, Some("application/ld+json"));
const NOTHING: (u16, Option<&str>) = (204, None);
const CREATED: (u16, Option<&str>) = (201, None);

const fn get(
    path: &'static str,
    access: Access,
    handler: fn(MethodFilter) -> MethodRouter<Api>,
    summary: &'static str,
    parameters: &'static [&'static [&'static str]],
    answer: (u16, Option<&'static str>),
) -> Route {
    Route { method: Method::Get, path, access, handler, summary, parameters, answer, has_body: false }
}

const fn change(
    method: Method,
    path: &'static str,
    access: Access,
    handler: fn(MethodFilter) -> MethodRouter<Api>,
    summary: &'static str,
    answer: (u16, Option<&'static str>),
) -> Route {
    let has_body = !matches!(method, Method::Delete);
    Route { method, path, access, handler, summary, parameters: &[], answer, has_body }
}

/// Every operation.
#[rustfmt::skip]
pub(super) const ROUTES: &[Route] = &[
    get("/health", Access::Open, |m| on(m, records::health), "Whether records are taken", &[], JSON),
    get("/openapi.json", Access::Open, |m| on(m, openapi::document), "This document", &[], JSON),
    get(entities::CONTEXT_PATH, Access::Open, |m| on(m, entities::context_document), "The JSON-LD context, whole", &[], JSON_LD),
    get("/dcat", Access::Open, |m| on(m, publications::catalogue), "DCAT-AP catalogue of the data sets", &[], JSON_LD),
    get("/ngsi-ld/v1/entities", READ, |m| on(m, entities::list), "Entities that hold now", &[CHOICE, FORM], JSON),
    change(Method::Post, "/ngsi-ld/v1/entities", WRITE, |m| on(m, entities::create), "Tell of an alert, an accident or road works", CREATED),
    get("/ngsi-ld/v1/entities/{id}", READ, |m| on(m, entities::one), "One entity", &[FORM], JSON),
    change(Method::Delete, "/ngsi-ld/v1/entities/{id}", WRITE, |m| on(m, entities::end), "End an alert, an accident or road works", NOTHING),
    get("/ngsi-ld/v1/types", READ, |m| on(m, entities::types), "Types of which there are entities", &[], JSON),
    get("/ngsi-ld/v1/temporal/entities", READ, |m| on(m, temporal::list), "How entities were", &[CHOICE, FORM, SPAN], JSON),
    get("/ngsi-ld/v1/temporal/entities/{id}", READ, |m| on(m, temporal::one), "How one entity was", &[FORM, SPAN], JSON),
    get("/ngsi-ld/v1/subscriptions", READ, |m| on(m, subscriptions::list), "Subscriptions", &[PAGE], JSON),
    change(Method::Post, "/ngsi-ld/v1/subscriptions", READ, |m| on(m, subscriptions::create), "Subscribe", CREATED),
    get("/ngsi-ld/v1/subscriptions/{id}", READ, |m| on(m, subscriptions::one), "One subscription", &[], JSON),
    change(Method::Patch, "/ngsi-ld/v1/subscriptions/{id}", READ, |m| on(m, subscriptions::patch), "Change a subscription", NOTHING),
    change(Method::Delete, "/ngsi-ld/v1/subscriptions/{id}", READ, |m| on(m, subscriptions::remove), "End a subscription", NOTHING),
    get("/geojson", READ, |m| on(m, twin::features), "Entities as GeoJSON", &[CHOICE, MOMENT], (200, Some("application/geo+json"))),
    get("/tiles/{z}/{x}/{y}", READ, |m| on(m, twin::tile), "Entities as a vector tile", &[CHOICE, MOMENT], (200, Some("application/vnd.mapbox-vector-tile"))),
    get("/twin", READ, |m| on(m, twin::twin), "The world at a moment, with valid time and provenance", &[CHOICE, MOMENT], JSON),
    get("/scene.gltf", READ, |m| on(m, twin::gltf), "The junction in three dimensions, glTF 2.0", &[CHOICE, MOMENT, &["origin"]], (200, Some("model/gltf+json"))),
    get("/scene.json", READ, |m| on(m, twin::scene_update), "The junction in three dimensions, Foxglove SceneUpdate", &[CHOICE, MOMENT, &["origin"]], JSON),
    get("/datex2/{publication}", READ, |m| on(m, publications::datex2), "A DATEX II publication; 204 when there is nothing", &[], (200, Some("application/xml"))),
    get("/cap/feed", READ, |m| on(m, publications::cap_feed), "Atom list of CAP alerts", &[], (200, Some("application/atom+xml"))),
    get("/cap/alerts/{id}", READ, |m| on(m, publications::cap_alert), "A CAP 1.2 alert", &[], (200, Some("application/cap+xml"))),
    get("/live", READ, |m| on(m, live::live), "WebSocket: the city now, then its changes", &[CHOICE], (101, None)),
    get("/records", READ, |m| on(m, records::list), "What came in, decoded", &[&["kind", "site", "station", "entity", "from", "until", "order", "after", "limit"]], JSON),
    get("/status", ADMIN, |m| on(m, records::status), "Sources, holdings and troubles", &[], JSON),
    get("/audit", ADMIN, |m| on(m, records::audit), "Who read and changed what", &[&["before", "limit"]], JSON),
];

/// The API's routes, each behind the guard.
pub fn router(api: Api) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guard = from_fn_with_state((api.clone(), route.access), guard);
        router = router.route(route.path, (route.handler)(route.method.filter()).route_layer(guard));
    }
    let nowhere = from_fn_with_state((api.clone(), Access::Open), guard);
    let nothing = axum::routing::any(|| async { super::problem::Problem::NotFound("nothing is here".into()) });
    router
        .fallback_service(nothing.layer(nowhere).with_state(()))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(api)
}
