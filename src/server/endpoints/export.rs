//! `GET /admin/export.csv` and `/admin/export.jsonl`: every registration, row by row as they are read. For staff who are signed in,
//! or with the `ADMIN_TOKEN`; each export is recorded before it begins. *Runs: server.*

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::json;

use super::openapi::problems;
use crate::server::{
    problem::Problem,
    staff,
    state::App,
    store::{Deed, Exported},
};

/// So many rows are read at once.
const AT_ONCE: u32 = 500;
/// The columns before and after those of the desk's attributes.
const BEFORE: [&str; 5] = ["number", "session", "consented_at", "submitted_at", "consent"];
const AFTER: [&str; 4] = ["email", "phone", "wallet", "other"];

/// A form of export.
#[derive(Clone, Copy)]
enum Form {
    Csv,
    Jsonl,
}

problems! { Refusals: Problem::Unauthorized, Problem::Forbidden, Problem::StoreUnavailable }

/// Every registration, as a table.
///
/// As RFC 4180 has it, with a header. A cell that a spreadsheet would take for a formula has an apostrophe before it. The export is
/// recorded.
#[utoipa::path(
    get, path = "/admin/export.csv", operation_id = "exportTable", tag = "operators",
    security(("adminToken" = [])),
    responses(
        (status = 200, description = "The table.", body = str, content_type = "text/csv; charset=utf-8; header=present"),
        Refusals,
    ),
)]
pub async fn csv(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    export(app, &headers, Form::Csv).await
}

/// Every registration, as a JSON object on each line.
///
/// The export is recorded.
#[utoipa::path(
    get, path = "/admin/export.jsonl", operation_id = "exportLines", tag = "operators",
    security(("adminToken" = [])),
    responses((status = 200, description = "The lines.", body = str, content_type = "application/x-ndjson"), Refusals),
)]
pub async fn jsonl(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    export(app, &headers, Form::Jsonl).await
}

async fn export(app: App, headers: &HeaderMap, form: Form) -> Result<Response, Problem> {
    let who = staff::actor(&app, headers).await?;
    let (name, kind) = match form {
        Form::Csv => ("registrations.csv", "text/csv; charset=utf-8; header=present"),
        Form::Jsonl => ("registrations.jsonl", "application/x-ndjson"),
    };
    staff::record(&app, &who, Deed::Exported, None, Some(name)).await?;
    let body = Body::from_stream(stream::unfold(Some((app, form, None)), |state| async move {
        let (app, form, after) = state?;
        let part = part(&app, form, after).await;
        Some(match part {
            Ok((bytes, next)) => (Ok::<_, std::io::Error>(bytes), next.map(|next| (app, form, Some(next)))),
            // The connection breaks off, so nobody takes a part for the whole.
            Err(problem) => (Err(std::io::Error::other(problem.code())), None),
        })
    }));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let mut response = ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body).into_response();
    response.headers_mut().extend(disposition.ok().map(|value| (header::CONTENT_DISPOSITION, value)));
    Ok(response)
}

/// The rows after one, as bytes; and the last of them, if there may be more.
async fn part(app: &App, form: Form, after: Option<String>) -> Result<(Bytes, Option<String>), Problem> {
    let rows = app.sessions.store.export_registrations(after.as_deref().unwrap_or_default(), AT_ONCE).await?;
    let next = (rows.len() == AT_ONCE as usize).then(|| rows.last().map(|row| row.session.clone())).flatten();
    let attributes: Vec<&str> = app.sessions.desk.attributes.iter().map(|attribute| &*attribute.name).collect();
    let bytes = match form {
        Form::Csv => {
            let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            if after.is_none() {
                let names = BEFORE.into_iter().chain(attributes.iter().copied()).chain(AFTER);
                write(&mut writer, names.map(str::to_owned));
            }
            rows.iter().for_each(|row| write(&mut writer, cells(row, &attributes)));
            writer.into_inner().unwrap_or_default()
        }
        Form::Jsonl => rows.iter().flat_map(line).collect(),
    };
    Ok((bytes.into(), next))
}

fn write(writer: &mut csv::Writer<Vec<u8>>, cells: impl IntoIterator<Item = String>) {
    // Into memory, and every row has as many cells as the header.
    let _ = writer.write_record(cells.into_iter().map(|cell| harmless(&cell)));
}

/// A cell that a spreadsheet would take for a formula is told to be text, with a sign that it does not show.
fn harmless(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{cell}") } else { cell.to_owned() }
}

fn cells(row: &Exported, attributes: &[&str]) -> Vec<String> {
    let revealed = row.submitted.as_ref().map(|submitted| &*submitted.revealed).unwrap_or_default();
    let contact = row.submitted.as_ref().map(|submitted| &submitted.contact);
    let mut cells = vec![
        row.number.clone(),
        row.session.clone(),
        row.consented_at.rfc3339(),
        row.submitted_at.rfc3339(),
        row.consent.clone(),
    ];
    cells.extend(attributes.iter().map(|name| {
        let value = revealed.iter().find(|revealed| revealed.name == *name);
        value.map(|revealed| revealed.value.clone()).unwrap_or_default()
    }));
    cells.push(contact.map(|contact| contact.email.as_str().to_owned()).unwrap_or_default());
    cells.push(contact.map(|contact| contact.phone.as_str().to_owned()).unwrap_or_default());
    cells.push(row.wallet.clone().unwrap_or_default());
    // What an earlier desk asked for is not lost.
    let others: serde_json::Map<_, _> = revealed
        .iter()
        .filter(|revealed| !attributes.contains(&&*revealed.name))
        .map(|revealed| (revealed.name.clone(), json!(revealed.value)))
        .collect();
    cells.push(if others.is_empty() { String::new() } else { json!(others).to_string() });
    cells
}

fn line(row: &Exported) -> Vec<u8> {
    let submitted = row.submitted.as_ref();
    let attributes: serde_json::Map<_, _> = submitted
        .iter()
        .flat_map(|submitted| &submitted.revealed)
        .map(|revealed| (revealed.name.clone(), json!(revealed.value)))
        .collect();
    let object = json!({
        "number": row.number,
        "session": row.session,
        "consentedAt": row.consented_at.rfc3339(),
        "submittedAt": row.submitted_at.rfc3339(),
        "consent": row.consent,
        "attributes": attributes,
        "email": submitted.map(|submitted| submitted.contact.email.as_str()),
        "phone": submitted.map(|submitted| submitted.contact.phone.as_str()),
        "wallet": row.wallet,
    });
    format!("{object}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+2348012345678", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["", "Amaka", "a=b", "1-2", "'=1"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
