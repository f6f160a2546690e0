-- A record that is closed to its patient: nothing is written there, and nobody is told of messages.
CREATE TABLE standing (
    practice_id uuid    NOT NULL,
    patient_id  uuid    NOT NULL,
    active      boolean NOT NULL,
    change      integer NOT NULL,
    PRIMARY KEY (practice_id, patient_id)
);
ALTER TABLE standing ENABLE ROW LEVEL SECURITY;
ALTER TABLE standing FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON standing
    USING (practice_id = current_setting('app.practice')::uuid)
    WITH CHECK (practice_id = current_setting('app.practice')::uuid);
