-- What an archive is checked by, beside the SHA-256 that says what it is.
ALTER TABLE content ADD COLUMN crc32 bigint CHECK (crc32 BETWEEN 0 AND 4294967295);

-- A file made of a selection of a record. While it is made, whoever makes it says again and again
-- that they are still at it; it is forgotten a day after it was begun.
CREATE TABLE export (
    practice_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    account_id  uuid        NOT NULL,
    key         uuid        NOT NULL,
    format      text        NOT NULL CHECK (format IN ('html', 'pdf', 'fhir', 'ccda', 'zip')),
    kinds       text[]      NOT NULL,
    file_name   text        NOT NULL,
    media_type  text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('making', 'ready', 'failed')),
    done        integer     NOT NULL DEFAULT 0,
    total       integer     NOT NULL,
    size        bigint      NOT NULL DEFAULT 0,
    begun_at    timestamptz NOT NULL,
    heard_at    timestamptz NOT NULL,
    PRIMARY KEY (practice_id, id),
    UNIQUE (practice_id, account_id, key),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patient
);
CREATE INDEX export_begun ON export (begun_at);

-- What the file consists of, from its first byte to its last: bytes that were made for it, and
-- documents where they lie: as they are, in base64, or only their CRC-32.
CREATE TABLE export_segment (
    practice_id uuid    NOT NULL,
    export_id   uuid    NOT NULL,
    position    bigint  NOT NULL,
    length      bigint  NOT NULL CHECK (length > 0),
    form        text    NOT NULL CHECK (form IN ('made', 'original', 'base64', 'crc32')),
    content_id  uuid    NOT NULL,
    start       bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (practice_id, export_id, position),
    FOREIGN KEY (practice_id, export_id) REFERENCES export ON DELETE CASCADE,
    FOREIGN KEY (practice_id, content_id) REFERENCES content
);
CREATE INDEX export_segment_content ON export_segment (practice_id, content_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['export', 'export_segment'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
END
$$;
CREATE POLICY own_practice ON export
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
CREATE POLICY own_practice ON export_segment
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
-- The sweeper sees which files of all practices are old, and nothing of what they hold.
CREATE POLICY sweeper ON export FOR SELECT
    USING (current_setting('app.worker', true) = 'exports');
