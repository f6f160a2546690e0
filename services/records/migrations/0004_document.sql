-- A document of a patient. What it is never changes: another version is another row, and the
-- earlier one then says which replaced it; one that its author took back says when.
CREATE TABLE document (
    practice_id  uuid        NOT NULL,
    patient_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    content_id   uuid        NOT NULL,
    source_id    text        NOT NULL,
    known_as     text        NOT NULL,
    replaces     text        NOT NULL,
    title        text        NOT NULL,
    kind         text        NOT NULL,
    kind_code    text        NOT NULL,
    author       text        NOT NULL,
    media_type   text        NOT NULL,
    viewable     boolean     NOT NULL,
    file_name    text        NOT NULL,
    size         bigint      NOT NULL,
    sha256       text        NOT NULL,
    dated        date,
    precision    text        NOT NULL CHECK (precision IN ('year', 'month', 'day', 'instant')),
    dated_at     timestamptz,
    day          date        NOT NULL,
    words        text        NOT NULL,
    status       text        NOT NULL,
    added_at     timestamptz NOT NULL,
    added_by     uuid        NOT NULL,
    import_id    uuid,
    replaced_by  uuid,
    withdrawn_at timestamptz,
    PRIMARY KEY (practice_id, patient_id, id),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patient,
    FOREIGN KEY (practice_id, content_id) REFERENCES content
);
-- Lists are in this order, and each page begins where the last one ended.
CREATE INDEX document_day ON document (practice_id, patient_id, day DESC, id DESC)
 WHERE withdrawn_at IS NULL;
-- What a document that comes in may be once more, or another version of.
CREATE INDEX document_sha256 ON document (practice_id, patient_id, sha256);
CREATE INDEX document_source ON document (practice_id, patient_id, source_id) WHERE source_id <> '';
CREATE INDEX document_known_as ON document (practice_id, patient_id, known_as) WHERE known_as <> '';
CREATE INDEX document_replaces ON document (practice_id, patient_id, replaces) WHERE replaces <> '';
CREATE UNIQUE INDEX document_content ON document (practice_id, content_id);

ALTER TABLE document ENABLE ROW LEVEL SECURITY;
ALTER TABLE document FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON document
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
REVOKE UPDATE, DELETE ON document FROM records;
GRANT UPDATE (replaced_by, withdrawn_at) ON document TO records;
