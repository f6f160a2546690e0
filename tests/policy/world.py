"""Three patients of two practices, and everybody who might ask for something of theirs.

Each record has words in it that stand nowhere else: whoever finds one in an answer has seen that
part of that record.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from tests.policy.policy import POLICY

PARTS = (
    "name", "address", "results", "documents", "messages", "drafts", "notes", "users", "practice",
)  # fmt: skip
"""The parts of a record that a policy tells apart."""
CANARY = re.compile(r"q(rosa|sara|tara)(\w{4,9})x[a-z]{8}", re.IGNORECASE)
BORN = date(1961, 4, 12)


@dataclass(kw_only=True)
class Record:
    """One patient: her ids, and the words to be found in each part of her record."""

    owner: str
    practice_id: UUID
    email: str = ""
    patient_id: UUID = field(default_factory=lambda: UUID(int=0))
    ids: dict[str, str] = field(default_factory=dict)
    """By kind: what stands for it in an address or a form."""
    spare: dict[str, str] = field(default_factory=dict)
    """The same, of things that are there to be used up."""
    words: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.words = {
            part: f"q{self.owner}{part}x{''.join(secrets.choice('abcdefghij') for _ in range(8))}"
            for part in PARTS
        }
        self.email = f"{self.words['address']}@example.com"


@dataclass(kw_only=True)
class Actor:
    """Somebody who asks: seen from each record as one of the policy's columns."""

    name: str
    seen_as: dict[str, str]
    """By the record's owner: the column."""
    account_id: UUID | None = None
    email: str = ""
    born: date = BORN
    token: str = ""
    """Of the session cookie; "" for none."""
    spare_token: str = ""
    """Of another session of theirs, to be ended."""
    key: str = ""
    """What stands after `Authorization: Bearer`."""
    visa: str = ""
    """One that they hold although it no longer counts."""

    @property
    def kind(self) -> str:
        """The column for the record of the patient whom they have to do with."""
        return next(iter(self.seen_as.values()))


@dataclass(kw_only=True)
class World:
    """All of them."""

    records: dict[str, Record]
    actors: dict[str, Actor]

    def leaks(self, actor: Actor, text: str) -> set[tuple[str, str]]:
        """Which parts of whose record stand in this text and are not for this actor to see."""
        found = {(owner.lower(), part.lower()) for owner, part in CANARY.findall(text)}
        return {one for one in found if one[1] not in self.may_see(actor, one[0])}

    def may_see(self, actor: Actor, owner: str) -> frozenset[str]:
        """The parts of this record that the policy lets them find in an answer.

        What belongs to the practice belongs to the practice, whichever patient it came with.
        """
        seen = POLICY.sees.get(actor.seen_as[owner], frozenset())
        same = [
            other
            for other, record in self.records.items()
            if record.practice_id == self.records[owner].practice_id
        ]
        if any("practice" in POLICY.sees.get(actor.seen_as[other], ()) for other in same):
            seen |= {"practice"}
        return seen

    def cases(self) -> Iterator[tuple[Actor, Record]]:
        """Everybody with every record."""
        for actor in self.actors.values():
            for record in self.records.values():
                yield actor, record


def everybody() -> dict[str, Actor]:
    """The actors, with what each of them is to each of the three records."""
    stranger = {"rosa": "dx", "sara": "dx", "tara": "dx"}
    seen: dict[str, dict[str, str]] = {
        "rosa": {"rosa": "se", "sara": "ot", "tara": "fp"},
        "sara": {"sara": "se", "rosa": "ot", "tara": "fp"},
        "tara": {"tara": "se", "rosa": "fp", "sara": "fp"},
        "delegate of sara": {"sara": "dw", "rosa": "do", "tara": "fp"},
        "delegate of tara": {"tara": "dw", "rosa": "fp", "sara": "fp"},
        "delegate": {"rosa": "dw", "sara": "do", "tara": "fp"},
        "delegate for results": {**stranger, "rosa": "dr"},
        "delegate for documents": {**stranger, "rosa": "dd"},
        "delegate for messages": {"rosa": "dm", "sara": "do", "tara": "fp"},
        "delegate for sending": {**stranger, "rosa": "ds"},
        "revoked delegate": {"rosa": "rv", "sara": "rv", "tara": "rv"},
        "delegate whose time is over": stranger,
        "administrator": {"rosa": "ad", "sara": "ad", "tara": "fs"},
        "clinician": {"rosa": "cl", "sara": "cl", "tara": "fs"},
        "front desk": {"rosa": "fd", "sara": "fd", "tara": "fs"},
        "administrator elsewhere": {"rosa": "fs", "sara": "fs", "tara": "ad"},
        "staff by the patients' door": {"rosa": "pd", "sara": "pd", "tara": "pd"},
        "staff without their code": {"rosa": "nc", "sara": "nc", "tara": "nc"},
        "anonymous": {"rosa": "an", "sara": "an", "tara": "an"},
        "ended session": {"rosa": "ed", "sara": "ed", "tara": "ed"},
        "machine": {"rosa": "mk", "sara": "mk", "tara": "mf"},
        "machine elsewhere": {"rosa": "mf", "sara": "mf", "tara": "mk"},
        "operator": {"rosa": "op", "sara": "op", "tara": "mf"},
    }
    return {name: Actor(name=name, seen_as=columns) for name, columns in seen.items()}


def expected(row: Mapping[str, str], actor: Actor, owner: str) -> str:
    """The cell for this actor and this record.

    Staff and machines elsewhere are asked for as what they are at home: what their role does not
    include at their own practice, it includes at no other.
    """
    cell = row[actor.seen_as[owner]]
    at_home = row[actor.kind]
    return at_home if at_home in ".dk" and actor.seen_as[owner] in ("fs", "mf") else cell
