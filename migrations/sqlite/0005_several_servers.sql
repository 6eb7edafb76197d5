-- Whose a lease is, so that nobody ends what somebody else has taken over.
ALTER TABLE acts ADD COLUMN owner BIGINT NOT NULL DEFAULT 0;

-- Codes by which another device goes on; sealed, and found by their digest.
CREATE TABLE hand_overs (
    session_id TEXT   PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    code       BLOB   NOT NULL,
    digest     BLOB   NOT NULL UNIQUE,
    good_until BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX hand_overs_good ON hand_overs (good_until);
