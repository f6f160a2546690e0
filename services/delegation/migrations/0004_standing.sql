-- Whether a practice has closed a record to its patient, as records said last. Whoever holds a grant
-- for a record, own or let in, is shown none while it is closed.
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
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
CREATE POLICY own_account ON standing FOR SELECT
    USING (EXISTS (
        SELECT FROM access_grant g
         WHERE g.practice_id = standing.practice_id AND g.patient_id = standing.patient_id
           AND g.account_id = nullif(current_setting('app.account', true), '')::uuid));
