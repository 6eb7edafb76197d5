//! The tables as they are brought from one database into another. *Runs: server.*

use serde_json::Value as Json;

use super::{First, Kind, json_of};
use crate::server::store::{
    StoreError,
    statement::{Read, Row},
};

/// A table: how its rows are read a part at a time, in the order of their keys, and how one is written.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What each column holds. The first ones are the key.
    pub(super) kinds: &'static [Kind],
    /// What is before every key.
    pub(super) first: &'static [First],
    /// Whether there is any row.
    pub(super) any: &'static str,
    pub(super) select: &'static str,
    pub(super) insert: &'static str,
    pub(super) read: Read<Vec<Json>>,
}

/// So many rows are read with one statement.
macro_rules! at_once {
    () => {
        500
    };
}
pub(super) const AT_ONCE: usize = at_once!();

/// One table, from its columns with their kinds. Statements have to be literals, so they are put together here.
macro_rules! table {
    ($name:literal, $where:literal, $order:literal, [$($first:ident),*], $places:literal,
     [$head:ident: $head_kind:ident $(, $column:ident: $kind:ident)*]) => {
        Table {
            name: $name,
            kinds: &[Kind::$head_kind $(, Kind::$kind)*],
            first: &[$(First::$first),*],
            any: concat!("SELECT 1 FROM ", $name, " LIMIT 1"),
            select: concat!(
                "SELECT ", stringify!($head) $(, ", ", stringify!($column))*, " FROM ", $name, $where, " ORDER BY ", $order,
                " LIMIT ", at_once!()
            ),
            insert: concat!(
                "INSERT INTO ", $name, " (", stringify!($head) $(, ", ", stringify!($column))*, ") VALUES (", $places, ")"
            ),
            read: |row: &mut Row<'_>| -> Result<Vec<Json>, StoreError> {
                Ok(vec![json_of(row, Kind::$head_kind)? $(, json_of(row, Kind::$kind)?)*])
            },
        }
    };
}

/// Every table, those first that others refer to.
pub(super) const TABLES: [Table; 13] = [
    table!("sessions", " WHERE id > ?1", "id", [Text], "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18", [id: Text, attempt: Integer, version: Integer, stage: Text, answered: Integer, opened: Integer, delayed: Integer, updated_at: Integer, expires_at: Integer, consent: Text, created_at: Integer, wallet_name: Bytes, draft: Bytes, scanned_at: Integer, connected_at: Integer, presented_at: Integer, verified_at: Integer, ended: Text]),
    table!("invitations", " WHERE (session_id, attempt) > (?1, ?2)", "session_id, attempt", [Text, Integer], "?1, ?2, ?3, ?4", [session_id: Text, attempt: Integer, url: Text, message: Text]),
    table!("attempts", " WHERE (session_id, attempt) > (?1, ?2)", "session_id, attempt", [Text, Integer], "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15", [session_id: Text, attempt: Integer, code: Text, link: Text, alias: Text, out_of_band_id: Text, invitation_id: Text, connection_id: Text, answered_at: Integer, proof_asked_at: Integer, proof_id: Text, proof_thread_id: Text, cards: Text, attributes: Bytes, created_at: Integer]),
    table!("events", " WHERE id > ?1", "id", [Integer], "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15", [id: Integer, key: Text, kind: Text, record_id: Text, state: Text, connection_id: Text, out_of_band_id: Text, thread_id: Text, outcome: Text, session_id: Text, attempt: Integer, received_at: Integer, body: Text, cards: Text, source: Text]),
    table!("acts", " WHERE id > ?1", "id", [Integer], "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13", [id: Integer, kind: Text, session_id: Text, attempt: Integer, connection_id: Text, lane: Integer, due_at: Integer, tries: Integer, leased: Integer, again_at: Integer, done_at: Integer, problem: Text, owner: Integer]),
    table!("registrations", " WHERE session_id > ?1", "session_id", [Text], "?1, ?2, ?3, ?4, ?5, ?6, ?7", [session_id: Text, attempt: Integer, number: Text, consent: Text, consented_at: Integer, submitted_at: Integer, record: Bytes]),
    table!("consents", " WHERE version > ?1", "version", [Text], "?1, ?2, ?3", [version: Text, text: Text, first_used_at: Integer]),
    table!("retention", "", "kept", [], "?1, ?2", [kept: Integer, unfinished: Integer]),
    table!("hand_overs", " WHERE session_id > ?1", "session_id", [Text], "?1, ?2, ?3, ?4", [session_id: Text, code: Bytes, digest: Bytes, good_until: Integer]),
    table!("sign_ins", " WHERE id > ?1", "id", [Text], "?1, ?2, ?3, ?4, ?5, ?6", [id: Text, digest: Bytes, admin: Bytes, name: Bytes, began_at: Integer, good_until: Integer]),
    table!("deeds", " WHERE id > ?1", "id", [Integer], "?1, ?2, ?3, ?4, ?5, ?6", [id: Integer, at: Integer, sign_in: Text, deed: Text, session_id: Text, detail: Text]),
    table!("figures", " WHERE hour > ?1", "hour", [Integer], "?1, ?2", [hour: Integer, body: Text]),
    table!("sandbox_records", " WHERE (kind, id) > (?1, ?2)", "kind, id", [Text, Text], "?1, ?2, ?3", [kind: Text, id: Text, body: Text]),
];
