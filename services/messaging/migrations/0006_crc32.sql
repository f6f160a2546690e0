-- What an archive is checked by, beside the SHA-256 that says what it is.
ALTER TABLE content ADD COLUMN crc32 bigint CHECK (crc32 BETWEEN 0 AND 4294967295);
