"""Migrations are applied while the last release runs, and it goes on running on what they leave.

Where a test here fails, the change takes two releases: one that can do without, then one that takes
it away. What is meant all the same stands in `MEANT`, with why.
"""

import hashlib

import pytest

from libs.contracts import registry
from libs.runtime import database
from tests.contracts import release
from tests.deploy.migration_rules import made_in, statements, unsafe

MEANT: dict[str, str] = {}
"""What the rules say of a migration, `service/file: sentence`, and why it is safe all the same."""


def unreleased(service: str) -> dict[str, str]:
    released = release.last()["migrations"][service]
    return {
        file.name: file.read_text()
        for file in database.migrations(f"services.{service}")
        if file.name not in released
    }


@pytest.mark.parametrize("service", registry.services())
def test_what_is_released_stays_as_it_is(service: str) -> None:
    there = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in database.migrations(f"services.{service}")
    }
    released = release.last()["migrations"][service]
    assert {name: there.get(name) for name in released} == released


@pytest.mark.parametrize("service", registry.services())
def test_a_new_migration_comes_after_the_released_ones(service: str) -> None:
    """Those of the service after its own, and those that every service has after theirs."""
    released = release.last()["migrations"][service]
    for owner in ("libs.runtime", f"services.{service}"):
        names = [file.name for file in database.migrations_of(owner)]
        new = [name for name in names if name not in released]
        assert names[len(names) - len(new) :] == new, owner


@pytest.mark.parametrize("service", registry.services())
def test_a_new_migration_leaves_the_running_release_at_peace(service: str) -> None:
    scripts = unreleased(service)
    new = made_in(scripts.values())
    said = [
        f"{service}/{n}: {found}" for n, sql in scripts.items() for found in unsafe(sql, new=new)
    ]
    assert [sentence for sentence in said if sentence not in MEANT] == []


def test_every_statement_of_every_migration_is_read() -> None:
    """Blocks with loops as well: what they execute is looked at, too."""
    for service in registry.services():
        for file in database.migrations(f"services.{service}"):
            assert list(statements(file.read_text())), file


INDEX = "Nobody writes to result while its new index is made, and a unique one refuses rows."
REFUSED = [
    ("DROP TABLE result", "The running release may still use what is dropped here."),
    ("DROP INDEX result_test", "The running release may still use what is dropped here."),
    ("DROP POLICY own_practice ON result", "The running release may still use what is dropped here."),
    ("ALTER TABLE result RENAME TO lab", "The running release knows result by its old names."),
    ("ALTER TABLE result RENAME COLUMN a TO b", "The running release knows result by its old names."),
    ("TRUNCATE result", "The running release may still need what is removed here."),
    ("ALTER TABLE result DROP COLUMN a", "AT_DropColumn on result is not known to be safe."),
    ("ALTER TABLE result ALTER a SET NOT NULL", "AT_SetNotNull on result is not known to be safe."),
    ("ALTER TABLE result ALTER a TYPE text", "AT_AlterColumnType on result is not known to be safe."),
    ("ALTER TABLE result ALTER a DROP DEFAULT", "AT_ColumnDefault on result is not known to be safe."),
    ("ALTER TABLE result DROP CONSTRAINT c", "AT_DropConstraint on result is not known to be safe."),
    ("ALTER TABLE result ENABLE ROW LEVEL SECURITY", "AT_EnableRowSecurity on result is not known to be safe."),
    ("ALTER TABLE result ADD CHECK (a > 0)", "A new constraint on result refuses rows that the running release may write."),
    ("ALTER TABLE result ADD CHECK (a > 0) NOT VALID", "A new constraint on result refuses rows that the running release may write."),
    ("ALTER TABLE result ADD b int NOT NULL", "The running release leaves result.b empty, and that is refused."),
    ("ALTER TABLE result ADD b uuid DEFAULT gen_random_uuid()", "The default of result.b is worked out for each row, with the table locked."),
    ("ALTER TABLE result ADD b int UNIQUE", "CONSTR_UNIQUE of the new result.b is not known to be safe."),
    ("ALTER TABLE result ADD b int GENERATED ALWAYS AS (a + 1) STORED", "CONSTR_GENERATED of the new result.b is not known to be safe."),
    ("CREATE UNIQUE INDEX ON result (a)", INDEX),
    ("CREATE INDEX ON result (a)", INDEX),
    ("CREATE POLICY p ON result AS RESTRICTIVE USING (true)", "A restrictive policy hides rows of result from the running release."),
    ("REVOKE UPDATE ON result FROM records", "The running release may still use what is revoked here."),
    ("REVOKE UPDATE ON result, weight FROM records", "The running release may still use what is revoked here."),
    ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "The running release may still call the function that is replaced here."),
    ("CREATE TRIGGER t BEFORE INSERT ON result FOR EACH ROW EXECUTE FUNCTION f()", "CreateTrig on result is not known to be safe."),
    ("ALTER TYPE kind ADD VALUE 'more'", "AlterEnum on no table is not known to be safe."),
    ("UPDATE result SET a = 1", "Update on result is not known to be safe."),
    ("DELETE FROM result", "Delete on result is not known to be safe."),
    ("LOCK TABLE result", "Lock on no table is not known to be safe."),
    ("DO $$ BEGIN DROP TABLE result; END $$", "The running release may still use what is dropped here."),
    ("DO $$ BEGIN EXECUTE 'DROP TABLE result'; END $$", "The running release may still use what is dropped here."),
    ("DO $$ BEGIN EXECUTE format('TRUNCATE %I', 'result'); END $$", "The running release may still need what is removed here."),
    ("DO $$ BEGIN PERFORM set_config('a', 'b', false); END $$", "Select on no table is not known to be safe."),
    ("DO $$ DECLARE s text; BEGIN EXECUTE s; END $$", "It can't be said what is executed here: s"),
    ("DO $$ DECLARE s text; BEGIN EXECUTE format('DROP TABLE %I', s); END $$", "It can't be said on what this is executed: format('DROP TABLE %I', s)"),
    ("CREATE TABLE a (b int); DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['a', 'result'] LOOP EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t); END LOOP; END $$", "AT_ForceRowSecurity on result is not known to be safe."),
]  # fmt: skip


@pytest.mark.parametrize(("script", "sentence"), REFUSED, ids=[script for script, _ in REFUSED])
def test_what_disturbs_the_running_release_is_said(script: str, sentence: str) -> None:
    assert unsafe(script, new=made_in([script])) == [sentence]


LET_IN = [
    "CREATE TABLE weight (id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE weight (a int); CREATE INDEX ON weight (a); REVOKE UPDATE ON weight FROM records",
    "CREATE TABLE weight (a int); DO $$ BEGIN EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', 'weight'); END $$",
    "ALTER TABLE result ADD b int",
    "ALTER TABLE result ADD b int REFERENCES weight CHECK (b > 0)",
    "ALTER TABLE result ADD b boolean NOT NULL DEFAULT false",
    "ALTER TABLE result ADD b text NOT NULL DEFAULT ''::text",
    "ALTER TABLE result ALTER a SET STORAGE EXTERNAL",
    "CREATE POLICY more ON result USING (true)",
    "COMMENT ON TABLE result IS 'what a laboratory found'",
    "GRANT SELECT ON result TO records",
    "CREATE TABLE weight (a int); INSERT INTO weight VALUES (1)",
]  # fmt: skip


@pytest.mark.parametrize("script", LET_IN)
def test_what_the_running_release_does_not_notice_is_let_in(script: str) -> None:
    assert unsafe(script, new=made_in([script])) == []
