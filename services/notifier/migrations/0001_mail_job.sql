-- An e-mail that is owed, until it is sent or given up. The row is written in the transaction that
-- hears of it; a worker leases it, so that any replica can send it and a lost one delays it briefly.
-- Letters about an account belong to no practice: theirs is the nil UUID.
CREATE TABLE mail_job (
    practice_id  uuid        NOT NULL,
    id           uuid        NOT NULL,
    kind         text        NOT NULL,
    reference_id uuid        NOT NULL,
    version      integer     NOT NULL,
    state        text        NOT NULL DEFAULT 'queued'
                 CHECK (state IN ('queued', 'retrying', 'sent', 'bounced', 'failed', 'expired')),
    recipient    text        NOT NULL DEFAULT '',
    answer       text        NOT NULL DEFAULT '',
    tries        integer     NOT NULL DEFAULT 0,
    queued_at    timestamptz NOT NULL,
    due_at       timestamptz,
    leased_until timestamptz,
    sent_at      timestamptz,
    PRIMARY KEY (practice_id, id),
    UNIQUE (kind, reference_id, version),
    CHECK ((due_at IS NOT NULL) = (state IN ('queued', 'retrying')))
);
CREATE INDEX mail_job_due ON mail_job (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX mail_job_state ON mail_job (practice_id, state, id);

ALTER TABLE mail_job ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_job FORCE ROW LEVEL SECURITY;
-- The worker sends for every practice; all else keeps to one.
CREATE POLICY own_practice ON mail_job
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid
           OR current_setting('app.worker', true) = 'mail')
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid
           OR current_setting('app.worker', true) = 'mail');
