//! The errors of an operation in the document: for each status the codes that can come with it. *Runs: server.*

use std::collections::BTreeMap;

use axum::{http::header, response::IntoResponse};
use serde_json::json;
use utoipa::openapi::{
    Content, Header, Ref, RefOr, Response,
    content::ContentBuilder,
    example::ExampleBuilder,
    header::HeaderBuilder,
    response::ResponseBuilder,
    schema::{AllOfBuilder, ObjectBuilder, Type},
};

use crate::server::problem::Problem;

/// Makes a type that stands for problems of an operation, to be named among its `responses(…)`.
macro_rules! problems {
    ($name:ident: $($problem:expr),+ $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                $crate::server::endpoints::openapi::problems::responses(&[$($problem),+])
            }
        }
    };
}
pub(in crate::server) use problems;

/// The answers with these problems, by status.
pub fn responses(problems: &[Problem]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<_, Vec<_>>::new();
    for problem in problems {
        by_status.entry(problem.parts().0.as_u16()).or_default().push(*problem);
    }
    by_status.into_iter().map(|(status, problems)| (status.to_string(), response(status, &problems).into())).collect()
}

fn response(status: u16, problems: &[Problem]) -> Response {
    let means = |problem: &Problem| format!("`{}`: {}", problem.code(), problem.parts().2);
    let description = problems.iter().map(means).collect::<Vec<_>>().join("; ");
    let mut response =
        ResponseBuilder::new().description(description).content("application/problem+json", content(status, problems));
    for (name, header) in problems.iter().flat_map(|problem| headers(*problem)) {
        response = response.header(name, header);
    }
    response.build()
}

fn content(status: u16, problems: &[Problem]) -> Content {
    let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(problems.iter().map(|one| one.code())));
    let number = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([status]));
    let narrowed = ObjectBuilder::new().property("status", number).property("code", text);
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
    let example = |problem: &Problem| {
        (problem.code(), ExampleBuilder::new().summary(problem.parts().2).value(Some(json!(problem.body()))).build())
    };
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(problems.iter().map(example)).build()
}

/// The headers that the answer itself says it has.
fn headers(problem: Problem) -> Vec<(String, Header)> {
    let answer = problem.into_response();
    let told =
        answer.headers().iter().filter(|(name, _)| !matches!(**name, header::CONTENT_TYPE | header::CONTENT_LENGTH));
    let header = |name: &header::HeaderName, value: &str| match *name {
        header::RETRY_AFTER => HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0))))
            .description(Some("In how many seconds it may be better.")),
        _ => {
            HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String).enum_values(Some([value]))))
        }
    };
    told.filter_map(|(name, value)| Some((name.to_string(), header(name, value.to_str().ok()?).build()))).collect()
}
