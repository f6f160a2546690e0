-- Family and caregivers are told of messages until their access ends; what is heard late is older.
ALTER TABLE correspondent
  ADD COLUMN until      timestamptz,
  ADD COLUMN changed_at timestamptz NOT NULL DEFAULT '-infinity';
