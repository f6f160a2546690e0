-- A chart that somebody opened whose role does not include it. That it was stays.
CREATE TABLE emergency_access (
    practice_id uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    account_id  uuid        NOT NULL,
    ends_at     timestamptz NOT NULL,
    PRIMARY KEY (practice_id, patient_id, account_id, ends_at),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patient
);
ALTER TABLE emergency_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE emergency_access FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON emergency_access
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
REVOKE UPDATE, DELETE ON emergency_access FROM records;
