-- Whom a patient's messages are announced to: everyone with an account who may read them.
CREATE TABLE correspondent (
    practice_id uuid NOT NULL,
    patient_id  uuid NOT NULL,
    account_id  uuid NOT NULL,
    PRIMARY KEY (practice_id, patient_id, account_id)
);

-- What an account chose about e-mails. Where nothing was chosen, patients are told at once, and
-- staff never.
CREATE TABLE choice (
    practice_id uuid     NOT NULL,
    account_id  uuid     NOT NULL,
    staff       boolean  NOT NULL,
    frequency   text     NOT NULL CHECK (frequency IN ('at_once', 'daily', 'never')),
    quiet_from  smallint CHECK (quiet_from BETWEEN 0 AND 23),
    quiet_until smallint CHECK (quiet_until BETWEEN 0 AND 23),
    time_zone   text     NOT NULL,
    PRIMARY KEY (practice_id, account_id, staff),
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);

-- One account is told of one conversation, once until it has read it: then the row is gone.
CREATE TABLE announcement (
    practice_id     uuid        NOT NULL,
    id              uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    staff           boolean     NOT NULL,
    patient_id      uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    message_id      uuid        NOT NULL,
    daily           boolean     NOT NULL,
    due_at          timestamptz NOT NULL,
    PRIMARY KEY (practice_id, id),
    UNIQUE (practice_id, account_id, staff, conversation_id)
);
CREATE INDEX announcement_due ON announcement (practice_id, account_id, staff, due_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['correspondent', 'choice', 'announcement'] LOOP
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
