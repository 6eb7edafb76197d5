-- What the staff's pages read: when a registration first came to each step, how it ended, and in which order they began. None of it
-- is in an index that a webhook would have to write.
ALTER TABLE sessions ADD COLUMN scanned_at BIGINT;
ALTER TABLE sessions ADD COLUMN connected_at BIGINT;
ALTER TABLE sessions ADD COLUMN presented_at BIGINT;
ALTER TABLE sessions ADD COLUMN verified_at BIGINT;
-- The stage, once it is an end.
ALTER TABLE sessions ADD COLUMN ended TEXT;
UPDATE sessions SET ended = stage WHERE stage IN ('submitted', 'declined', 'invalid', 'abandoned', 'expired', 'cancelled', 'failed');
CREATE INDEX sessions_begun ON sessions (created_at, id);
CREATE INDEX sessions_ended ON sessions (ended, created_at, id) WHERE ended IS NOT NULL;

-- Who of the staff signed in. A browser has a secret, of which there is only a digest here; it is good for one ADMIN_TOKEN. The name
-- is sealed.
CREATE TABLE sign_ins (
    id         TEXT   PRIMARY KEY,
    digest     BLOB   NOT NULL UNIQUE,
    admin      BLOB   NOT NULL,
    name       BLOB   NOT NULL,
    began_at   BIGINT NOT NULL,
    good_until BIGINT NOT NULL
);

-- What staff did, append-only. It outlives the registration it is about. Without `sign_in` it was done with the ADMIN_TOKEN itself.
CREATE TABLE deeds (
    id         INTEGER PRIMARY KEY,
    at         BIGINT NOT NULL,
    sign_in    TEXT,
    deed       TEXT   NOT NULL,
    session_id TEXT,
    detail     TEXT
);
CREATE INDEX deeds_session ON deeds (session_id, id) WHERE session_id IS NOT NULL;

-- Figures of the registrations that began in an hour, as JSON, made once when nearly all of them have ended. Nothing personal.
CREATE TABLE figures (
    hour BIGINT PRIMARY KEY,
    body TEXT   NOT NULL
);
