"""A result as one row: in what a database can hold, and when another row replaces it."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from libs.contracts.records.health import Flag, Status
from services.records.domain import labs
from services.records.domain.result import Moment, Precision, Result, ValueKind

MOST_DIGITS = 100
"""A number with more places than this, before or after its point, is only text."""
MARK = "\N{REPLACEMENT CHARACTER}"


class Kept(NamedTuple):
    """What a result says, column by column."""

    source_id: str
    digest: str
    test_key: str
    system: str
    code: str
    name: str
    kind: ValueKind
    value: str
    number: Decimal | None
    comparator: str
    unit: str
    range_low: Decimal | None
    range_high: Decimal | None
    range_text: str
    flag: Flag
    status: Status
    rank: int
    collected_at: datetime | None
    precision: Precision
    zoned: bool
    issued_at: datetime | None
    specimen: str
    performer: str
    orderer: str
    comment: str

    @property
    def is_gone(self) -> bool:
        """It was taken back, and is the latest of nothing."""
        return self.rank >= labs.GONE

    @property
    def is_hidden(self) -> bool:
        """It was never true, or there is nothing of it to show."""
        return self.rank >= labs.WITHDRAWN

    @property
    def is_bare(self) -> bool:
        """It says neither a value nor why there is none."""
        return self.kind is ValueKind.ABSENT and not self.value


class Known(NamedTuple):
    """A result that is kept already, as far as another one has to know."""

    id: UUID
    digest: str
    said: tuple[str, ...]
    """The digests of all that it said before."""
    rank: int
    issued_at: datetime | None
    test_key: str


def kept(result: Result) -> Kept:
    """A result as a row; the digest tells what it says from all else that it could say."""
    value, band, collected = result.value, labs.usable_range(result), result.collected
    code = result.code
    says = (
        labs.test_key(result),
        storable(code.system),
        storable(code.code),
        storable(result.name or code.display or code.code),
        value.kind,
        storable(value.text),
        _number(value.number),
        value.comparator,
        storable(value.unit),
        _number(band.low) if band else None,
        _number(band.high) if band else None,
        storable(labs.range_text(result)),
        labs.flag(result),
        labs.STATUS[result.status],
        labs.RANK[result.status],
        _utc(collected),
        collected.precision if collected else Precision.INSTANT,
        collected.zoned if collected else True,
    )
    about = (
        storable(result.specimen),
        storable(result.performer),
        storable(result.orderer),
        storable(result.comment),
    )
    digest = hashlib.blake2b(repr((says, about)).encode(), digest_size=16).hexdigest()
    return Kept(storable(result.source_id), digest, *says, _utc(result.issued), *about)


def as_first(row: Kept) -> Kept:
    """A result of which nothing is known yet; hidden, where it only says that it is taken back."""
    return row._replace(rank=labs.WITHDRAWN) if row.is_gone and row.is_bare else row


def is_news(new: Kept, known: Known) -> bool:
    """It says something that this result has not said, and was not overtaken on its way."""
    if new.digest == known.digest:
        return False
    if new.issued_at and known.issued_at and new.issued_at != known.issued_at:
        is_later = new.issued_at > known.issued_at
        return is_later and not (labs.is_tentative(new.rank) and labs.is_final(known.rank))
    return new.rank >= known.rank and new.digest not in known.said


def key(patient_id: UUID, source_id: str) -> UUID:
    """What tells a result of a source from every other: the same one has it every time."""
    said = f"{patient_id} {source_id}".encode()
    return UUID(bytes=hashlib.blake2b(said, digest_size=16).digest())


def storable(text: str) -> str:
    """The text with a mark in place of what is no character: NUL, and halves of characters."""
    if text.isascii():
        return text.replace("\0", MARK) if "\0" in text else text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", MARK)


def _number(number: Decimal | None) -> Decimal | None:
    """A number as it was written; one that is none (NaN, Infinity), or is endless, is only text."""
    if number is None or not number.is_finite():
        return None
    exponent = number.as_tuple().exponent
    is_endless = abs(number.adjusted()) > MOST_DIGITS or (
        isinstance(exponent, int) and -exponent > MOST_DIGITS
    )
    return None if is_endless else number


def _utc(moment: Moment | None) -> datetime | None:
    return moment.at.astimezone(UTC) if moment else None
