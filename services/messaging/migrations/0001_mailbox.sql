-- A patient's mailbox, opened as they register.
CREATE TABLE mailbox (
    practice_id uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    opened_at   timestamptz NOT NULL,
    PRIMARY KEY (practice_id, patient_id)
);
ALTER TABLE mailbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE mailbox FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON mailbox
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
