"""The rules of a record that is sent: what locks it, how long it lasts, and what its link says."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.exports import Kind
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    NOTES_LIMIT,
    PASSWORD_AT_LEAST,
    PASSWORD_AT_MOST,
    TRIES,
    Addressee,
    SendingState,
)
from libs.strength import Strength, strength
from services.records.domain.patient import address, is_plain

SILENCE = timedelta(seconds=30)
"""After this long without a word from whoever packs it, it is not being packed any more."""
OPENER_LIMIT = 200
"""Characters; what is longer is cut."""
_LINK = 16 + 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What deriving a key from a password takes (RFC 9106, section 4, second recommendation)."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """A record that was sent."""

    practice_id: UUID
    id: UUID
    patient_id: UUID
    account_id: UUID
    sender: str
    key: UUID
    recipient: str
    kinds: frozenset[Kind]
    start_day: date | None
    end_day: date | None
    results: int
    documents: int
    messages: int
    size: int
    salt: bytes = field(repr=False)
    cost: Cost
    wrapped: bytes | None = field(repr=False)
    notes: bytes = field(repr=False)
    state: SendingState
    tries: int = 0
    sent_at: datetime
    heard_at: datetime
    expires_at: datetime
    opened_at: datetime | None = None
    note: bytes | None = field(default=None, repr=False)
    note_to: Addressee = Addressee.SENDER
    noted_at: datetime | None = None

    def standing(self, *, now: datetime) -> SendingState:
        """Where it stands now, also where nobody has noted yet that it is over."""
        if self.state in (SendingState.REVOKED, SendingState.FAILED, SendingState.EXPIRED):
            return self.state
        if self.state is SendingState.PACKING:
            lost = now - self.heard_at > SILENCE
            return SendingState.FAILED if lost else SendingState.PACKING
        if now >= self.expires_at:
            return SendingState.EXPIRED
        if self.state is SendingState.LOCKED:
            return SendingState.LOCKED
        return SendingState.OPENED if self.opened_at else SendingState.SENT

    def assure_open(self, *, now: datetime) -> None:
        """It can be unlocked, or was; else why not."""
        match self.standing(now=now):
            case SendingState.SENT | SendingState.OPENED:
                return
            case SendingState.LOCKED:
                raise Refused(Refusal.SENDING_LOCKED)
            case _:
                raise Refused(Refusal.SENDING_OVER)

    @property
    def tries_left(self) -> int:
        return max(0, TRIES - self.tries)


def password(text: str, known: Iterable[str] = ()) -> str:
    """A password that can lock a record: long enough, to be said by phone, and not guessed, not
    even by whoever knows what lies beside the lock.
    """
    if len(text) < PASSWORD_AT_LEAST:
        raise Refused(Refusal.PASSWORD_TOO_SHORT)
    if len(text) > PASSWORD_AT_MOST or not is_plain(text):
        raise Refused(Refusal.PASSWORD_NOT_USABLE)
    if strength(text, known) is Strength.GUESSABLE:
        raise Refused(Refusal.PASSWORD_GUESSABLE)
    return text


def recipient(text: str) -> str:
    """The one address that a record is sent to."""
    if not (found := address(text)):
        raise Refused(Refusal.EMAIL_MISSING)
    return found


def notes(text: str) -> str:
    """What is written beside it, with its lines."""
    written = text.replace("\r\n", "\n").strip()
    if len(written) > NOTES_LIMIT:
        raise Refused(Refusal.NOTES_TOO_LONG)
    if not is_plain(written, besides="\n\t"):
        raise Refused(Refusal.NOTES_NOT_USABLE)
    return written


def opener(text: str) -> str:
    """What software calls whoever it opens a record for; "" for what is no name."""
    said = " ".join(text.split())
    return said[:OPENER_LIMIT] if is_plain(said) else ""


def token(sending: Sending, secret: bytes) -> str:
    """What its link ends with: its id, and a seal that only the secret's holder can make.

    64 characters, of which 256 bits can't be guessed (SMART Health Links, manifest URL).
    """
    seal = _seal("sent record", sending, secret)
    return urlsafe_b64encode(sending.id.bytes + seal).decode()


def link_key(sending: Sending, secret: bytes) -> bytes:
    """Under which files travel to software that was given its SMART Health Link: 32 bytes.

    It opens nothing of what is stored.
    """
    return _seal("health link", sending, secret)


def ticket_key(sending: Sending, secret: bytes) -> bytes:
    """Under which a recipient's browser keeps what it was handed: 32 bytes that no link shows."""
    return _seal("sent ticket", sending, secret)


def id_of(written: str) -> UUID:
    """The sending that a link names, whether or not it may."""
    try:
        raw = urlsafe_b64decode(written)
    except (NotBase64, ValueError):
        raise Refused(Refusal.UNKNOWN_SENDING) from None
    if len(raw) != _LINK:
        raise Refused(Refusal.UNKNOWN_SENDING)
    return UUID(bytes=raw[:16])


def assure_sealed(written: str, sending: Sending, secret: bytes) -> None:
    """The link was made by us."""
    if not hmac.compare_digest(written.encode(), token(sending, secret).encode()):
        raise Refused(Refusal.UNKNOWN_SENDING)


def _seal(what: str, sending: Sending, secret: bytes) -> bytes:
    said = f"carespace {what}|{sending.practice_id}|{sending.id}"
    return hmac.digest(secret, said.encode(), "sha256")
