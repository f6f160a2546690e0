"""A made-up activity log, with every kind of person and every act that there is."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from gateway.activity import KINDS, by_day, called
from libs.contracts.activity import Act
from libs.contracts.records.activity import Actor, Entry
from libs.contracts.visa import Capacity
from tests.gateway.samples import NOW

ROSA, ANA, NORA, MACHINE, OPERATOR = (UUID(int=number) for number in (1, 2, 3, 4, 0))
ACTORS = (
    Actor(actor_id=ROSA, name="Rosa Alvarez", capacity=Capacity.SELF),
    Actor(actor_id=ANA, name="Ana Ruiz", capacity=Capacity.DELEGATE),
    Actor(actor_id=NORA, name="Nora Lindqvist", capacity=Capacity.STAFF),
    Actor(actor_id=MACHINE, name="", capacity=Capacity.MACHINE),
    Actor(actor_id=OPERATOR, name="", capacity=Capacity.MACHINE),
)
DOCUMENT, MESSAGE, INVITATION = (str(UUID(int=number)) for number in (11, 12, 13))
WHAT = {
    Act.SAW_TEST: ("718-7", "Hemoglobin"),
    Act.SAW_DOCUMENT: (DOCUMENT, "CT chest with contrast"),
    Act.DOWNLOADED_DOCUMENT: (DOCUMENT, "CT chest with contrast"),
    Act.ADDED_DOCUMENT: (DOCUMENT, "CT chest with contrast"),
    Act.ADDED_RESULT: (DOCUMENT, "Hemoglobin"),
    Act.CORRECTED_RESULT: (DOCUMENT, "A test with a very long name, " * 6),
    Act.SAW_MESSAGE: (MESSAGE, ""),
    Act.WROTE_MESSAGE: (MESSAGE, ""),
    Act.INVITED_PERSON: (INVITATION, ""),
    Act.CANCELLED_INVITATION: (INVITATION, ""),
    Act.REVOKED_ACCESS: (INVITATION, ""),
}


def entry(number: int, actor: Actor, act: Act, hours: float = 0) -> Entry:
    subject, what = WHAT.get(act, ("", ""))
    return Entry(
        number=number,
        at=NOW - timedelta(hours=hours),
        actor_id=actor.actor_id,
        actor_name=actor.name,
        capacity=actor.capacity,
        act=act,
        subject=subject,
        reason="She had a seizure and could not speak." if act is Act.EMERGENCY_ACCESS else "",
        previous="0" * 64,
        hash="0" * 64,
        what=what,
    )


ENTRIES = [
    *(entry(90 - number, ACTORS[0], Act.SAW_HEALTH, number / 10) for number in range(4)),
    *(
        entry(60 - number, ACTORS[1 + number % 4], act, 9 + 3 * number)
        for number, act in enumerate(Act)
    ),
]


def shown(**more: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"you": ROSA, "practice": "Lakeside Oncology"}
    people = {INVITATION: "ana.ruiz@example.com"}
    return {
        "days": by_day(ENTRIES, people=people, zone="America/Denver", **about),
        "actors": [(actor.actor_id, called(actor, **about)) for actor in ACTORS],
        "kinds": {value: words for value, (words, _) in KINDS.items()},
        "query": {},
        "after": 7,
    } | more
