-- An account belongs to a person, who may be a patient here, a daughter there and nobody's staff.
-- So it has no practice; its rows are found by address, by session, or by a link's id.
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

-- A link to set a password, or to confirm an address. The link itself is derived, never kept.
CREATE TABLE reset (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES account,
    version    integer     NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    void       boolean     NOT NULL DEFAULT false
);
CREATE INDEX reset_account ON reset (account_id, asked_at);

CREATE TABLE email_change (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES account,
    old_email  text        NOT NULL,
    new_email  text        NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    void       boolean     NOT NULL DEFAULT false
);
CREATE INDEX email_change_account ON email_change (account_id);

-- When a password was changed, for the letter that says so.
CREATE TABLE password_change (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES account,
    at         timestamptz NOT NULL
);

-- Failures, so that guessing ends. `who` is a keyed hash of an address or a source, or of both.
CREATE TABLE attempt (
    scope    text        NOT NULL,
    who      bytea       NOT NULL,
    failures integer     NOT NULL,
    since    timestamptz NOT NULL,
    PRIMARY KEY (scope, who)
);
CREATE INDEX attempt_since ON attempt (since);
