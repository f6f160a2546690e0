-- Which request an event came from, and which trace: logs and traces go on from there. Empty where
-- nobody asked, and from a release that does not say it.
ALTER TABLE outbox
    ADD COLUMN request_id  text NOT NULL DEFAULT '',
    ADD COLUMN traceparent text NOT NULL DEFAULT '';
