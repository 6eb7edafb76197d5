//! Errors as machines get them: RFC 9457, `application/problem+json`, each with a stable code. *Runs: server.*

use std::error::Error;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

use super::{
    patience::TooSlow,
    platform::PlatformError,
    sessions::{NotRecorded, OpenError},
    store::StoreError,
    trace,
};

/// What went wrong, for a machine. The codes are listed in the README and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained by its title below")]
pub enum Problem {
    BadRequestType,
    BadJson,
    BadForm,
    SessionIdMissing,
    Unauthorized,
    Forbidden,
    ForeignOrigin,
    NotFound,
    Gone,
    MethodNotAllowed,
    UnderWay,
    UpgradeRequired,
    TooSlow,
    TooLarge,
    TooMany { retry_after: u64 },
    PlatformUnavailable,
    StoreUnavailable,
    Busy,
}

/// An error (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// Always `about:blank`: what there is to know is in the other members.
    r#type: &'static str,
    /// What it means, in a sentence for people.
    title: &'static str,
    /// The answer's status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What it means, for programs. A code never changes its meaning; there may be new ones.
    #[schema(schema_with = codes)]
    code: &'static str,
    /// By which the log has more about it.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

fn codes() -> Object {
    let codes = Problem::ALL.map(Problem::code);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).build()
}

impl Problem {
    /// Every problem, for the documentation and its test.
    pub const ALL: [Self; 18] = [
        Self::BadRequestType,
        Self::BadJson,
        Self::BadForm,
        Self::SessionIdMissing,
        Self::Unauthorized,
        Self::Forbidden,
        Self::ForeignOrigin,
        Self::NotFound,
        Self::Gone,
        Self::MethodNotAllowed,
        Self::UnderWay,
        Self::UpgradeRequired,
        Self::TooSlow,
        Self::TooLarge,
        Self::TooMany { retry_after: 1 },
        Self::PlatformUnavailable,
        Self::StoreUnavailable,
        Self::Busy,
    ];

    /// What it means that a body could not be read, with this error.
    #[must_use]
    pub fn of_body(error: &(dyn Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |&error| error.source());
        let problem = causes.find_map(|cause| match cause {
            cause if cause.is::<TooSlow>() => Some(Self::TooSlow),
            // It broke off, or was not of the form that its header said.
            cause if cause.is::<hyper::Error>() => Some(Self::BadJson),
            _ => None,
        });
        problem.unwrap_or(Self::TooLarge)
    }

    /// What is answered.
    #[must_use]
    pub fn body(self) -> Body {
        let (status, code, title) = self.parts();
        let request_id = trace::request_id().map(|id| id.to_string());
        Body { r#type: "about:blank", title, status: status.as_u16(), code, request_id }
    }

    /// Its code, which is stable.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.parts().1
    }

    /// Status, code, and what it means in a sentence.
    #[must_use]
    pub const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequestType => {
                (StatusCode::BAD_REQUEST, "bad_request_type", "requestType has to be \"registration\"")
            }
            Self::BadJson => {
                (StatusCode::BAD_REQUEST, "bad_json", "the body is not a JSON object of the expected form")
            }
            Self::BadForm => {
                (StatusCode::BAD_REQUEST, "bad_form", "the form is too large, or a field is missing or odd")
            }
            Self::SessionIdMissing => {
                (StatusCode::BAD_REQUEST, "session_id_missing", "sessionId is missing or is not an id")
            }
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "the credentials are missing or wrong"),
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "forbidden", "this is for another organisation, or it is switched off here")
            }
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign_origin", "calls from that origin are not allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "there is nothing here"),
            Self::Gone => (StatusCode::GONE, "gone", "this link is of no use any more, or never was"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address does not take that method")
            }
            Self::UnderWay => (StatusCode::CONFLICT, "under_way", "a registration is under way in this session"),
            Self::UpgradeRequired => {
                (StatusCode::UPGRADE_REQUIRED, "upgrade_required", "this address takes a WebSocket")
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come in time"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than is accepted"),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many", "too many calls from this address"),
            Self::PlatformUnavailable => {
                (StatusCode::BAD_GATEWAY, "platform_unavailable", "the wallet platform does not answer; try again")
            }
            Self::StoreUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "it could not be stored; try again")
            }
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "more comes than can be stored; try again"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.parts().0, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let retry_after = match self {
            Self::TooMany { retry_after } => Some(retry_after),
            Self::StoreUnavailable | Self::Busy | Self::PlatformUnavailable => Some(1),
            _ => None,
        };
        if self == Self::UpgradeRequired {
            // RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::StoreUnavailable
    }
}

impl From<NotRecorded> for Problem {
    fn from(not: NotRecorded) -> Self {
        match not {
            NotRecorded::Full => Self::Busy,
            NotRecorded::Failed => Self::StoreUnavailable,
        }
    }
}

impl From<PlatformError> for Problem {
    fn from(error: PlatformError) -> Self {
        tracing::error!(%error, "the platform failed");
        Self::PlatformUnavailable
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Platform(error) => error.into(),
            OpenError::Store(error) => error.into(),
            OpenError::NoSession => Self::NotFound,
            OpenError::UnderWay | OpenError::NoConnection => Self::UnderWay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_every_code() {
        let readme = include_str!("../../README.md");
        for problem in Problem::ALL {
            let (status, code, _) = problem.parts();
            let row = format!("| `{code}` | {} |", status.as_u16());
            assert!(readme.contains(&row), "the README has no row {row}");
        }
    }
}
