-- One index tells repetitions and finds what belongs to a session; two were two pages more to write for every delivery.
DROP INDEX events_key;
DROP INDEX events_session;
CREATE INDEX events_repetition ON events (session_id, key, outcome);

-- A start finds what a process that is no more had leased, without reading all that was ever done.
CREATE INDEX acts_leased ON acts (id) WHERE leased = 1;

-- How long the desk kept what, in milliseconds, when the purges were last set by it: one row, or none.
CREATE TABLE retention (
    kept        BIGINT NOT NULL,
    unfinished  BIGINT NOT NULL
);
