-- A seat of a member of staff at a practice.
CREATE TABLE seat (
    practice_id uuid NOT NULL,
    account_id  uuid NOT NULL REFERENCES account,
    role        text NOT NULL CHECK (role IN ('administrator', 'clinician', 'front_desk')),
    PRIMARY KEY (practice_id, account_id)
);
CREATE INDEX seat_account ON seat (account_id);
ALTER TABLE seat ENABLE ROW LEVEL SECURITY;
ALTER TABLE seat FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON seat
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
CREATE POLICY own_account ON seat FOR SELECT
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid);

-- An invitation, of a patient or to the staff. Its link names its id and version, and is not kept.
CREATE TABLE invitation (
    practice_id        uuid        NOT NULL,
    id                 uuid        NOT NULL UNIQUE,
    patient_id         uuid,
    role               text,
    name               text        NOT NULL,
    email              text        NOT NULL,
    date_of_birth      date        NOT NULL,
    state              text        NOT NULL,
    version            integer     NOT NULL,
    change             integer     NOT NULL,
    sent_at            timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    wrong_dates        integer     NOT NULL DEFAULT 0,
    new_link_wanted_at timestamptz,
    wanted             integer     NOT NULL DEFAULT 0,
    account_id         uuid REFERENCES account,
    PRIMARY KEY (practice_id, id),
    CHECK ((patient_id IS NULL) <> (role IS NULL)),
    CHECK (expires_at > sent_at)
);
CREATE UNIQUE INDEX invitation_patient ON invitation (practice_id, patient_id);
CREATE UNIQUE INDEX invitation_staff ON invitation (practice_id, email) WHERE role IS NOT NULL;
CREATE INDEX invitation_expires ON invitation (expires_at)
 WHERE state IN ('invited', 'delivered', 'bounced', 'opened');
ALTER TABLE invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY own_practice ON invitation
    USING (practice_id = nullif(current_setting('app.practice', true), '')::uuid)
    WITH CHECK (practice_id = nullif(current_setting('app.practice', true), '')::uuid);
-- Whoever holds a link finds its row by the id in it; the worker finds those whose days are over.
CREATE POLICY by_link ON invitation
    USING (id = nullif(current_setting('app.invitation', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.invitation', true), '')::uuid);
CREATE POLICY expiring ON invitation FOR SELECT
    USING (current_setting('app.worker', true) = 'sweeper');
