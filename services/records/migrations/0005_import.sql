-- A file that was sent to be read: its report, and the work of reading it. A worker leases what is
-- due; `run` counts the readings of the file, `position` how much of the present one is done.
CREATE TABLE import (
    practice_id   uuid        NOT NULL,
    id            uuid        NOT NULL,
    content_id    uuid        NOT NULL,
    about_id      uuid,
    sha256        text        NOT NULL,
    size          bigint      NOT NULL,
    file_name     text        NOT NULL,
    declared_type text        NOT NULL,
    source        text        NOT NULL CHECK (source IN ('staff', 'machine', 'operator')),
    started_by    uuid        NOT NULL,
    started_at    timestamptz NOT NULL,
    state         text        NOT NULL
                  CHECK (state IN ('reading', 'preview', 'done', 'waiting', 'discarded')),
    format        text        NOT NULL DEFAULT 'unknown',
    problem       text        NOT NULL DEFAULT '',
    finished_at   timestamptz,
    taken         integer     NOT NULL DEFAULT 0,
    unchanged     integer     NOT NULL DEFAULT 0,
    left_out      integer     NOT NULL DEFAULT 0,
    waiting       integer     NOT NULL DEFAULT 0,
    is_preview    boolean     NOT NULL,
    run           integer     NOT NULL DEFAULT 1,
    position      bigint      NOT NULL DEFAULT 0,
    tries         integer     NOT NULL DEFAULT 0,
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         uuid,
    settled_by    uuid,
    settled_at    timestamptz,
    discard_reason text       NOT NULL DEFAULT '',
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, content_id) REFERENCES content,
    CHECK ((due_at IS NOT NULL) = (state = 'reading'))
);
-- The same content is the same import, unless somebody discarded it.
CREATE UNIQUE INDEX import_once
    ON import (practice_id, sha256, coalesce(about_id, '00000000-0000-0000-0000-000000000000'))
 WHERE state <> 'discarded';
CREATE INDEX import_waiting ON import (practice_id, id) WHERE state = 'waiting';
CREATE INDEX import_due ON import (due_at) WHERE due_at IS NOT NULL;

-- Somebody whom a file is about, and who that is here. `run` is the reading in which what is theirs
-- is counted, and filed if we know who it is.
CREATE TABLE import_subject (
    practice_id         uuid    NOT NULL,
    import_id           uuid    NOT NULL,
    number              integer NOT NULL,
    key_hash            text    NOT NULL,
    name                text    NOT NULL,
    birth_date          date,
    identifiers         text[]  NOT NULL,
    patient_id          uuid,
    why_waiting         text    NOT NULL,
    candidates          uuid[]  NOT NULL,
    settled             text    NOT NULL
                        CHECK (settled IN ('', 'matched', 'assigned', 'discarded')),
    run                 integer NOT NULL,
    results_found       integer NOT NULL DEFAULT 0,
    results_taken       integer NOT NULL DEFAULT 0,
    results_unchanged   integer NOT NULL DEFAULT 0,
    results_corrected   integer NOT NULL DEFAULT 0,
    documents_found     integer NOT NULL DEFAULT 0,
    documents_taken     integer NOT NULL DEFAULT 0,
    documents_unchanged integer NOT NULL DEFAULT 0,
    settled_by          uuid,
    settled_at          timestamptz,
    discard_reason      text    NOT NULL DEFAULT '',
    PRIMARY KEY (practice_id, import_id, number),
    UNIQUE (practice_id, import_id, key_hash),
    FOREIGN KEY (practice_id, import_id) REFERENCES import,
    FOREIGN KEY (practice_id, patient_id) REFERENCES patient,
    CHECK ((patient_id IS NOT NULL) = (settled IN ('matched', 'assigned'))),
    CHECK ((why_waiting = '') = (settled IN ('matched', 'assigned')))
);
CREATE INDEX import_subject_patient ON import_subject (practice_id, patient_id)
 WHERE patient_id IS NOT NULL;

-- What was not taken, alike things together.
CREATE TABLE import_left_out (
    practice_id uuid    NOT NULL,
    import_id   uuid    NOT NULL,
    number      integer NOT NULL,
    reason      text    NOT NULL,
    what        text    NOT NULL,
    place       text    NOT NULL,
    count       integer NOT NULL,
    PRIMARY KEY (practice_id, import_id, number),
    FOREIGN KEY (practice_id, import_id) REFERENCES import
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['import', 'import_subject', 'import_left_out'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['import_subject', 'import_left_out'] LOOP
        EXECUTE format(
            'CREATE POLICY own_practice ON %I
                 USING (practice_id = current_setting(''app.practice'')::uuid)
                 WITH CHECK (practice_id = current_setting(''app.practice'')::uuid)', name);
    END LOOP;
END
$$;
-- The worker leases of every practice; all else, and what it then does, keeps to one.
CREATE POLICY own_practice ON import
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid
           OR current_setting('app.worker', true) = 'import')
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid
           OR current_setting('app.worker', true) = 'import');
REVOKE DELETE ON import FROM records;
