-- A patient's mailbox, opened as they register or as the practice first writes to them. How many
-- messages it received is counted as they come, so that nobody counts rows for the navigation.
CREATE TABLE mailbox (
    practice_id uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    opened_at   timestamptz NOT NULL,
    received    bigint      NOT NULL DEFAULT 0 CHECK (received >= 0),
    PRIMARY KEY (practice_id, patient_id)
);

-- Conversations. Words are sealed under the patient's data key; what is open here is what the
-- queue is ordered and divided by.
CREATE TABLE conversation (
    practice_id   uuid        NOT NULL,
    id            uuid        NOT NULL,
    patient_id    uuid        NOT NULL,
    category      text        NOT NULL CHECK (category IN ('rx', 'health')),
    team          text        NOT NULL,
    subject       bytea       NOT NULL,
    opened_at     timestamptz NOT NULL,
    last_id       uuid        NOT NULL,
    last_at       timestamptz NOT NULL,
    open          boolean     NOT NULL DEFAULT true,
    waiting_since timestamptz,
    due_at        timestamptz,
    claimed_by    uuid,
    claimed_name  text        NOT NULL DEFAULT '',
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, patient_id) REFERENCES mailbox,
    CHECK ((waiting_since IS NULL) = (due_at IS NULL)),
    CHECK (open OR (waiting_since IS NULL AND claimed_by IS NULL))
);
-- Longest wait first; who waits for nothing comes after, by when something last happened.
CREATE INDEX conversation_open ON conversation
    (practice_id, coalesce(waiting_since, 'infinity'), last_at, id) WHERE open;
CREATE INDEX conversation_mine ON conversation (practice_id, claimed_by) WHERE open;
CREATE INDEX conversation_closed ON conversation (practice_id, last_at, id) WHERE NOT open;
CREATE INDEX conversation_patient ON conversation (practice_id, patient_id, last_at);

CREATE TABLE message (
    practice_id     uuid        NOT NULL,
    id              uuid        NOT NULL,
    patient_id      uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    from_practice   boolean     NOT NULL,
    account_id      uuid        NOT NULL,
    on_behalf       boolean     NOT NULL,
    head            bytea       NOT NULL,
    body            bytea       NOT NULL,
    attachments     smallint    NOT NULL,
    sent_at         timestamptz NOT NULL,
    reply_to        uuid,
    replied_at      timestamptz,
    seen_at         timestamptz,
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, conversation_id) REFERENCES conversation,
    CHECK (NOT (from_practice AND on_behalf))
);
CREATE INDEX message_box ON message (practice_id, patient_id, from_practice, id);
CREATE INDEX message_conversation ON message (practice_id, conversation_id, id);
-- One answer to each received message, however many come at once.
CREATE UNIQUE INDEX message_reply ON message (practice_id, reply_to) WHERE reply_to IS NOT NULL;
REVOKE DELETE ON message FROM messaging;

-- Who has read what, and how much of the mailbox that makes: unread = received - read.
CREATE TABLE read_mark (
    practice_id uuid        NOT NULL,
    account_id  uuid        NOT NULL,
    message_id  uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    read_at     timestamptz NOT NULL,
    PRIMARY KEY (practice_id, account_id, message_id),
    FOREIGN KEY (practice_id, message_id) REFERENCES message
);
CREATE TABLE reader (
    practice_id uuid   NOT NULL,
    patient_id  uuid   NOT NULL,
    account_id  uuid   NOT NULL,
    read        bigint NOT NULL CHECK (read >= 0),
    PRIMARY KEY (practice_id, patient_id, account_id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['mailbox', 'conversation', 'message', 'read_mark', 'reader'] LOOP
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
