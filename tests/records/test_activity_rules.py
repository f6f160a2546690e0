"""The chain of an activity log: whatever is done to it, the first entry that is bad is named."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.activity import Act
from libs.contracts.visa import Capacity
from services.records.domain.activity import (
    BEFORE_THE_FIRST,
    Actor,
    Entry,
    Happened,
    Head,
    canonical,
    chained,
    first_bad,
    hashed,
)

PRACTICE, ROSA, ANA = UUID(int=1), UUID(int=2), UUID(int=3)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LENGTH = 1_000
TRIES = 10_000


def happened(number: int = 0, **said: object) -> Happened:
    given = {
        "patient_id": ROSA,
        "actor": Actor(id=ANA, name="Ana Ruiz", capacity=Capacity.DELEGATE),
        "act": Act.SAW_HEALTH,
        "at": NOON + timedelta(seconds=number),
    }
    return Happened(**given | said)  # type: ignore[arg-type]


def chain(told: Iterable[Happened]) -> list[Entry]:
    entries: list[Entry] = []
    head = Head()
    for one in told:
        entry = chained(head, PRACTICE, one)
        head = Head(number=entry.number, hash=entry.hash)
        entries.append(entry)
    return entries


LOG = chain(
    happened(number, act=random.Random(number).choice(list(Act)), subject=f"{number % 7}")
    for number in range(LENGTH)
)
END = Head(number=LENGTH, hash=LOG[-1].hash)


def test_an_entry_is_hashed_as_the_documentation_works_it_out() -> None:
    first = chained(Head(), PRACTICE, happened(subject="718-7", act=Act.SAW_TEST))
    assert canonical(first) == (
        b'{"act":"saw_test","actor_id":"00000000-0000-0000-0000-000000000003",'
        b'"actor_name":"Ana Ruiz","at":"2026-11-23T12:00:00.000000Z","capacity":"delegate",'
        b'"number":1,"patient_id":"00000000-0000-0000-0000-000000000002",'
        b'"practice_id":"00000000-0000-0000-0000-000000000001",'
        b'"previous":"' + b"0" * 64 + b'","reason":"","subject":"718-7"}'
    )
    assert first.hash.hex() == ("cb7b0e8b2db798b5f3568c564d652612ad217d5e131465907268f2863f2ec78f")


def test_a_log_as_it_was_written_holds() -> None:
    assert first_bad(LOG, END) == ""
    assert first_bad([], Head()) == ""
    assert LOG[0].previous == BEFORE_THE_FIRST


def test_the_same_moment_in_another_zone_is_the_same_entry() -> None:
    east = NOON.astimezone(tz=None)
    assert hashed(replace(LOG[0], at=LOG[0].at.astimezone(east.tzinfo))) == LOG[0].hash


Tampering = Callable[[random.Random], tuple[list[Entry], int]]


def _changed(chance: random.Random) -> tuple[list[Entry], int]:
    place = chance.randrange(LENGTH)
    entry = LOG[place]
    changed = chance.choice(
        [
            replace(entry, at=entry.at + timedelta(microseconds=1)),
            replace(entry, actor_id=UUID(int=chance.getrandbits(128))),
            replace(entry, actor_name=entry.actor_name + " "),
            replace(entry, actor_name="Ana Ruíz"),
            replace(entry, capacity="staff"),
            replace(entry, act="logged_in" if entry.act != "logged_in" else "saw_test"),
            replace(entry, subject=entry.subject + "0"),
            replace(entry, reason="because"),
            replace(entry, practice_id=UUID(int=9)),
            replace(entry, patient_id=ANA),
            replace(entry, hash=chance.randbytes(32)),
            replace(entry, previous=chance.randbytes(32)),
        ]
    )
    return [*LOG[:place], changed, *LOG[place + 1 :]], place + 1


def _changed_and_hashed_again(chance: random.Random) -> tuple[list[Entry], int]:
    """Whoever changes an entry and its hash still leaves the next one, or the end, behind."""
    place = chance.randrange(LENGTH)
    changed = replace(LOG[place], actor_name="Nobody")
    changed = replace(changed, hash=hashed(changed))
    return [*LOG[:place], changed, *LOG[place + 1 :]], min(place + 2, LENGTH)


def _removed(chance: random.Random) -> tuple[list[Entry], int]:
    place = chance.randrange(LENGTH)
    return [*LOG[:place], *LOG[place + 1 :]], place + 1


def _cut_off(chance: random.Random) -> tuple[list[Entry], int]:
    place = chance.randrange(LENGTH)
    return LOG[:place], place + 1


def _added(chance: random.Random) -> tuple[list[Entry], int]:
    place = chance.randrange(LENGTH + 1)
    before = Head(number=place, hash=LOG[place - 1].hash) if place else Head()
    added = chained(before, PRACTICE, happened(place, subject="added"))
    return [*LOG[:place], added, *LOG[place:]], min(place + 2, LENGTH + 1)


def _swapped(chance: random.Random) -> tuple[list[Entry], int]:
    first, second = sorted(chance.sample(range(LENGTH), 2))
    swapped = list(LOG)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    return swapped, first + 1


def _swapped_and_numbered(chance: random.Random) -> tuple[list[Entry], int]:
    first, second = sorted(chance.sample(range(LENGTH), 2))
    swapped = list(LOG)
    swapped[first] = replace(LOG[second], number=first + 1)
    swapped[second] = replace(LOG[first], number=second + 1)
    return swapped, first + 1


WAYS: tuple[Tampering, ...] = (
    _changed,
    _changed_and_hashed_again,
    _removed,
    _cut_off,
    _added,
    _swapped,
    _swapped_and_numbered,
)


@pytest.mark.parametrize("way", WAYS)
def test_whatever_is_done_to_a_log_is_found_and_the_first_bad_entry_named(way: Tampering) -> None:
    """Over all the ways, ten thousand tries on a log of a thousand entries.

    What comes well before the bad entry holds as it did the time before, and is gone through anew
    in every twentieth try only.
    """
    chance = random.Random(way.__name__)
    for number in range(TRIES // len(WAYS) + 1):
        entries, place = way(chance)
        start = max(0, place - 30) if number % 20 else 0
        after = Head(number=start, hash=LOG[start - 1].hash) if start else None
        bad = first_bad(entries[start:], END, after=after)
        assert f"entry {place} " in bad, (bad, place)
