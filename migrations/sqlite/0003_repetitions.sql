-- One index tells repetitions and finds what belongs to a session; two were two pages more to write for every delivery.
DROP INDEX events_key;
DROP INDEX events_session;
CREATE INDEX events_repetition ON events (session_id, key, outcome);
