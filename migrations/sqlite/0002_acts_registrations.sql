-- Registrations and consents; acts that belong to no session yet; attempts over a connection that stands; nothing personal
-- in clear.

-- The text that people consented to, by its fingerprint.
CREATE TABLE consents (
    version        TEXT   PRIMARY KEY,
    text           TEXT   NOT NULL,
    first_used_at  BIGINT NOT NULL
);

ALTER TABLE sessions ADD COLUMN delayed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN consent TEXT NOT NULL DEFAULT '';
-- Sealed: the name of the wallet, and what was typed into the form but could not be submitted.
ALTER TABLE sessions ADD COLUMN wallet_name BLOB;
ALTER TABLE sessions ADD COLUMN draft BLOB;
ALTER TABLE sessions DROP COLUMN their_label;
UPDATE events SET body = json_remove(body, '$.theirLabel', '$.data.theirLabel') WHERE json_valid(body);

-- Without `link` it is an attempt over the connection of an earlier one. `code` is what page and wallet both show.
-- `cards` is 'one' or 'several' once a presentation told how many cards it answers from.
CREATE TABLE attempts_new (
    session_id       TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    attempt          BIGINT NOT NULL,
    code             TEXT   NOT NULL,
    link             TEXT   UNIQUE,
    alias            TEXT   UNIQUE,
    invitation_url   TEXT,
    invitation       TEXT,
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
);
INSERT INTO attempts_new (session_id, attempt, code, link, alias, invitation_url, invitation, out_of_band_id, invitation_id,
    connection_id, proof_asked_at, proof_id, proof_thread_id, attributes, created_at)
    SELECT session_id, attempt, upper(hex(randomblob(2))), link, alias, invitation_url, invitation, out_of_band_id, invitation_id,
    connection_id, proof_asked_at, proof_id, proof_thread_id, attributes, created_at FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_new RENAME TO attempts;
CREATE INDEX attempts_connection ON attempts (connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX attempts_thread ON attempts (proof_thread_id) WHERE proof_thread_id IS NOT NULL;

-- How many cards the presentation answers from: the one finding kept of `proofData`.
ALTER TABLE events ADD COLUMN cards TEXT;
UPDATE events SET cards = 'several' WHERE mixes_credentials = 1;
ALTER TABLE events DROP COLUMN mixes_credentials;
-- 'webhook', or 'asked' when the platform told it to our own question.
ALTER TABLE events ADD COLUMN source TEXT NOT NULL DEFAULT 'webhook';
CREATE INDEX events_unmatched ON events (received_at) WHERE outcome = 'unmatched';

-- `subject` is the attempt, or the connection of an act that has no session yet. A lease moves `due_at` to its own end; a
-- wish that comes meanwhile is kept in `again_at`. The lanes hold up only themselves.
CREATE TABLE acts_new (
    id            INTEGER PRIMARY KEY,
    kind          TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    session_id    TEXT   REFERENCES sessions (id) ON DELETE CASCADE,
    attempt       BIGINT,
    lane          BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,
    leased        BIGINT NOT NULL DEFAULT 0,
    again_at      BIGINT,
    done_at       BIGINT,
    problem       TEXT,
    UNIQUE (kind, subject)
);
INSERT INTO acts_new (kind, subject, session_id, attempt, lane, due_at, tries, done_at, problem)
    SELECT kind, session_id || '/' || attempt, session_id, attempt, 0, due_at, tries, done_at, problem FROM acts;
INSERT INTO acts_new (kind, subject, session_id, attempt, lane, due_at)
    SELECT 'expire', id || '/' || attempt, id, attempt, 2, expires_at FROM sessions WHERE running = 1
    UNION ALL
    SELECT 'reconcile', id || '/' || attempt, id, attempt, 1, 0 FROM sessions WHERE running = 1
    UNION ALL
    SELECT 'fall_back', id || '/' || attempt, id, attempt, 0, 0 FROM sessions WHERE stage = 'scanned' AND answered = 1
    UNION ALL
    -- The start sets the time by what the desk keeps.
    SELECT 'purge', id || '/1', id, 1, 3, 9223372036854775807 FROM sessions;
DROP TABLE acts;
ALTER TABLE acts_new RENAME TO acts;
CREATE INDEX acts_due ON acts (lane, due_at) WHERE done_at IS NULL;
CREATE INDEX acts_session ON acts (session_id);
DROP INDEX sessions_due;
DROP INDEX sessions_age;
ALTER TABLE sessions DROP COLUMN running;

-- What was submitted. `record` is sealed: what was proven, and what was typed.
CREATE TABLE registrations (
    session_id    TEXT   PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    attempt       BIGINT NOT NULL,
    number        TEXT   NOT NULL UNIQUE,
    consent       TEXT   NOT NULL,
    consented_at  BIGINT NOT NULL,
    submitted_at  BIGINT NOT NULL,
    record        BLOB   NOT NULL
);
