"""Health: the record at a glance, and one test's whole history."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.records.health import (
    Earlier,
    Flag,
    Health,
    Range,
    Result,
    ShowHealth,
    ShowTest,
    Status,
    Test,
    TestHistory,
)
from libs.contracts.records.moments import Precision
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Limit, Visa
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction
from services.records.activity import enter
from services.records.domain import catalogue, document
from services.records.means import assure_chart
from services.records.store import documents, patients
from services.records.store import results as store

NEWEST_DOCUMENTS = 6
REPLY_LIMIT = 3 * 1024 * 1024
"""Bytes, roughly, of the results in one reply; NATS carries 8 MB."""
ROW_SIZE = 600
"""Bytes, roughly, of a result without its value and comment."""

router = NatsRouter()


@answers(router, ShowHealth)
async def show_health(asked: ShowHealth, pool: Database, now: Now, gate: AtGate) -> Health:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity is Capacity.MACHINE:
        raise NotAllowed
    return await at_a_glance(pool, visa, asked.patient_id, since=asked.since, now=now)


async def at_a_glance(
    pool: Pool, visa: Visa, patient_id: UUID, *, since: datetime | None, now: datetime
) -> Health:
    """The record as far as this visa shows it; that it was shown stands in the log."""
    tests, newest, total = None, None, 0
    async with transaction(pool, practice=visa.practice_id) as db:
        person = await patients.get_person(db, visa.practice_id, patient_id)
        ends_at = await assure_chart(db, visa, patient_id, now=now)
        if _may(visa, Limit.RESULTS):
            rows = await store.list_latest(db, visa.practice_id, patient_id)
            tests = await _tests(db, visa.practice_id, rows, since=since)
        if _may(visa, Limit.DOCUMENTS):
            place, every = (visa.practice_id, patient_id), documents.Filter()
            found = await documents.list_documents(db, *place, wanted=every, limit=NEWEST_DOCUMENTS)
            total = await documents.count_documents(db, *place, wanted=every)
            newest = [document.line(one, since=since) for one in found]
        if tests is not None or newest is not None:
            await enter(db, visa, patient_id, Act.SAW_HEALTH, now=now)
    return Health(
        person=person,
        tests=tuple(tests) if tests is not None else None,
        documents=tuple(newest) if newest is not None else None,
        documents_total=total,
        emergency_ends_at=ends_at,
    )


@answers(router, ShowTest)
async def show_test(asked: ShowTest, pool: Database, now: Now, gate: AtGate) -> TestHistory:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id, limit=Limit.RESULTS)
    if visa.capacity is Capacity.MACHINE:
        raise NotAllowed
    async with transaction(pool, practice=visa.practice_id) as db:
        person = await patients.get_person(db, visa.practice_id, asked.patient_id)
        await assure_chart(db, visa, asked.patient_id, now=now)
        rows = await store.list_test(db, visa.practice_id, asked.patient_id, asked.test_key)
        tests = await _tests(db, visa.practice_id, rows, since=None)
        if not tests:
            raise Refused(Refusal.UNKNOWN_TEST)
        await enter(db, visa, asked.patient_id, Act.SAW_TEST, asked.test_key, now=now)
    return TestHistory(person=person, test=tests[0])


def _may(visa: Visa, limit: Limit) -> bool:
    return visa.capacity is Capacity.STAFF or limit in visa.limits


async def _tests(
    db: Connection, practice_id: UUID, rows: Sequence[Any], *, since: datetime | None
) -> list[Test]:
    """The rows as tests, in the order of the page."""
    rows = _fitting(rows)
    before: dict[UUID, list[Earlier]] = defaultdict(list)
    if changed := [row["id"] for row in rows if row["changes"]]:
        for row in await store.list_before(db, practice_id, changed):
            before[row["result_id"]].append(
                Earlier(value=row["value"], unit=row["unit"], corrected_at=row["corrected_at"])
            )
    together: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        together[row["test_key"]].append(row)
    names = _names(together.values())
    tests = [_test(found, names[key], before, since) for key, found in together.items()]
    return [test for _, test in sorted(tests, key=lambda pair: pair[0])]


def _fitting(rows: Sequence[Any]) -> list[Any]:
    """As many as one message holds: the latest of each test, and of the others the newest."""
    left, fitting = REPLY_LIMIT, []
    for row in sorted(rows, key=lambda row: row["id"] != row["latest_id"]):
        left -= ROW_SIZE + 2 * (len(row["value"]) + len(row["comment"]))
        if left > 0 or row["id"] == row["latest_id"]:
            fitting.append(row)
    kept = {row["id"] for row in fitting}
    return [row for row in rows if row["id"] in kept]


def _names(tests: Iterable[list[Any]]) -> dict[str, str]:
    """What each test is called: in our words, and beside another of the same name in theirs."""
    said = {rows[0]["test_key"]: (_newest(rows), _known(rows[0])) for rows in tests}
    plain = {key: known.name if known else row["name"] for key, (row, known) in said.items()}
    often = Counter((plain[key], row["unit"]) for key, (row, _) in said.items())
    return {
        key: f"{plain[key]} ({row['name']})"
        if often[plain[key], row["unit"]] > 1 and row["name"] != plain[key]
        else plain[key]
        for key, (row, _) in said.items()
    }


def _newest(rows: list[Any]) -> Any:
    return next((row for row in rows if row["id"] == row["latest_id"]), rows[0])


def _known(row: Any) -> catalogue.Known | None:
    return catalogue.known(row["system"], row["code"])


def _test(
    rows: list[Any], name: str, before: dict[UUID, list[Earlier]], since: datetime | None
) -> tuple[tuple[int, int, str], Test]:
    newest, known = _newest(rows), _known(rows[0])
    history = tuple(_result(row, before, since) for row in rows)
    test = Test(
        key=newest["test_key"],
        name=name,
        about=known.about if known else "",
        code="" if newest["system"] == "text" else newest["code"],
        system=newest["system"],
        unit=newest["unit"],
        group=known.group if known else catalogue.OTHER,
        latest=history[rows.index(newest)],
        history=history,
        total=max(newest["total"], len(history)),
    )
    return catalogue.order(test.group, known.place if known else None, name), test


def _result(row: Any, before: dict[UUID, list[Earlier]], since: datetime | None) -> Result:
    ranged = row["range_text"] or row["range_low"] is not None or row["range_high"] is not None
    band = Range(low=row["range_low"], high=row["range_high"], text=row["range_text"])
    return Result(
        result_id=row["id"],
        value=row["value"],
        number=row["number"],
        comparator=row["comparator"],
        unit=row["unit"],
        kind=row["kind"],
        range=band if ranged else None,
        flag=Flag(row["flag"]),
        status=Status(row["status"]),
        collected_at=row["collected_at"],
        precision=Precision(row["precision"]),
        zoned=row["zoned"],
        new=since is not None and row["arrived_at"] > since,
        earlier=tuple(before.get(row["id"], ())),
        comment=row["comment"],
        performer=row["performer"],
        orderer=row["orderer"],
        specimen=row["specimen"],
    )
