-- What an accepted invitation gave to family or a caregiver, and who ended it and why.
ALTER TABLE access_grant
  ADD COLUMN invitation_id uuid,
  ADD COLUMN version       integer,
  ADD COLUMN granted_by    uuid,
  ADD COLUMN revoked_by    uuid,
  ADD COLUMN by_practice   boolean NOT NULL DEFAULT false,
  ADD COLUMN reason        text    NOT NULL DEFAULT '',
  ADD CHECK (capacity = 'self' OR (invitation_id IS NOT NULL AND version IS NOT NULL)),
  ADD CHECK (revoked_at IS NULL OR revoked_by IS NOT NULL OR capacity = 'self');
CREATE UNIQUE INDEX access_grant_invitation ON access_grant (practice_id, invitation_id, version)
 WHERE invitation_id IS NOT NULL;
CREATE INDEX access_grant_patient ON access_grant (practice_id, patient_id);

-- An invitation was ended up to this version: whatever is still heard of its acceptance comes late.
CREATE TABLE ended_invitation (
    practice_id   uuid        NOT NULL,
    patient_id    uuid        NOT NULL,
    invitation_id uuid        NOT NULL,
    version       integer     NOT NULL,
    ended_at      timestamptz NOT NULL,
    PRIMARY KEY (practice_id, patient_id, invitation_id)
);
ALTER TABLE ended_invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE ended_invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON ended_invitation
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
