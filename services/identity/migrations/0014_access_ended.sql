-- Whose access to somebody's record was ended by others: for the letter that tells them. The invitation
-- does not say it for long, since the same address may be invited again.
CREATE TABLE access_ended (
    id            uuid        PRIMARY KEY,
    account_id    uuid        NOT NULL REFERENCES account,
    practice_id   uuid        NOT NULL,
    patient_id    uuid        NOT NULL,
    invitation_id uuid        NOT NULL,
    at            timestamptz NOT NULL
);
CREATE INDEX access_ended_account ON access_ended (account_id);
CREATE INDEX access_ended_at ON access_ended (at);
ALTER TABLE access_ended ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_ended FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON access_ended
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (account_id = nullif(current_setting('app.account', true), '')::uuid);
CREATE POLICY by_link ON access_ended FOR SELECT
    USING (id = nullif(current_setting('app.link', true), '')::uuid);
CREATE POLICY seen_by_sweeper ON access_ended FOR SELECT
    USING (current_setting('app.worker', true) = 'sweeper');
CREATE POLICY swept ON access_ended FOR DELETE
    USING (current_setting('app.worker', true) = 'sweeper');
