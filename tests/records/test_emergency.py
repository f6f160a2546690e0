"""The front desk and a chart: closed, opened in an emergency, and closed again after an hour."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.activity import Act
from libs.contracts.base import Refused, Request
from libs.contracts.records.activity import ListActivity
from libs.contracts.records.documents import (
    ListDocuments,
    ReadDocument,
    RenderDocument,
    ShowDocument,
)
from libs.contracts.records.emergency import REASON_LIMIT, ChartOpened, OpenChart
from libs.contracts.records.health import ShowHealth, ShowTest
from libs.contracts.records.imports import ReadImport
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Role
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from tests import parts
from tests.records import bundles
from tests.records.office import Office, together
from tests.waiting import until

SAM = uuid4()
WHY = "Her daughter found her unconscious."


def desk(practice: Office, **said: Any) -> str:
    given = {"role": Role.FRONT_DESK, "account_id": SAM, "actor_name": "Sam Whitaker"}
    return practice.visa(Capacity.STAFF, **given | said)


def opening(practice: Office, rosa: UUID, **said: Any) -> OpenChart:
    given: dict[str, Any] = {
        "visa": desk(practice),
        "key": uuid4(),
        "patient_id": rosa,
        "reason": WHY,
    }
    return OpenChart(**given | said)


async def looks(practice: Office, rosa: UUID, visa: str) -> list[Request[Any]]:
    """Every way to see a chart."""
    letter = await practice.file(rosa, b"Dear Rosa")
    about = {"visa": visa, "patient_id": rosa, "document_id": letter}
    return [
        ShowHealth(visa=visa, patient_id=rosa),
        ShowTest(visa=visa, patient_id=rosa, test_key="loinc 1751-7"),
        ListDocuments(visa=visa, patient_id=rosa),
        ShowDocument(**about),
        ReadDocument(number=0, **about),
        RenderDocument(**about),
    ]


async def test_a_chart_is_closed_to_the_front_desk_and_open_to_the_others(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    for asked in await looks(practice, rosa, desk(practice)):
        with pytest.raises(Refused, match=Refusal.CHART_CLOSED):
            await ask(practice.broker, asked)
    for role in (Role.CLINICIAN, Role.ADMINISTRATOR):
        visa = practice.visa(Capacity.STAFF, role=role)
        assert await ask(practice.broker, ShowHealth(visa=visa, patient_id=rosa))
        with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
            await ask(practice.broker, opening(practice, rosa, visa=visa))


async def test_what_was_imported_is_no_way_around(practice: Office) -> None:
    rosa = await practice.add_patient(mrn="R-1")
    brought = bundles.bundle(bundles.patient(), bundles.result("o1"))
    report = await practice.bring(brought, patient_id=rosa)
    asked = ReadImport(visa=desk(practice), import_id=report.import_id, number=0)
    with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
        await ask(practice.broker, asked)


async def test_in_an_emergency_it_opens_for_an_hour_to_who_asked_and_nobody_else(
    practice: Office,
) -> None:
    rosa, tom = await practice.add_patient(), await practice.add_patient("Tom", mrn="2")
    began = utcnow()
    opened = await ask(practice.broker, opening(practice, rosa))
    assert timedelta(minutes=60) <= opened.ends_at - began < timedelta(minutes=61)
    shown = await ask(practice.broker, ShowHealth(visa=desk(practice), patient_id=rosa))
    assert shown.emergency_ends_at == opened.ends_at
    letter = await practice.file(rosa, b"Dear Rosa")
    assert (await practice.open(rosa, letter, visa=desk(practice))).document.title == "Letter"
    others = [
        ShowHealth(visa=desk(practice, account_id=uuid4()), patient_id=rosa),
        ShowHealth(visa=desk(practice), patient_id=tom),
    ]
    for asked in others:
        with pytest.raises(Refused, match=Refusal.CHART_CLOSED):
            await ask(practice.broker, asked)
    elsewhere = ShowHealth(visa=desk(practice.another()), patient_id=rosa)
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await ask(practice.broker, elsewhere)
    await practice.sql("UPDATE emergency_access SET ends_at = now()")
    with pytest.raises(Refused, match=Refusal.CHART_CLOSED):
        await ask(practice.broker, ShowHealth(visa=desk(practice), patient_id=rosa))


async def test_it_is_told_and_stands_in_the_log_once_with_the_reason(practice: Office) -> None:
    rosa = await practice.add_patient()
    asked = opening(practice, rosa)
    said = await together(
        *(ask(practice.broker, asked) for _ in range(5)),
        *(ask(practice.broker, opening(practice, rosa)) for _ in range(5)),
    )
    assert len({one.ends_at for one in said}) == 1
    log = ListActivity(visa=practice.patient(rosa), patient_id=rosa)
    entries = (await ask(practice.broker, log)).entries
    (entry,) = [one for one in entries if one.act is Act.EMERGENCY_ACCESS]
    assert (entry.actor_name, entry.reason) == ("Sam Whitaker", WHY)
    (told,) = await until(lambda: parts.stored(practice.servers, ChartOpened))
    assert (told.patient_id, told.account_id) == (rosa, SAM)


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [
        ("", Refusal.REASON_MISSING),
        (" \n\t", Refusal.REASON_MISSING),
        ("a\x00b", Refusal.REASON_MISSING),
        ("x" * (REASON_LIMIT + 1), Refusal.REASON_TOO_LONG),
    ],
)
async def test_without_a_reason_it_stays_closed(
    practice: Office, reason: str, refusal: Refusal
) -> None:
    rosa = await practice.add_patient()
    with pytest.raises(Refused, match=refusal):
        await ask(practice.broker, opening(practice, rosa, reason=reason))
    with pytest.raises(Refused, match=Refusal.CHART_CLOSED):
        await ask(practice.broker, ShowHealth(visa=desk(practice), patient_id=rosa))


async def test_the_longest_reason_is_taken_whole(practice: Office) -> None:
    rosa = await practice.add_patient()
    await ask(practice.broker, opening(practice, rosa, reason="x" * REASON_LIMIT))
    log = ListActivity(visa=practice.patient(rosa), patient_id=rosa)
    assert (await ask(practice.broker, log)).entries[0].reason == "x" * REASON_LIMIT


async def test_nobody_but_the_front_desk_opens_a_chart(practice: Office) -> None:
    rosa = await practice.add_patient()
    for visa in (practice.patient(rosa), practice.machine, practice.operator, practice.staff, ""):
        with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
            await ask(practice.broker, opening(practice, rosa, visa=visa))
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        visa = desk(practice.another())
        await ask(practice.broker, opening(practice, rosa, visa=visa))
