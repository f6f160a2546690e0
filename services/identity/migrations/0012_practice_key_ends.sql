-- A practice gets a new import key while the older one still works for a while. Who made each, when it
-- was last used and when it ended stays to be seen.
ALTER TABLE practice_key
  ADD COLUMN made_by      text NOT NULL DEFAULT '',
  ADD COLUMN last_used_at timestamptz,
  ADD COLUMN ends_at      timestamptz;
