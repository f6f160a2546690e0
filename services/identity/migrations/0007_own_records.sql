-- Whoever logs in is told of in the activity log of each record that is their own.
CREATE INDEX invitation_account ON invitation (account_id) WHERE account_id IS NOT NULL;
CREATE POLICY own_account ON invitation FOR SELECT
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid);
