"""Very many results, spread over patients and practices, as years of imports would leave them.

Every row is a copy of one that a real import filed, with a patient and a key of its own.
References are not checked while they are made, and indexes are made after them; what there is in
the end is what imports leave: a patient's rows lie as far apart as the days on which they came.
"""

import time
from collections.abc import Callable
from uuid import UUID

import asyncpg

PRACTICES = 40
"""That share the table; the first of them is the one whose pages are measured."""
PREPARE = """
    SET session_replication_role = replica;
    SET synchronous_commit = off;
    SET maintenance_work_mem = '512MB';
    SET search_path = records;
    CREATE TEMP TABLE pattern AS SELECT * FROM result WHERE patient_id = '{patient}';
    CREATE TEMP TABLE days AS
    SELECT row_number() OVER (ORDER BY collected_at) AS day, collected_at
      FROM (SELECT DISTINCT collected_at FROM pattern) AS d;
    CREATE TEMP TABLE practices AS
    SELECT 0 AS number, '{practice}'::uuid AS id
    UNION ALL SELECT number, uuidv7() FROM generate_series(1, {practices} - 1) AS number;
    CREATE TEMP TABLE people AS
    SELECT p.id AS practice_id, uuidv7() AS id, n.number
      FROM generate_series(1, {patients}) AS n (number)
      JOIN practices p ON p.number = n.number % {practices};
    ANALYZE pattern, days, people;
"""
PATIENTS = """
    INSERT INTO patient (practice_id, id, given, family, birth_date, email, mrn, family_key,
                         given_key, search, state_since, added_at)
    SELECT n.practice_id, n.id, t.given, t.family || n.number, t.birth_date, '', 'M-' || n.number,
           t.family_key || n.number, t.given_key, t.search || n.number, t.state_since, t.added_at
      FROM people n, patient t
     WHERE t.id = $1
"""
RESULTS = """
    INSERT INTO result ({columns})
    SELECT {values}
      FROM people n
      JOIN days d ON d.day = $1
      JOIN pattern t ON t.collected_at = d.collected_at
     ORDER BY n.number
"""
LATEST = """
    INSERT INTO latest_result (practice_id, patient_id, test_key, result_id, collected_at, total)
    SELECT r.practice_id, r.patient_id, r.test_key, r.id, r.collected_at, d.days
      FROM result r
      JOIN (SELECT max(collected_at) AS last, count(*) AS days FROM days) AS d
        ON r.collected_at = d.last
      JOIN people n ON n.practice_id = r.practice_id AND n.id = r.patient_id
"""
OWN = {
    "practice_id": "n.practice_id",
    "patient_id": "n.id",
    "id": "uuidv7()",
    "key": "md5(n.id::text || t.source_id)::uuid",
    "source_id": "t.source_id || '-' || n.number",
    "import_id": "NULL",
}
"""What a copy has of its own."""


async def fill(
    admin: asyncpg.Connection,
    *,
    like: UUID,
    practice: UUID,
    results: int,
    say: Callable[[str], None],
) -> None:
    """So many results in the table, made after those of one patient."""
    began = time.monotonic()
    there = await admin.fetchval("SELECT count(*) FROM records.result")
    each = await admin.fetchval("SELECT count(*) FROM records.result WHERE patient_id = $1", like)
    patients = (results - there) // each
    await admin.execute(
        PREPARE.format(patient=like, practice=practice, practices=PRACTICES, patients=patients)
    )
    await admin.execute(PATIENTS, like)
    names = await admin.fetch(
        """
        SELECT attname FROM pg_attribute
         WHERE attrelid = 'result'::regclass AND attnum > 0 AND NOT attisdropped
        """
    )
    columns = [row["attname"] for row in names]
    made = RESULTS.format(
        columns=", ".join(columns),
        values=", ".join(OWN.get(column, f"t.{column}") for column in columns),
    )
    indexes = await _without_indexes(admin)
    days = await admin.fetchval("SELECT count(*) FROM days")
    for day in range(1, days + 1):
        await admin.execute(made, day)
        done = there + patients * each * day // days
        say(f"size: {done:,} of {results:,} results, {time.monotonic() - began:.0f} s")
    for index in indexes:
        await admin.execute(index)
        say(f"size: an index, {time.monotonic() - began:.0f} s")
    await admin.execute(LATEST)
    for table in ("result", "latest_result", "patient"):
        await admin.execute(f"VACUUM ANALYZE {table}")
    await admin.execute("CHECKPOINT")
    say(f"size: {results:,} results are there, {time.monotonic() - began:.0f} s")


async def _without_indexes(admin: asyncpg.Connection) -> list[str]:
    """The statements that make again what is taken away of the table of results here."""
    keys = await admin.fetch(
        """
        SELECT conrelid::regclass AS of, conname AS name, pg_get_constraintdef(oid) AS said
          FROM pg_constraint
         WHERE (conrelid = 'result'::regclass AND contype IN ('p', 'u'))
            OR (confrelid = 'result'::regclass AND contype = 'f')
         ORDER BY contype = 'f' DESC
        """
    )
    for key in keys:
        await admin.execute(f"ALTER TABLE {key['of']} DROP CONSTRAINT {key['name']}")
    others = await admin.fetch(
        "SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS said"
        "  FROM pg_index WHERE indrelid = 'result'::regclass"
    )
    for index in others:
        await admin.execute(f"DROP INDEX {index['name']}")
    again = [
        f"ALTER TABLE {key['of']} ADD CONSTRAINT {key['name']} {key['said']}"
        for key in reversed(keys)
    ]
    return [index["said"] for index in others] + again
