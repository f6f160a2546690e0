-- Content lies in sealed chunks under a key of its own, which is sealed under its owner's data key:
-- the patient's. The practice's own key blinds the words that messages are found by. A destroyed
-- data key stays as a row without a key, so that none is made anew.
CREATE TABLE data_key (
    practice_id  uuid        NOT NULL,
    owner_id     uuid        NOT NULL,
    key_id       text        NOT NULL,
    wrapped      bytea,
    made_at      timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    PRIMARY KEY (practice_id, owner_id),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- While content comes in, it has no checksum yet; from when it has one, it never changes.
CREATE TABLE content (
    practice_id uuid   NOT NULL,
    id          uuid   NOT NULL,
    owner_id    uuid   NOT NULL,
    wrapped     bytea  NOT NULL,
    size        bigint NOT NULL DEFAULT 0 CHECK (size BETWEEN 0 AND 6291456),
    sha256      text   CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, owner_id) REFERENCES data_key
);
CREATE INDEX content_owner ON content (practice_id, owner_id);

CREATE TABLE content_chunk (
    practice_id uuid    NOT NULL,
    content_id  uuid    NOT NULL,
    number      integer NOT NULL CHECK (number >= 0),
    sealed      bytea   NOT NULL,
    PRIMARY KEY (practice_id, content_id, number),
    FOREIGN KEY (practice_id, content_id) REFERENCES content ON DELETE CASCADE
);
-- What is sealed can't be compressed; trying would only cost time.
ALTER TABLE content_chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;
REVOKE UPDATE ON content_chunk FROM messaging;

-- What somebody writes before they send it. Sent, it keeps its row and loses its words, so that the
-- same form again finds the message that became of it.
CREATE TABLE draft (
    practice_id     uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    version         integer     NOT NULL CHECK (version > 0),
    saved_at        timestamptz NOT NULL,
    reply_to        uuid,
    about           uuid,
    conversation_id uuid,
    category        text        CHECK (category IN ('rx', 'health')),
    words           bytea,
    sent            uuid,
    PRIMARY KEY (practice_id, account_id, id),
    CHECK ((words IS NULL) = (sent IS NOT NULL)),
    CHECK (num_nonnulls(reply_to, about, conversation_id) <= 1)
);
CREATE INDEX draft_open ON draft (practice_id, account_id, patient_id, saved_at) WHERE sent IS NULL;

-- A file of a draft, and later of the message that became of it. Its content has the same id.
CREATE TABLE attachment (
    practice_id uuid     NOT NULL,
    id          uuid     NOT NULL,
    patient_id  uuid     NOT NULL,
    account_id  uuid     NOT NULL,
    draft_id    uuid     NOT NULL,
    message_id  uuid,
    position    smallint NOT NULL,
    file_name   bytea    NOT NULL,
    media_type  text     NOT NULL DEFAULT '',
    viewable    boolean  NOT NULL DEFAULT false,
    finished    boolean  NOT NULL DEFAULT false,
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, id) REFERENCES content ON DELETE CASCADE,
    FOREIGN KEY (practice_id, account_id, draft_id) REFERENCES draft,
    FOREIGN KEY (practice_id, message_id) REFERENCES message
);
CREATE INDEX attachment_draft ON attachment (practice_id, account_id, draft_id, position);
CREATE INDEX attachment_message ON attachment (practice_id, message_id, position);

-- How each word of a message begins, blinded under a key of the practice.
CREATE TABLE beginning (
    practice_id   uuid    NOT NULL,
    word          bytea   NOT NULL CHECK (length(word) = 8),
    patient_id    uuid    NOT NULL,
    message_id    uuid    NOT NULL,
    from_practice boolean NOT NULL,
    PRIMARY KEY (practice_id, word, patient_id, message_id)
);
CREATE INDEX beginning_patient ON beginning (practice_id, patient_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['data_key', 'content', 'content_chunk', 'draft', 'attachment',
                                'beginning'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$
            CREATE POLICY own_practice ON %I
                USING (practice_id = current_setting('app.practice')::uuid)
                WITH CHECK (practice_id = current_setting('app.practice')::uuid)
            $policy$, name);
    END LOOP;
END
$$;
