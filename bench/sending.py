"""Messages that patients send, beside the rows that become of them and nothing else."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from bench import load, portal
from bench.charts import BORN, Someone
from bench.figures import Finding
from bench.portal import PASSWORD, Patient, Portal
from bench.terms import Terms
from deploy.demo.browser import Browser

PATIENTS = 8
"""Each writes on a connection of their own, one message after another."""
BODY = """\
Since Friday I have two sore spots on my tongue, and eating hurts a little more each day.

I rinse with salt water after meals. What else can I do before they get worse?"""
TABLES = ("draft", "conversation", "message", "beginning")
"""In the order in which their rows refer to each other."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What one message leaves in a table."""

    table: str
    columns: list[str]
    values: list[tuple[object, ...]]

    @property
    def statement(self) -> str:
        numbers = ", ".join(f"${number}" for number in range(1, len(self.columns) + 1))
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES ({numbers})"  # noqa: S608

    def anew(self, ids: dict[UUID, UUID]) -> list[tuple[object, ...]]:
        """The same rows of another message."""
        return [
            tuple(ids.get(value, value) if isinstance(value, UUID) else value for value in row)
            for row in self.values
        ]


async def measure(terms: Terms) -> list[Finding]:
    """Messages per second, of both in turns."""
    async with portal.up() as here, AsyncExitStack() as stack:
        patients = await here.registered([Someone(number=number) for number in range(PATIENTS)])
        forms = [await _forms(here, patient) for patient in patients]
        await load.each_in_turn(forms, seconds=3)
        pool = await stack.enter_async_context(
            asyncpg.create_pool(
                here.here.database_url("admin"),
                min_size=PATIENTS,
                server_settings={"search_path": "messaging"},
            )
        )
        left = await _left(pool)
        ours: list[float] = []
        baseline: list[float] = []
        for number in range(terms.rounds):
            terms.say(f"sending: round {number + 1} of {terms.rounds}")
            sent = await load.each_in_turn(forms, seconds=terms.seconds)
            ours.append(sent.per_second)
            baseline.append(await _bare(pool, left, seconds=terms.seconds))
    return [
        Finding(
            name="sending",
            what="Messages sent, 8 at a time",
            unit="per s",
            ours=ours,
            beside="inserts of the same rows",
            baseline=baseline,
        )
    ]


async def _forms(here: Portal, patient: Patient) -> Iterator[load.Asked]:
    """Compose, filled in and sent, each time anew."""
    page = f"/p/{patient.id}/messages/compose"
    async with Browser(here.here.url) as browser:
        born = {"year": BORN.year, "month": BORN.month, "day": BORN.day}
        dated = {f"date_of_birth_{part}": str(number) for part, number in born.items()}
        await browser.send("/login", {"email": patient.who.email, "password": PASSWORD} | dated)
        hidden, cookies = await browser.hidden(page), browser.cookies
    typed = {"category": "health", "subject": "Mouth sores", "body": BODY, "do": "send"}

    def forms() -> Iterator[load.Asked]:
        while True:
            fresh = {"draft": str(uuid7()), "key": str(uuid7())}
            yield load.form(here.here.url + page, cookies, hidden | typed | fresh)

    return forms()


async def _left(pool: "asyncpg.Pool[asyncpg.Record]") -> list[Rows]:
    """The rows of one message that was sent."""
    message = await pool.fetchrow("SELECT * FROM message ORDER BY id DESC LIMIT 1")
    if message is None:
        raise load.Failing("No message was kept.")
    where = {
        "draft": ("sent", message["id"]),
        "conversation": ("id", message["conversation_id"]),
        "message": ("id", message["id"]),
        "beginning": ("message_id", message["id"]),
    }
    found = []
    for table in TABLES:
        column, value = where[table]
        rows = await pool.fetch(f"SELECT * FROM {table} WHERE {column} = $1", value)  # noqa: S608
        found.append(Rows(table=table, columns=list(rows[0].keys()), values=[*map(tuple, rows)]))
    return found


async def _bare(pool: "asyncpg.Pool[asyncpg.Record]", left: list[Rows], *, seconds: float) -> float:
    """How many messages' rows a second can be written, each message's in a transaction."""
    (draft,), (conversation,), (message,) = (rows.values for rows in left[:3])
    once = {draft[left[0].columns.index("id")], conversation[1], message[1]}
    count, until = 0, time.perf_counter() + seconds

    async def one() -> None:
        nonlocal count
        while time.perf_counter() < until:
            ids = {old: uuid7() for old in once if isinstance(old, UUID)}
            async with pool.acquire() as db, db.transaction():
                for rows in left:
                    await db.executemany(rows.statement, rows.anew(ids))
            count += 1

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(PATIENTS):
            group.create_task(one())
    return count / (time.perf_counter() - began)
