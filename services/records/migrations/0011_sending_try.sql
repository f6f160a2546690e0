-- A password that is looked at for a sent record is counted in `sending.tries` before, and stands here
-- until it is known to be right or wrong. What stands here for too long was in the hands of somebody
-- who was killed: it is given back. A try that is here no more when it is known counts as not made.
CREATE TABLE sending_try (
    practice_id uuid        NOT NULL,
    sending_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    begun_at    timestamptz NOT NULL,
    PRIMARY KEY (practice_id, sending_id, id),
    FOREIGN KEY (practice_id, sending_id) REFERENCES sending ON DELETE CASCADE
);
ALTER TABLE sending_try ENABLE ROW LEVEL SECURITY;
ALTER TABLE sending_try FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON sending_try
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
