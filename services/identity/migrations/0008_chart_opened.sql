-- Who is to be told that a chart was opened in an emergency: for the letter that tells them.
CREATE TABLE chart_opened (
    id          uuid        PRIMARY KEY,
    account_id  uuid        NOT NULL REFERENCES account,
    practice_id uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX chart_opened_account ON chart_opened (account_id);
CREATE INDEX chart_opened_at ON chart_opened (at);
ALTER TABLE chart_opened ENABLE ROW LEVEL SECURITY;
ALTER TABLE chart_opened FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON chart_opened
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (account_id = nullif(current_setting('app.account', true), '')::uuid);
CREATE POLICY by_link ON chart_opened FOR SELECT
    USING (id = nullif(current_setting('app.link', true), '')::uuid);
CREATE POLICY seen_by_sweeper ON chart_opened FOR SELECT
    USING (current_setting('app.worker', true) = 'sweeper');
CREATE POLICY swept ON chart_opened FOR DELETE
    USING (current_setting('app.worker', true) = 'sweeper');
