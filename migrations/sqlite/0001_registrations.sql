-- Times are milliseconds since 1970, ids and JSON are text: types that mean the same in SQLite and PostgreSQL.

CREATE TABLE sessions (
    id          TEXT   PRIMARY KEY,
    attempt     BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    stage       TEXT   NOT NULL,
    answered    BIGINT NOT NULL,
    opened      BIGINT NOT NULL,
    their_label TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    -- 1 while a deadline can still pass; kept beside the stage so that the search for due sessions is an index scan.
    running     BIGINT NOT NULL
);
CREATE INDEX sessions_due ON sessions (expires_at) WHERE running = 1;
CREATE INDEX sessions_age ON sessions (created_at);

-- One row for each code shown. The ids are the keys by which webhooks find their session.
CREATE TABLE attempts (
    session_id       TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    attempt          BIGINT NOT NULL,
    link             TEXT   NOT NULL UNIQUE,
    alias            TEXT   NOT NULL UNIQUE,
    invitation_url   TEXT   NOT NULL,
    invitation       TEXT,
    out_of_band_id   TEXT   UNIQUE,
    invitation_id    TEXT   UNIQUE,
    connection_id    TEXT,
    proof_asked_at   BIGINT,
    proof_id         TEXT   UNIQUE,
    proof_thread_id  TEXT,
    attributes       BLOB,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (session_id, attempt)
);
CREATE INDEX attempts_connection ON attempts (connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX attempts_thread ON attempts (proof_thread_id) WHERE proof_thread_id IS NOT NULL;

-- Every delivery of a webhook, with what became of it. `body` is the delivery without `proofData`.
CREATE TABLE events (
    id              INTEGER PRIMARY KEY,
    key             TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    record_id       TEXT,
    state           TEXT,
    connection_id   TEXT,
    out_of_band_id  TEXT,
    thread_id       TEXT,
    -- Whether the presentation answered from two cards: the one finding kept of `proofData`.
    mixes_credentials BIGINT NOT NULL,
    outcome         TEXT   NOT NULL,
    session_id      TEXT   REFERENCES sessions (id) ON DELETE CASCADE,
    attempt         BIGINT,
    received_at     BIGINT NOT NULL,
    body            TEXT   NOT NULL
);
CREATE INDEX events_key ON events (key);
CREATE INDEX events_session ON events (session_id);
CREATE INDEX events_waiting ON events (connection_id) WHERE outcome = 'unmatched';
CREATE INDEX events_age ON events (received_at) WHERE session_id IS NULL;

-- What the server has to do next: written in the transaction that makes it due.
CREATE TABLE acts (
    id            INTEGER PRIMARY KEY,
    session_id    TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    attempt       BIGINT NOT NULL,
    kind          TEXT   NOT NULL,
    due_at        BIGINT NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,
    leased_until  BIGINT,
    done_at       BIGINT,
    problem       TEXT,
    UNIQUE (session_id, attempt, kind)
);
CREATE INDEX acts_due ON acts (due_at) WHERE done_at IS NULL;

-- The records of the sandbox platform, so that it survives a restart like a real one. Empty elsewhere.
CREATE TABLE sandbox_records (
    kind  TEXT NOT NULL,
    id    TEXT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
