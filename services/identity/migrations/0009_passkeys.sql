-- Passkeys (WebAuthn): public keys of an account's authenticators, and challenges that wait for an
-- answer, each for one. A challenge of a log-in belongs to nobody yet.
CREATE TABLE passkey (
    account_id   uuid        NOT NULL REFERENCES account,
    id           uuid        NOT NULL,
    credential   bytea       NOT NULL UNIQUE,
    public_key   bytea       NOT NULL,
    sign_count   bigint      NOT NULL,
    name         text        NOT NULL,
    added_at     timestamptz NOT NULL,
    last_used_at timestamptz,
    PRIMARY KEY (account_id, id)
);
ALTER TABLE passkey ENABLE ROW LEVEL SECURITY;
ALTER TABLE passkey FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON passkey
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (account_id = nullif(current_setting('app.account', true), '')::uuid);

CREATE TABLE challenge (
    challenge  bytea       PRIMARY KEY,
    account_id uuid REFERENCES account,
    asked_at   timestamptz NOT NULL
);
CREATE INDEX challenge_account ON challenge (account_id);
CREATE INDEX challenge_asked ON challenge (asked_at);
ALTER TABLE challenge ENABLE ROW LEVEL SECURITY;
ALTER TABLE challenge FORCE ROW LEVEL SECURITY;
CREATE POLICY by_challenge ON challenge
    USING (encode(challenge, 'hex') = current_setting('app.challenge', true))
    WITH CHECK (encode(challenge, 'hex') = current_setting('app.challenge', true));
CREATE POLICY seen_by_sweeper ON challenge FOR SELECT
    USING (current_setting('app.worker', true) = 'sweeper');
CREATE POLICY swept ON challenge FOR DELETE
    USING (current_setting('app.worker', true) = 'sweeper');
