-- A patient may let family and caregivers in: an invitation with what is shared, until when, and by
-- whom. A patient has one invitation of their own, and one for each address that they let in.
ALTER TABLE invitation
  ADD COLUMN invited_by uuid REFERENCES account,
  ADD COLUMN limits     text[],
  ADD COLUMN ends_at    timestamptz,
  ADD CHECK ((invited_by IS NULL) = (limits IS NULL)),
  ADD CHECK (invited_by IS NULL OR patient_id IS NOT NULL);
DROP INDEX invitation_patient;
CREATE UNIQUE INDEX invitation_patient ON invitation (practice_id, patient_id)
 WHERE invited_by IS NULL;
CREATE UNIQUE INDEX invitation_delegate ON invitation (practice_id, patient_id, email)
 WHERE invited_by IS NOT NULL;
