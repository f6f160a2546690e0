-- A patient of a practice. How far their invitation has come is identity's to say; it is kept here
-- as it was last heard, so that a list of patients is one statement.
CREATE TABLE patient (
    practice_id           uuid        NOT NULL,
    id                    uuid        NOT NULL,
    given                 text        NOT NULL,
    family                text        NOT NULL,
    birth_date            date        NOT NULL,
    email                 text        NOT NULL DEFAULT '',
    mrn                   text        NOT NULL DEFAULT '',
    family_key            text        NOT NULL,
    given_key             text        NOT NULL,
    search                text        NOT NULL,
    wanted                integer     NOT NULL DEFAULT 0,
    state                 text        NOT NULL DEFAULT 'not_invited',
    state_change          integer     NOT NULL DEFAULT 0,
    state_since           timestamptz NOT NULL,
    invitation_expires_at timestamptz,
    new_link_wanted       boolean     NOT NULL DEFAULT false,
    active                boolean     NOT NULL DEFAULT true,
    added_at              timestamptz NOT NULL,
    PRIMARY KEY (practice_id, id)
);
COMMENT ON COLUMN patient.search IS 'names, address and record number, without case and accents';
CREATE UNIQUE INDEX patient_mrn ON patient (practice_id, mrn) WHERE mrn <> '';
CREATE INDEX patient_name ON patient (practice_id, family_key, given_key, id);
CREATE INDEX patient_birth ON patient (practice_id, birth_date);

ALTER TABLE patient ENABLE ROW LEVEL SECURITY;
ALTER TABLE patient FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON patient
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
