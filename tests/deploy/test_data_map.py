"""docs/data-map.md has every column there is, says how it is kept, and says nothing that isn't so."""

import re
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from deploy.sealed_rows import PLACES
from libs.contracts import registry
from services.identity.store.sweeping import KEPT
from tests.servers import Servers

PAGE = (Path(__file__).parents[2] / "docs" / "data-map.md").read_text()
ROW = re.compile(
    r"^\| `([\w*]+)\.(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE
)
FORMS = {"clear", "sealed", "hash", "keyed hash", "public"}
BYTES = FORMS - {"clear"}
TEXTUAL = {
    ("records.document", "sha256"),
    ("records.content", "sha256"),
    ("messaging.content", "sha256"),
    ("records.import", "sha256"),
    ("identity.account", "password_hash"),
    ("records.import_subject", "key_hash"),
}
"""Hashes that are kept as text."""
Column = tuple[str, str]


def told() -> dict[Column, str]:
    """Each column on the map, with its form."""
    found: dict[Column, str] = {}
    for schema, table, columns, _, form, _ in ROW.findall(PAGE):
        for service in registry.services() if schema == "*" else [schema]:
            for column in re.findall(r"`(\w+)`", columns):
                assert (f"{service}.{table}", column) not in found, (table, column)
                found[f"{service}.{table}", column] = form
    return found


async def there(servers: Servers) -> dict[Column, str]:
    """Each column of a migrated database, with its type."""
    admin = await asyncpg.connect(servers.database_url("admin"))
    try:
        rows = await admin.fetch(
            """
            SELECT n.nspname || '.' || c.relname AS name, a.attname,
                   format_type(a.atttypid, NULL) AS kind
              FROM pg_attribute a
              JOIN pg_class c ON c.oid = a.attrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
                   AND n.nspname <> ALL ($1)
            """,
            ["pg_catalog", "information_schema", "pg_toast"],
        )
    finally:
        await admin.close()
    return {(row["name"], row["attname"]): row["kind"] for row in rows}


async def test_every_column_is_on_the_map_and_nothing_that_is_not_there(servers: Servers) -> None:
    on_map, in_database = told(), await there(servers)
    assert sorted(set(in_database) - set(on_map)) == [], "put it on docs/data-map.md"
    assert sorted(set(on_map) - set(in_database)) == []


async def test_what_is_in_clear_is_no_bytes_and_what_is_not_is(servers: Servers) -> None:
    kinds = await there(servers)
    forms = told()
    assert set(forms.values()) == FORMS
    for column, form in forms.items():
        if column in TEXTUAL:
            assert form == "hash", column
        else:
            assert (form in BYTES) == (kinds[column] == "bytea"), (column, form)


def test_what_lies_under_a_master_key_is_said_to_be_sealed() -> None:
    forms = told()
    for place in PLACES:
        assert forms[place.table, place.sealed] == "sealed", place.table


@pytest.mark.parametrize("table", KEPT)
def test_the_map_says_how_long_what_is_swept_is_kept(table: str) -> None:
    _, kept = KEPT[table]
    said = defaultdict(set)
    for schema, name, _, _, _, until in ROW.findall(PAGE):
        said[schema, name].add(until)
    words = _words(kept)
    assert said["identity", table]
    assert any(words in until for until in said["identity", table]), (table, words)


def _words(kept: timedelta) -> str:
    hours = int(kept.total_seconds() // 3600)
    if hours < 24:
        return "1 hour" if hours == 1 else f"{hours} hours"
    return f"{kept.days} days"
