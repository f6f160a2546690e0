-- A patient may change what somebody may do, and until when; visas say which revision they are of.
ALTER TABLE access_grant ADD COLUMN revision integer NOT NULL DEFAULT 0;
