"""Whether the walls stand that migrations built: row-level security, owners, rights taken away."""

import re
from collections.abc import Iterator, Sequence

import asyncpg

from deploy.doctor.finding import Finding
from libs.contracts import registry
from libs.runtime import database

REVOKED = re.compile(
    r"^\s*REVOKE (?P<rights>[A-Z, ]+) ON (?P<table>\w+) FROM (?P<role>\w+);", re.MULTILINE
)
MAY = """
    SELECT CASE WHEN to_regrole($1) IS NOT NULL AND to_regclass($2) IS NOT NULL
                THEN has_table_privilege($1::text, $2::text, $3::text)
           END
"""
"""Nothing where the role or the table is missing, which is said elsewhere."""
AGAIN = (
    "Find out who changed it, then make it as the migrations of this release have it. "
    "`carespace migrate` does not undo what was changed by hand."
)


async def examined(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    """Every role, every table, every right that was taken away."""
    found = await _roles(admin, services)
    found += await _tables(admin, services)
    found += await _rights(admin, services)
    return found


async def _roles(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    rows = await admin.fetch(
        """
        SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb AS mighty
          FROM pg_roles
         WHERE rolname = ANY($1)
        """,
        services,
    )
    mighty = {row["rolname"]: row["mighty"] for row in rows}
    missing = [
        Finding(
            about="roles",
            what=f"The role {service} is missing.",
            remedy="Run `carespace migrate`.",
        )
        for service in services
        if service not in mighty
    ]
    return missing + [
        Finding(
            about="roles",
            what=f"The role {service} may do more than a service needs, or see every practice.",
            remedy=f"ALTER ROLE {service} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;",
        )
        for service, has in mighty.items()
        if has
    ]


async def _tables(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    rows = await admin.fetch(
        """
        SELECT n.nspname || '.' || c.relname AS name,
               pg_get_userbyid(c.relowner) = n.nspname || '_owner' AS owned,
               c.relrowsecurity AND c.relforcerowsecurity AS walled,
               EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy,
               EXISTS (SELECT
                         FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND NOT a.attisdropped
                          AND a.attname IN ('practice_id', 'account_id')) AS somebodys
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname = ANY($1)
         ORDER BY name
        """,
        services,
    )
    found = []
    for row in rows:
        name = row["name"]
        if row["has_policy"] and not row["walled"]:
            what = f"Row-level security of {name} is off, or does not hold for its owner."
            remedy = (
                f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; "
                f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
            )
            found.append(Finding(about="row-level security", what=what, remedy=remedy))
        if row["somebodys"] and not row["has_policy"]:
            what = f"{name} has no policy that says whose its rows are."
            found.append(Finding(about="row-level security", what=what, remedy=AGAIN))
        if not row["owned"]:
            owner = f"{name.split('.')[0]}_owner"
            what = f"{name} does not belong to {owner}."
            remedy = f"ALTER TABLE {name} OWNER TO {owner};"
            found.append(Finding(about="owners", what=what, remedy=remedy))
    return found


async def _rights(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    found = []
    for service, table, right in (each for each in revoked() if each[0] in services):
        name = f"{service}.{table}"
        if await admin.fetchval(MAY, service, name, right):
            what = f"{service} may {right} in {name}, which nobody should change."
            remedy = f"REVOKE {right} ON {name} FROM {service};"
            found.append(Finding(about="rights", what=what, remedy=remedy))
    return found


def revoked() -> Iterator[tuple[str, str, str]]:
    """Service, table and right, of each right that a migration took away."""
    for service in registry.services():
        for file in database.migrations(f"services.{service}"):
            for taken in REVOKED.finditer(file.read_text()):
                if taken["role"] == service:
                    for right in taken["rights"].split(","):
                        yield service, taken["table"], right.strip()
