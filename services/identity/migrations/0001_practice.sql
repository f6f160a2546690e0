-- A practice says of itself what its pages and letters show; that is public, and has no wall.
CREATE TABLE practice (
    practice_id   uuid  PRIMARY KEY,
    name          text  NOT NULL,
    phone         text  NOT NULL,
    address       text  NOT NULL,
    hours         text  NOT NULL,
    emergency     text  NOT NULL,
    time_zone     text  NOT NULL,
    contact_email text  NOT NULL,
    resources     jsonb NOT NULL DEFAULT '[]'
);
ALTER TABLE practice ENABLE ROW LEVEL SECURITY;
ALTER TABLE practice FORCE ROW LEVEL SECURITY;
CREATE POLICY public_words ON practice FOR SELECT USING (true);
CREATE POLICY own_practice ON practice
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);

-- The ingestion endpoint's key, as its SHA-256. Whoever holds the key finds the row by it.
CREATE TABLE practice_key (
    practice_id uuid        NOT NULL REFERENCES practice,
    id          uuid        NOT NULL,
    key_hash    bytea       NOT NULL UNIQUE,
    made_at     timestamptz NOT NULL,
    PRIMARY KEY (practice_id, id)
);
ALTER TABLE practice_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE practice_key FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON practice_key
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
CREATE POLICY by_key ON practice_key FOR SELECT
    USING (encode(key_hash, 'hex') = current_setting('app.key', true));
