"""Health: the record at a glance, and one test's whole history."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.base import Refused
from libs.contracts.records import (
    Earlier,
    Flag,
    Health,
    Precision,
    Range,
    Refusal,
    Result,
    ShowHealth,
    ShowTest,
    Status,
    Test,
    TestHistory,
)
from libs.contracts.visa import Capacity, Limit, Visa
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.records.domain import catalogue, document
from services.records.store import documents, patients
from services.records.store import results as store

NEWEST_DOCUMENTS = 6

router = NatsRouter()


@answers(router, ShowHealth)
async def show_health(asked: ShowHealth, pool: Database, now: Now, gate: AtGate) -> Health:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity is Capacity.MACHINE:
        raise NotAllowed
    tests, newest, total = None, None, 0
    async with transaction(pool, practice=visa.practice_id) as db:
        person = await patients.get_person(db, visa.practice_id, asked.patient_id)
        if _may(visa, Limit.RESULTS):
            rows = await store.list_latest(db, visa.practice_id, asked.patient_id)
            tests = await _tests(db, visa.practice_id, rows, since=asked.since)
        if _may(visa, Limit.DOCUMENTS):
            place, every = (visa.practice_id, asked.patient_id), documents.Filter()
            found = await documents.list_documents(db, *place, wanted=every, limit=NEWEST_DOCUMENTS)
            total = await documents.count_documents(db, *place, wanted=every)
            newest = [document.line(one, since=asked.since) for one in found]
    return Health(
        person=person,
        tests=tuple(tests) if tests is not None else None,
        documents=tuple(newest) if newest is not None else None,
        documents_total=total,
    )


@answers(router, ShowTest)
async def show_test(asked: ShowTest, pool: Database, now: Now, gate: AtGate) -> TestHistory:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id, limit=Limit.RESULTS)
    if visa.capacity is Capacity.MACHINE:
        raise NotAllowed
    async with transaction(pool, practice=visa.practice_id) as db:
        person = await patients.get_person(db, visa.practice_id, asked.patient_id)
        rows = await store.list_test(db, visa.practice_id, asked.patient_id, asked.test_key)
        tests = await _tests(db, visa.practice_id, rows, since=None)
    if not tests:
        raise Refused(Refusal.UNKNOWN_TEST)
    return TestHistory(person=person, test=tests[0])


def _may(visa: Visa, limit: Limit) -> bool:
    return visa.capacity is Capacity.STAFF or limit in visa.limits


async def _tests(
    db: Connection, practice_id: UUID, rows: Sequence[Any], *, since: datetime | None
) -> list[Test]:
    """The rows as tests, in the order of the page."""
    before: dict[UUID, list[Earlier]] = defaultdict(list)
    for row in await store.list_before(db, practice_id, [row["id"] for row in rows]):
        before[row["result_id"]].append(
            Earlier(value=row["value"], unit=row["unit"], corrected_at=row["corrected_at"])
        )
    together: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        together[row["test_key"]].append(row)
    tests = [_test(found, before, since) for found in together.values()]
    return [test for _, test in sorted(tests, key=lambda pair: pair[0])]


def _test(
    rows: list[Any], before: dict[UUID, list[Earlier]], since: datetime | None
) -> tuple[tuple[int, int, str], Test]:
    history = tuple(_result(row, before, since) for row in rows)
    first = rows[0]
    latest = next(
        (result for result in history if result.result_id == first["latest_id"]), history[0]
    )
    known = catalogue.known(first["system"], first["code"])
    name = known.name if known else first["name"]
    test = Test(
        key=first["test_key"],
        name=name,
        about=known.about if known else "",
        code="" if first["system"] == "text" else first["code"],
        system=first["system"],
        unit=first["unit"],
        group=known.group if known else catalogue.OTHER,
        latest=latest,
        history=history,
        total=max(first["total"], len(history)),
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
