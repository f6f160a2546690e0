-- A record that was sent to somebody. `wrapped` is the key of what is in it, sealed under a key that
-- is made of the sender's password with `salt` and these costs (argon2id, RFC 9106). Neither the key
-- nor the password is kept. Where it is over, the key is gone.
CREATE TABLE sending (
    practice_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    account_id  uuid        NOT NULL,
    sender      text        NOT NULL,
    key         uuid        NOT NULL,
    recipient   text        NOT NULL,
    kinds       text[]      NOT NULL,
    start_day   date,
    end_day     date,
    results     integer     NOT NULL,
    documents   integer     NOT NULL,
    messages    integer     NOT NULL,
    size        bigint      NOT NULL,
    salt        bytea       NOT NULL CHECK (length(salt) = 16),
    passes      integer     NOT NULL,
    memory_kib  integer     NOT NULL,
    lanes       integer     NOT NULL,
    wrapped     bytea,
    notes       bytea       NOT NULL,
    state       text        NOT NULL
                CHECK (state IN ('packing', 'sent', 'locked', 'expired', 'revoked', 'failed')),
    tries       integer     NOT NULL DEFAULT 0,
    sent_at     timestamptz NOT NULL,
    heard_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    opened_at   timestamptz,
    note        bytea,
    note_to     text        NOT NULL DEFAULT 'sender' CHECK (note_to IN ('sender', 'care_team')),
    noted_at    timestamptz,
    PRIMARY KEY (practice_id, id),
    UNIQUE (practice_id, account_id, key),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patient,
    CHECK (wrapped IS NOT NULL OR state IN ('expired', 'revoked', 'failed'))
);
COMMENT ON COLUMN sending.notes IS 'of the sender, sealed under the key of what is in it';
COMMENT ON COLUMN sending.note IS 'of the recipient, sealed under the patient''s data key';
CREATE INDEX sending_patient ON sending (practice_id, patient_id, id DESC);
CREATE UNIQUE INDEX sending_link ON sending (id);
CREATE INDEX sending_expires ON sending (expires_at) WHERE wrapped IS NOT NULL;

-- What is in it: documents as they were, and what was made of the record, each sealed in chunks.
CREATE TABLE sending_content (
    practice_id uuid   NOT NULL,
    sending_id  uuid   NOT NULL,
    id          uuid   NOT NULL,
    size        bigint NOT NULL DEFAULT 0,
    crc32       bigint CHECK (crc32 BETWEEN 0 AND 4294967295),
    PRIMARY KEY (practice_id, sending_id, id),
    FOREIGN KEY (practice_id, sending_id) REFERENCES sending
);

CREATE TABLE sending_chunk (
    practice_id uuid    NOT NULL,
    sending_id  uuid    NOT NULL,
    content_id  uuid    NOT NULL,
    number      integer NOT NULL CHECK (number >= 0),
    sealed      bytea   NOT NULL,
    PRIMARY KEY (practice_id, sending_id, content_id, number),
    FOREIGN KEY (practice_id, sending_id, content_id) REFERENCES sending_content ON DELETE CASCADE
);
ALTER TABLE sending_chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;
REVOKE UPDATE ON sending_chunk FROM records;

-- The files that it is offered as, and what each consists of from its first byte to its last.
CREATE TABLE sending_file (
    practice_id uuid   NOT NULL,
    sending_id  uuid   NOT NULL,
    format      text   NOT NULL CHECK (format IN ('html', 'pdf', 'fhir', 'ccda', 'zip')),
    file_name   text   NOT NULL,
    size        bigint NOT NULL,
    PRIMARY KEY (practice_id, sending_id, format),
    FOREIGN KEY (practice_id, sending_id) REFERENCES sending
);

CREATE TABLE sending_segment (
    practice_id uuid   NOT NULL,
    sending_id  uuid   NOT NULL,
    format      text   NOT NULL,
    position    bigint NOT NULL,
    length      bigint NOT NULL CHECK (length > 0),
    form        text   NOT NULL CHECK (form IN ('made', 'original', 'base64', 'crc32')),
    content_id  uuid   NOT NULL,
    start       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (practice_id, sending_id, format, position),
    FOREIGN KEY (practice_id, sending_id, format) REFERENCES sending_file ON DELETE CASCADE
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sending', 'sending_content', 'sending_chunk', 'sending_file',
                                'sending_segment'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_practice ON %I
                 USING (practice_id = nullif(current_setting(''app.practice'', true), '''')::uuid)
                 WITH CHECK (practice_id = nullif(current_setting(''app.practice'', true), '''')::uuid)',
            name);
    END LOOP;
END
$$;
-- The sweeper sees which of all practices are over, and whoever comes with a link whose it is;
-- nothing of what is in them.
CREATE POLICY sweeper ON sending FOR SELECT
    USING (current_setting('app.worker', true) = 'sendings');
