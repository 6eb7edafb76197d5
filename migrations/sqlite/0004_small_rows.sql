-- What every webhook reads and writes is small, and found in one step. Rows of sessions and attempts lie in the order of their
-- keys, which begin with a time, so registrations that are under way at the same time share their pages.

CREATE TABLE sessions_new (
    id          TEXT   PRIMARY KEY,
    attempt     BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    stage       TEXT   NOT NULL,
    answered    BIGINT NOT NULL,
    opened      BIGINT NOT NULL,
    delayed     BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    consent     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    wallet_name BLOB,
    draft       BLOB
) WITHOUT ROWID;
INSERT INTO sessions_new SELECT id, attempt, version, stage, answered, opened, delayed, updated_at, expires_at, consent,
    created_at, wallet_name, draft FROM sessions;

-- An invitation is long, never changes, and is read where its code is shown.
CREATE TABLE invitations (
    session_id TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    attempt    BIGINT NOT NULL,
    url        TEXT   NOT NULL,
    message    TEXT,
    PRIMARY KEY (session_id, attempt)
);
INSERT INTO invitations SELECT session_id, attempt, invitation_url, invitation FROM attempts WHERE invitation_url IS NOT NULL;

CREATE TABLE attempts_new (
    session_id       TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    attempt          BIGINT NOT NULL,
    code             TEXT   NOT NULL,
    link             TEXT   UNIQUE,
    alias            TEXT   UNIQUE,
    out_of_band_id   TEXT   UNIQUE,
    invitation_id    TEXT   UNIQUE,
    connection_id    TEXT,
    answered_at      BIGINT,
    proof_asked_at   BIGINT,
    proof_id         TEXT   UNIQUE,
    proof_thread_id  TEXT,
    cards            TEXT,
    attributes       BLOB,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (session_id, attempt)
) WITHOUT ROWID;
INSERT INTO attempts_new SELECT session_id, attempt, code, link, alias, out_of_band_id, invitation_id, connection_id,
    answered_at, proof_asked_at, proof_id, proof_thread_id, cards, attributes, created_at FROM attempts;

-- One index says what there is of a registration and that each act is there once.
CREATE TABLE acts_new (
    id            INTEGER PRIMARY KEY,
    kind          TEXT   NOT NULL,
    session_id    TEXT   REFERENCES sessions (id) ON DELETE CASCADE,
    attempt       BIGINT,
    -- Of an act that has no session yet.
    connection_id TEXT,
    lane          BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,
    leased        BIGINT NOT NULL DEFAULT 0,
    again_at      BIGINT,
    done_at       BIGINT,
    problem       TEXT,
    UNIQUE (session_id, attempt, kind)
);
INSERT INTO acts_new SELECT id, kind, session_id, attempt, CASE WHEN session_id IS NULL THEN subject END, lane, due_at, tries,
    leased, again_at, done_at, problem FROM acts;

DROP TABLE acts;
DROP TABLE attempts;
-- Nothing that belongs to a session goes with its old table: foreign keys are not enforced while tables are changed.
DROP TABLE sessions;
ALTER TABLE sessions_new RENAME TO sessions;
ALTER TABLE attempts_new RENAME TO attempts;
ALTER TABLE acts_new RENAME TO acts;
CREATE INDEX attempts_connection ON attempts (connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX attempts_thread ON attempts (proof_thread_id) WHERE proof_thread_id IS NOT NULL;
CREATE INDEX acts_due ON acts (lane, due_at) WHERE done_at IS NULL;
CREATE INDEX acts_leased ON acts (id) WHERE leased = 1;
CREATE UNIQUE INDEX acts_connection ON acts (connection_id) WHERE connection_id IS NOT NULL;
