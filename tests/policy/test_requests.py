"""Every request on the wire, with everybody's own papers: each service refuses by itself."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from uuid import uuid4

import pytest

from libs.contracts.visa import Capacity, Limit, Role, Visa
from libs.runtime.clock import utcnow
from libs.runtime.seal import Seal
from tests import parts
from tests.policy import papers, wire
from tests.policy.papers import Office, Papers
from tests.policy.place import Place
from tests.policy.policy import POLICY
from tests.policy.rows import quiet
from tests.policy.test_pages import changed, none
from tests.policy.wire import Asked, Outcome
from tests.policy.world import Actor, Record, World, expected

AT_ONCE = 16
NO_ADDRESS = {"address": "nobody@example.com"}
REFUSED = set(".nc")


@pytest.fixture
async def office(place: Place, world: World) -> AsyncIterator[Office]:
    async with papers.opened(place, world) as opened:
        yield opened


def questions(world: World, actor: Actor, *, refused: bool) -> list[Asked]:
    """Every request about every record, with the ids of that record."""
    listed = []
    for subject in wire.subjects():
        about = [*world.records.values()] if wire.id_fields(subject) else [world.records["rosa"]]
        for record in about:
            cell = expected(POLICY.requests[subject], actor, record.owner)
            if (cell in REFUSED) is refused:
                ids = wire.ids_of(record) | ({} if refused else record.spare)
                listed.append(
                    Asked(
                        actor=actor,
                        subject=subject,
                        owner=record.owner,
                        cell=cell,
                        ids=ids,
                        harmless=not refused,
                    )
                )
    return listed


async def answers(
    office: Office, actor: Actor, listed: Iterable[Asked]
) -> list[tuple[Asked, Outcome]]:
    """Each with papers that were good a moment ago."""
    turn, asked = asyncio.Semaphore(AT_ONCE), list(listed)
    shown = await office.papers(actor)

    async def answer(one: Asked) -> Outcome:
        async with turn:
            return await wire.outcome(office, one, shown)

    return list(zip(asked, await asyncio.gather(*map(answer, asked)), strict=True))


async def test_what_is_refused_is_refused_by_the_service_itself(
    office: Office, world: World
) -> None:
    """With the same words as for what is not there, and without changing a row."""
    broken, leaks, tellings, count = [], [], [], 0
    async with office.place.admin() as admin:
        before = await quiet(admin)
        seen = await admin.fetchval("SELECT count(*) FROM records.activity")
        for actor in world.actors.values():
            answered = await answers(office, actor, questions(world, actor, refused=True))
            count += len(answered)
            broken += [said(*pair) for pair in answered if not wire.keeps(*pair)]
            leaks += leaking(world, answered)
            absent = await answers(office, actor, [for_nothing(one) for one, _ in answered])
            count += len(absent)
            tellings += [
                f"{said(one, came)}, and {nothing.text[:60]} for nothing"
                for (one, came), (_, nothing) in zip(answered, absent, strict=True)
                if one.cell == "." and came.refused != nothing.refused
            ]
        after = await quiet(admin)
        assert await admin.fetchval("SELECT count(*) FROM records.activity") == seen
    print(f"requests refused: {count}, {len(leaks)} leaks")
    none(broken, leaks, tellings, changed(before, after))


def for_nothing(one: Asked) -> Asked:
    """The same about what is not there, in the same record if it is about something in one."""
    ids = wire.nothing()
    if len({*wire.id_fields(one.subject).values()}) > 1:
        ids |= {"patient": one.ids["patient"]}
    return replace(one, ids=ids)


async def test_ids_of_several_records_in_one_request_lead_nowhere(
    office: Office, world: World
) -> None:
    leaks, count = [], 0
    async with office.place.admin() as admin:
        before = await quiet(admin)
        for actor in world.actors.values():
            mixed = [
                Asked(actor=actor, subject=subject, owner="mixed", cell="n", ids=NO_ADDRESS | ids)
                for subject in wire.subjects()
                for several in combinations(world.records.values(), 2)
                if "upload" not in wire.id_fields(subject).values() or is_apart(*several)
                for ids in wire.mixtures(subject, *several)
            ]
            answered = await answers(office, actor, mixed)
            count += len(answered)
            leaks += leaking(world, answered)
        after = await quiet(admin)
    print(f"mixed requests: {count}, {len(leaks)} leaks")
    none(leaks, changed(before, after))


def is_apart(one: Record, other: Record) -> bool:
    """An upload may become anything at the practice where it was made."""
    return one.practice_id != other.practice_id


async def test_a_statement_that_nobody_made_opens_nothing(office: Office, world: World) -> None:
    """Sealed by a stranger, by the wrong one of our own, of another kind, or changed afterwards."""
    rosa = world.records["rosa"]
    now = utcnow()
    visa = Visa(
        capacity=Capacity.SELF,
        practice_id=rosa.practice_id,
        patient_id=rosa.patient_id,
        limits=frozenset(Limit),
        account_id=uuid4(),
        issued_at=now,
        expires_at=now + timedelta(seconds=10),
    )
    staff = visa.model_copy(update={"capacity": Capacity.STAFF, "role": Role.ADMINISTRATOR})
    genuine = parts.sealed(office.place.servers, visa, by="delegation")
    stranger = Seal("delegation", base64.b64encode(secrets.token_bytes(32)).decode())
    issuer, body, seal = genuine.split(".")
    changed_body = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(body + "==").replace(b'"self"', b'"staff"')
    )
    forged = {
        "a stranger's": stranger.close(visa),
        "identity's of a patient": parts.sealed(office.place.servers, visa, by="identity"),
        "delegation's of staff": parts.sealed(office.place.servers, staff, by="delegation"),
        "with another's name": f"identity.{body}.{seal}",
        "changed afterwards": f"{issuer}.{changed_body.decode().rstrip('=')}.{seal}",
        "without a seal": f"{issuer}.{body}.",
        "nothing": "",
    }
    broken, leaks, count = [], [], 0
    nobody = world.actors["anonymous"]
    async with office.place.admin() as admin:
        before = await quiet(admin)
        for name, statement in forged.items():
            shown = Papers(visa=statement, passport=statement, session=secrets.token_bytes(32))
            for one in questions(world, nobody, refused=True):
                came = await wire.outcome(office, one, shown)
                count += 1
                leaks += leaking(world, [(one, came)])
                if came.refused not in wire.NO:
                    broken.append(f"{name}: {said(one, came)}")
        after = await quiet(admin)
    print(f"forged requests: {count}, {len(leaks)} leaks")
    none(broken, leaks, changed(before, after))


async def test_what_is_allowed_is_answered(office: Office, world: World) -> None:
    broken, leaks, count = [], [], 0
    for actor in world.actors.values():
        allowed = questions(world, actor, refused=False)
        first = [one for one in allowed if one.subject not in LAST | USES_THE_UPLOAD]
        then = [one for one in allowed if one.subject in USES_THE_UPLOAD]
        last = [with_another_upload(world, one) for one in allowed if one.subject in LAST]
        answered = [
            pair for stage in (first, then, last) for pair in await answers(office, actor, stage)
        ]
        count += len(answered)
        broken += [said(*pair) for pair in answered if not wire.keeps(*pair)]
        leaks += leaking(world, answered)
    print(f"requests allowed: {count}, {len(leaks)} leaks")
    none(broken, leaks)


USES_THE_UPLOAD = {"request.records.file_document"}
"""After this no chunk comes any more."""
LAST = {
    "request.identity.remove_from_team",
    "request.messaging.drop_draft",
    "request.messaging.remove_attachment",
    "request.records.cancel_export",
    "request.records.revoke_sending",
    "request.records.start_import",
}
"""After these there is nothing left to ask the others for."""


def with_another_upload(world: World, one: Asked) -> Asked:
    """Each becomes one thing only."""
    return replace(one, ids={**one.ids, "upload": world.records[one.owner].ids["upload"]})


def leaking(world: World, answered: Iterable[tuple[Asked, Outcome]]) -> list[str]:
    return [
        f"{said(one, came)}: {told}"
        for one, came in answered
        if (told := world.leaks(one.actor, came.text))
    ]


def said(one: Asked, came: Outcome) -> str:
    return f"{one}: {came.refused or came.text[:80]}"
