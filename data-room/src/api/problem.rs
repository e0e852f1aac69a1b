//! What an answer says when something is wrong: RFC 9457 with the error types of NGSI-LD (GS CIM 009 clause 6.3.2).

use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Something wrong with a request, or with us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A parameter or body that cannot be used.
    Invalid(String),
    /// No token, or none that is known.
    Unauthorized,
    /// Not with this token.
    Forbidden(String),
    /// Nothing there.
    NotFound(String),
    /// There is one already.
    Exists(String),
    /// It does not fit how things stand, or somebody else was faster.
    Conflict(String),
    /// Not what this is for.
    Unsupported(String),
    /// A question whose answer would be too large.
    TooComplex(String),
    /// A body above the limit.
    TooLarge,
    /// An address above the limit.
    AddressTooLong,
    /// Too many requests; again after so many seconds.
    TooMany(u64),
    /// The store does not answer.
    Unavailable(String),
}

impl Problem {
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "BadRequestData", "the request cannot be used"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized", "a valid token is needed"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "Forbidden", "this token may not do that"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "ResourceNotFound", "nothing is here"),
            Self::Exists(_) => (StatusCode::CONFLICT, "AlreadyExists", "it exists already"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "Conflict", "it does not fit how things stand"),
            Self::Unsupported(_) => (StatusCode::UNPROCESSABLE_ENTITY, "OperationNotSupported", "not supported"),
            Self::TooComplex(_) => (StatusCode::FORBIDDEN, "TooComplexQuery", "the question is too wide"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "InvalidRequest", "the body is too large"),
            Self::AddressTooLong => (StatusCode::URI_TOO_LONG, "InvalidRequest", "the address is too long"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "too many requests"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "InternalError", "the store does not answer"),
        }
    }

    /// Its type, as counted.
    pub(super) fn name(&self) -> &'static str {
        self.parts().1
    }

    /// What is wrong, in words.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Invalid(words)
            | Self::Forbidden(words)
            | Self::NotFound(words)
            | Self::Exists(words)
            | Self::Conflict(words)
            | Self::Unsupported(words)
            | Self::TooComplex(words)
            | Self::Unavailable(words) => words.clone(),
            Self::TooMany(after_s) => format!("try again in {after_s} s"),
            Self::Unauthorized | Self::TooLarge | Self::AddressTooLong => self.parts().2.to_owned(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadQuery(words) => Self::Invalid(words),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, kind, title) = self.parts();
        let body = json!({ "type": format!("https://uri.etsi.org/ngsi-ld/errors/{kind}"), "title": title,
            "status": status.as_u16(), "detail": self.detail() });
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooMany(after_s) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(after_s));
            }
            _ => {}
        }
        response
    }
}
