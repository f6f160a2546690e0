-- A practice may close a record to its patient, and open it again: since when, by whom and why. The
-- others learn of each change by its number.
ALTER TABLE patient
  ADD COLUMN standing_change     integer NOT NULL DEFAULT 0,
  ADD COLUMN deactivated_at      timestamptz,
  ADD COLUMN deactivated_by      text    NOT NULL DEFAULT '',
  ADD COLUMN deactivation_reason text    NOT NULL DEFAULT '';
