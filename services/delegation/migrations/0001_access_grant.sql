-- A grant: this account may act on this patient's record.
-- Its holder reads it across practices (app.account), a practice sees its own (app.practice).
CREATE TABLE access_grant (
    practice_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    account_id  uuid        NOT NULL,
    capacity    text        NOT NULL CHECK (capacity IN ('self', 'delegate')),
    limits      text[]      NOT NULL,
    granted_at  timestamptz NOT NULL,
    ends_at     timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (practice_id, id),
    CHECK (ends_at > granted_at)
);
CREATE INDEX access_grant_account ON access_grant (account_id);
CREATE UNIQUE INDEX access_grant_own ON access_grant (practice_id, patient_id)
 WHERE capacity = 'self' AND revoked_at IS NULL;

ALTER TABLE access_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_grant FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON access_grant
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
CREATE POLICY own_account ON access_grant FOR SELECT
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid);
