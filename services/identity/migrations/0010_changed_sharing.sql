-- What is shared may change after it was accepted: how often it has, so that an older change that is
-- heard late changes nothing.
ALTER TABLE invitation ADD COLUMN sharing_revision integer NOT NULL DEFAULT 0;
