-- Content lies in sealed chunks under a key of its own, which is sealed under its owner's data key:
-- the patient's, or the practice's for what is nobody's yet. The data key is wrapped by a key of
-- the ring. A destroyed data key stays as a row without a key, so that none is made anew.
CREATE TABLE data_key (
    practice_id  uuid        NOT NULL,
    owner_id     uuid        NOT NULL,
    key_id       text        NOT NULL,
    wrapped      bytea,
    made_at      timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    PRIMARY KEY (practice_id, owner_id),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- While content comes in, it has no checksum yet; from when it has one, it never changes.
CREATE TABLE content (
    practice_id uuid   NOT NULL,
    id          uuid   NOT NULL,
    owner_id    uuid   NOT NULL,
    wrapped     bytea  NOT NULL,
    size        bigint NOT NULL DEFAULT 0 CHECK (size BETWEEN 0 AND 52428800),
    sha256      text   CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, owner_id) REFERENCES data_key
);
CREATE INDEX content_owner ON content (practice_id, owner_id);

CREATE TABLE content_chunk (
    practice_id uuid    NOT NULL,
    content_id  uuid    NOT NULL,
    number      integer NOT NULL CHECK (number >= 0),
    sealed      bytea   NOT NULL,
    PRIMARY KEY (practice_id, content_id, number),
    FOREIGN KEY (practice_id, content_id) REFERENCES content ON DELETE CASCADE
);
-- What is sealed can't be compressed; trying would only cost time.
ALTER TABLE content_chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;
REVOKE UPDATE ON content_chunk FROM records;

-- A file that is coming in. It has its content's id; once used, it says what it became.
CREATE TABLE upload (
    practice_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    account_id  uuid        NOT NULL,
    file_name   text        NOT NULL,
    media_type  text        NOT NULL,
    started_at  timestamptz NOT NULL,
    became_id   uuid,
    PRIMARY KEY (practice_id, id)
);
CREATE INDEX upload_started ON upload (started_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['data_key', 'content', 'content_chunk', 'upload'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
END
$$;
CREATE POLICY own_practice ON data_key
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
CREATE POLICY own_practice ON content
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
CREATE POLICY own_practice ON content_chunk
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
CREATE POLICY own_practice ON upload
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
-- The sweeper sees which uploads of all practices are old, and nothing of what they hold.
CREATE POLICY sweeper ON upload FOR SELECT
    USING (current_setting('app.worker', true) = 'uploads');
