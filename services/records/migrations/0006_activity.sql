-- The activity log of each patient's record: a chain of entries, each with the hash of the one
-- before. The service may add to it and read it, and do nothing else. `activity_head` says how each
-- chain ends; its row is what two who add wait for each other on.
CREATE TABLE activity (
    practice_id uuid        NOT NULL,
    patient_id  uuid        NOT NULL,
    number      bigint      NOT NULL CHECK (number > 0),
    at          timestamptz NOT NULL,
    actor_id    uuid        NOT NULL,
    actor_name  text        NOT NULL,
    capacity    text        NOT NULL,
    act         text        NOT NULL,
    subject     text        NOT NULL,
    reason      text        NOT NULL,
    previous    bytea       NOT NULL CHECK (length(previous) = 32),
    hash        bytea       NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (practice_id, patient_id, number)
);
CREATE INDEX activity_actor ON activity (practice_id, patient_id, actor_id, number);
CREATE INDEX activity_subject ON activity (practice_id, patient_id, subject, act)
 WHERE subject <> '';

CREATE TABLE activity_head (
    practice_id uuid   NOT NULL,
    patient_id  uuid   NOT NULL,
    number      bigint NOT NULL DEFAULT 0,
    hash        bytea  NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000',
    PRIMARY KEY (practice_id, patient_id)
) WITH (fillfactor = 50);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['activity', 'activity_head'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_practice ON %I
                 USING (practice_id = current_setting(''app.practice'')::uuid)
                 WITH CHECK (practice_id = current_setting(''app.practice'')::uuid)', name);
    END LOOP;
END
$$;
REVOKE UPDATE, DELETE ON activity FROM records;
REVOKE DELETE ON activity_head FROM records;

-- Who sent a file, by name, for the entries of what it brings; files from before have none.
ALTER TABLE import ADD COLUMN started_by_name text NOT NULL DEFAULT '';
