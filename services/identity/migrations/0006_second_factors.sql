-- Two-step verification for everyone: keys that are being set up, recovery codes by their keyed
-- hashes, and what a letter tells of a change. `proven_at` is when somebody last showed, in this
-- session, everything that a log-in asks for.
ALTER TABLE session ADD COLUMN proven_at timestamptz;

CREATE TABLE pending_code (
    account_id uuid        PRIMARY KEY REFERENCES account,
    key_id     text        NOT NULL,
    secret     bytea       NOT NULL,
    begun_at   timestamptz NOT NULL
);
CREATE INDEX pending_code_begun ON pending_code (begun_at);
CREATE TABLE recovery_code (
    account_id uuid  NOT NULL REFERENCES account,
    hash       bytea NOT NULL,
    PRIMARY KEY (account_id, hash)
);
CREATE TABLE factor_change (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES account,
    at         timestamptz NOT NULL
);
CREATE INDEX factor_change_account ON factor_change (account_id);
CREATE INDEX factor_change_at ON factor_change (at);

DO $$
DECLARE owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY['pending_code', 'recovery_code', 'factor_change']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
        EXECUTE format(
            'CREATE POLICY own_account ON %I
                 USING (account_id = nullif(current_setting(''app.account'', true), '''')::uuid)
                 WITH CHECK
                     (account_id = nullif(current_setting(''app.account'', true), '''')::uuid)',
            owned
        );
    END LOOP;
    FOREACH owned IN ARRAY ARRAY['pending_code', 'factor_change']
    LOOP
        EXECUTE format(
            'CREATE POLICY seen_by_sweeper ON %I FOR SELECT
                 USING (current_setting(''app.worker'', true) = ''sweeper'')', owned
        );
        EXECUTE format(
            'CREATE POLICY swept ON %I FOR DELETE
                 USING (current_setting(''app.worker'', true) = ''sweeper'')', owned
        );
    END LOOP;
END
$$;
CREATE POLICY by_link ON factor_change FOR SELECT
    USING (id = nullif(current_setting('app.link', true), '')::uuid);
