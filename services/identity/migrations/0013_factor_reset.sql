-- Somebody's second factor was taken off by somebody else: a colleague, or the operator, who has to say
-- why. It stays to be seen. Its wall is the account's; the practice where it was done sees it too.
CREATE TABLE factor_reset (
    id          uuid        PRIMARY KEY,
    account_id  uuid        NOT NULL REFERENCES account,
    practice_id uuid,
    by_name     text        NOT NULL,
    reason      text        NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX factor_reset_account ON factor_reset (account_id);
CREATE INDEX factor_reset_practice ON factor_reset (practice_id, account_id, at);
ALTER TABLE factor_reset ENABLE ROW LEVEL SECURITY;
ALTER TABLE factor_reset FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON factor_reset
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (account_id = nullif(current_setting('app.account', true), '')::uuid);
CREATE POLICY own_practice ON factor_reset FOR SELECT
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
