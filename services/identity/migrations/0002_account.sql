-- An account belongs to a person, who may be a patient here, a daughter there and nobody's staff.
-- So it has no practice. Its wall is the account itself, and a row is found from outside only by
-- what somebody has to know: the address, a session's hash, the id in a link.
CREATE TABLE account (
    id               uuid        PRIMARY KEY,
    email            text        NOT NULL UNIQUE,
    name             text        NOT NULL,
    date_of_birth    date        NOT NULL,
    password_hash    text        NOT NULL,
    password_set_at  timestamptz NOT NULL,
    code_key_id      text,
    code_secret      bytea,
    code_used_step   bigint      NOT NULL DEFAULT 0,
    terms_version    text        NOT NULL,
    terms_at         timestamptz NOT NULL,
    last_login_at    timestamptz,
    created_at       timestamptz NOT NULL,
    active           boolean     NOT NULL DEFAULT true,
    CHECK ((code_key_id IS NULL) = (code_secret IS NULL))
);
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON account
    USING (id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.account', true), '')::uuid);
CREATE POLICY by_email ON account FOR SELECT
    USING (email = current_setting('app.email', true));

CREATE TABLE session (
    id                uuid        PRIMARY KEY,
    account_id        uuid        NOT NULL REFERENCES account,
    token_hash        bytea       NOT NULL UNIQUE,
    seat_practice_id  uuid,
    device            text        NOT NULL,
    source            text        NOT NULL,
    started_at        timestamptz NOT NULL,
    last_seen_at      timestamptz NOT NULL,
    previous_login_at timestamptz
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_last_seen ON session (last_seen_at);

-- Every time that somebody came in; rows are added, and never changed.
CREATE TABLE sign_in (
    account_id uuid        NOT NULL REFERENCES account,
    at         timestamptz NOT NULL,
    session_id uuid        NOT NULL,
    source     text        NOT NULL,
    device     text        NOT NULL,
    staff      boolean     NOT NULL,
    PRIMARY KEY (account_id, at, session_id)
);
CREATE INDEX sign_in_at ON sign_in (at);
REVOKE UPDATE ON sign_in FROM identity;

-- What a link is for: to set a password, or to confirm an address. The link itself is derived.
CREATE TABLE reset (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES account,
    familiar   boolean     NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    void       boolean     NOT NULL DEFAULT false
);
CREATE INDEX reset_account ON reset (account_id, asked_at);
CREATE INDEX reset_asked_at ON reset (asked_at);

CREATE TABLE email_change (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES account,
    session_id uuid        NOT NULL,
    old_email  text        NOT NULL,
    new_email  text        NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    void       boolean     NOT NULL DEFAULT false
);
CREATE INDEX email_change_account ON email_change (account_id, asked_at);
CREATE INDEX email_change_asked_at ON email_change (asked_at);

-- When a password was changed, for the letter that says so.
CREATE TABLE password_change (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES account,
    at         timestamptz NOT NULL
);
CREATE INDEX password_change_account ON password_change (account_id);
CREATE INDEX password_change_at ON password_change (at);

-- All of these are their account's own. A session is also found by its token, a letter's row by
-- the id in the letter; and what is long over is swept away, whosesoever it was.
DO $$
DECLARE owned text;
BEGIN
    FOREACH owned IN ARRAY
        ARRAY['session', 'sign_in', 'reset', 'email_change', 'password_change']
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
        EXECUTE format(
            'CREATE POLICY seen_by_sweeper ON %I FOR SELECT
                 USING (current_setting(''app.worker'', true) = ''sweeper'')', owned
        );
        EXECUTE format(
            'CREATE POLICY swept ON %I FOR DELETE
                 USING (current_setting(''app.worker'', true) = ''sweeper'')', owned
        );
    END LOOP;
    FOREACH owned IN ARRAY ARRAY['reset', 'email_change', 'password_change']
    LOOP
        EXECUTE format(
            'CREATE POLICY by_link ON %I FOR SELECT
                 USING (id = nullif(current_setting(''app.link'', true), '''')::uuid)', owned
        );
    END LOOP;
END
$$;
CREATE POLICY by_token ON session
    USING (encode(token_hash, 'hex') = current_setting('app.session', true))
    WITH CHECK (encode(token_hash, 'hex') = current_setting('app.session', true));

-- Somebody asks for a reset link. What is done about it is done later, out of everyone's sight, so
-- that asking takes the same time whether or not there is such an account.
CREATE TABLE forgotten (
    id       uuid        PRIMARY KEY,
    email    text        NOT NULL,
    familiar boolean     NOT NULL,
    asked_at timestamptz NOT NULL
);
ALTER TABLE forgotten ENABLE ROW LEVEL SECURITY;
ALTER TABLE forgotten FORCE ROW LEVEL SECURITY;
CREATE POLICY asked ON forgotten FOR INSERT WITH CHECK (true);
CREATE POLICY taken_up ON forgotten
    USING (current_setting('app.worker', true) = 'resets');

-- Failures, so that guessing ends, and where somebody came in from before. Both sides are keyed
-- hashes, of an address or the like and of a source: the rows name nobody, and need no wall.
CREATE TABLE attempt (
    scope    text        NOT NULL,
    who      bytea       NOT NULL,
    source   bytea       NOT NULL,
    failures integer     NOT NULL,
    since    timestamptz NOT NULL,
    latest   timestamptz NOT NULL,
    PRIMARY KEY (scope, who, source)
);
CREATE INDEX attempt_who ON attempt (who);
CREATE INDEX attempt_latest ON attempt (latest);

CREATE TABLE familiar (
    who    bytea       NOT NULL,
    source bytea       NOT NULL,
    latest timestamptz NOT NULL,
    PRIMARY KEY (who, source)
);
CREATE INDEX familiar_latest ON familiar (latest);
