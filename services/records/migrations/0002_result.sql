-- A laboratory result as it stands now. `key`, a hash over patient and source_id, tells it from every
-- other; `digest` what it says from all that it `said` before, so that nothing is filed twice.
CREATE TABLE result (
    practice_id  uuid        NOT NULL,
    id           uuid        NOT NULL,
    patient_id   uuid        NOT NULL,
    key          uuid        NOT NULL,
    source_id    text        NOT NULL,
    digest       text        NOT NULL,
    said         text[]      NOT NULL DEFAULT '{}',
    test_key     text        NOT NULL,
    system       text        NOT NULL,
    code         text        NOT NULL,
    name         text        NOT NULL,
    kind         text        NOT NULL
                 CHECK (kind IN ('quantity', 'range', 'ratio', 'text', 'coded', 'time', 'absent')),
    value        text        NOT NULL,
    number       numeric,
    comparator   text        NOT NULL,
    unit         text        NOT NULL,
    range_low    numeric,
    range_high   numeric,
    range_text   text        NOT NULL,
    flag         text        NOT NULL
                 CHECK (flag IN ('low', 'high', 'very_low', 'very_high', 'abnormal', 'normal',
                                 'unknown')),
    status       text        NOT NULL
                 CHECK (status IN ('preliminary', 'final', 'corrected', 'cancelled', 'unknown')),
    rank         integer     NOT NULL,
    collected_at timestamptz,
    precision    text        NOT NULL CHECK (precision IN ('year', 'month', 'day', 'instant')),
    zoned        boolean     NOT NULL,
    issued_at    timestamptz,
    specimen     text        NOT NULL,
    performer    text        NOT NULL,
    orderer      text        NOT NULL,
    comment      text        NOT NULL,
    import_id    uuid,
    arrived_at   timestamptz NOT NULL,
    PRIMARY KEY (practice_id, id),
    UNIQUE (practice_id, key),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patient
);
CREATE INDEX result_history
    ON result (practice_id, patient_id, test_key, collected_at DESC NULLS LAST, id DESC);

-- What a result said before it was corrected. It stays to be seen.
CREATE TABLE result_before (
    practice_id  uuid        NOT NULL,
    result_id    uuid        NOT NULL,
    number       integer     NOT NULL,
    value        text        NOT NULL,
    unit         text        NOT NULL,
    corrected_at timestamptz NOT NULL,
    PRIMARY KEY (practice_id, result_id, number),
    FOREIGN KEY (practice_id, result_id) REFERENCES result
);
REVOKE UPDATE, DELETE ON result_before FROM records;

-- The latest result of each test of each patient, so that the Health page reads rows, not history.
-- `total` counts the results of the test that stand.
CREATE TABLE latest_result (
    practice_id  uuid        NOT NULL,
    patient_id   uuid        NOT NULL,
    test_key     text        NOT NULL,
    result_id    uuid        NOT NULL,
    collected_at timestamptz,
    total        integer     NOT NULL,
    PRIMARY KEY (practice_id, patient_id, test_key),
    FOREIGN KEY (practice_id, result_id) REFERENCES result
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['result', 'result_before', 'latest_result'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_practice ON %I
                 USING (practice_id = current_setting(''app.practice'')::uuid)
                 WITH CHECK (practice_id = current_setting(''app.practice'')::uuid)', name);
    END LOOP;
END
$$;
