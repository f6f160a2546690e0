-- What a service has decided to announce, kept in the same transaction as the decision.
CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       uuid   NOT NULL UNIQUE,
    subject  text   NOT NULL,
    body     text   NOT NULL,
    announced_at timestamptz NOT NULL DEFAULT now()
);

-- What a service has heard and done, so that the same event again does nothing.
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_heard ON inbox (heard_at);

-- What was answered to a form, so that the same form again gets the same answer.
-- The key is the browser's; whose it is belongs to the key, so that a guessed one leads nowhere.
CREATE TABLE answered (
    key         uuid NOT NULL,
    asker       uuid NOT NULL,
    subject     text NOT NULL,
    reply       text,
    answered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, asker, subject)
);
CREATE INDEX answered_at ON answered (answered_at);
