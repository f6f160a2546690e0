-- Said among staff about a conversation, sealed under the patient's data key.
CREATE TABLE note (
    practice_id     uuid        NOT NULL,
    id              uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    author          text        NOT NULL,
    words           bytea       NOT NULL,
    written_at      timestamptz NOT NULL,
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, conversation_id) REFERENCES conversation
);
CREATE INDEX note_conversation ON note (practice_id, conversation_id, id);
REVOKE UPDATE, DELETE ON note FROM messaging;

-- What was done with a conversation, by whom.
CREATE TABLE step (
    practice_id     uuid        NOT NULL,
    id              uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    step            text        NOT NULL,
    account_id      uuid        NOT NULL,
    name            text        NOT NULL,
    given_to        text        NOT NULL DEFAULT '',
    at              timestamptz NOT NULL,
    PRIMARY KEY (practice_id, id),
    FOREIGN KEY (practice_id, conversation_id) REFERENCES conversation
);
CREATE INDEX step_conversation ON step (practice_id, conversation_id, id);
REVOKE UPDATE, DELETE ON step FROM messaging;

-- What the practice decided: where each category goes, its teams, and answers prepared beforehand.
CREATE TABLE routing (
    practice_id         uuid    NOT NULL,
    category            text    NOT NULL CHECK (category IN ('rx', 'health')),
    team                text    NOT NULL,
    answer_within_hours integer NOT NULL CHECK (answer_within_hours BETWEEN 1 AND 336),
    PRIMARY KEY (practice_id, category)
);
CREATE TABLE team (
    practice_id uuid     NOT NULL,
    name        text     NOT NULL,
    position    smallint NOT NULL,
    PRIMARY KEY (practice_id, name)
);
CREATE TABLE template (
    practice_id uuid NOT NULL,
    id          uuid NOT NULL,
    name        text NOT NULL,
    words       text NOT NULL,
    PRIMARY KEY (practice_id, id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['note', 'step', 'routing', 'team', 'template'] LOOP
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
