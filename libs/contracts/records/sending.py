"""Send Record: a selection, locked with a password, at a link that goes to anybody.

What is sent is sealed under a key that only the password opens. Neither is kept: who asks for a
piece of it shows once more what they were handed for the password.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.content import Chunk
from libs.contracts.identity.practices import Practice
from libs.contracts.records.exports import Counted, Format, Kind, Selection

PASSWORD_AT_LEAST = 12
PASSWORD_AT_MOST = 200
NOTES_LIMIT = 1_000
"""Characters of what the sender writes beside it, and of what the recipient writes back."""
DAYS = 30
"""How long a link works, unless a shorter time is chosen."""
OPEN_AT_ONCE = 20
"""Sent records of one patient that are kept at the same time; each is a copy of what it holds."""
TRIES = 5
"""Wrong passwords that lock it, whatever right ones came between."""


class SendingState(StrEnum):
    """Where a sent record stands."""

    PACKING = "packing"
    SENT = "sent"
    OPENED = "opened"
    LOCKED = "locked"
    """There were too many wrong passwords."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    FAILED = "failed"
    """It could not be finished; no letter went out."""


class Addressee(StrEnum):
    """Whom a recipient writes back to."""

    SENDER = "sender"
    CARE_TEAM = "care_team"


class Sending(Reply):
    """A record that was sent, as its senders see it."""

    sending_id: UUID
    recipient: str = Field(repr=False)
    sender: str = Field(repr=False)
    sender_id: UUID
    kinds: frozenset[Kind]
    start: date | None
    end: date | None
    holds: Counted
    state: SendingState
    sent_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    """For the first time."""
    note: str = Field(repr=False)
    """What the recipient wrote back; "" for nothing."""
    note_to: Addressee
    noted_at: datetime | None
    token: str = Field(repr=False)
    """What its link ends with; "" for one that opens nothing."""
    link_key: bytes = Field(repr=False)
    """Under which files travel to software that has its SMART Health Link."""
    packed: int = 0
    """Bytes of its documents that are in it by now, while it is packed."""


class Sendings(Reply):
    """The newest first."""

    sendings: tuple[Sending, ...]


class ListSendings(Request[Sendings]):
    """What was sent of this record, for whoever may send it."""

    subject = "request.records.list_sendings"
    visa: str = Field(repr=False)
    patient_id: UUID


class SentOff(Reply):
    """It is being packed; the letter goes out once it is whole."""

    sending_id: UUID


class SendRecord(Request[SentOff]):
    """Pack a selection, lock it, and write to the recipient. The same key again sends nothing more.

    The passport has to say that its holder has proved who they are in the last minutes.
    """

    subject = "request.records.send_record"
    visa: str = Field(repr=False)
    passport: str = Field(repr=False)
    patient_id: UUID
    key: UUID
    recipient: str = Field(repr=False)
    selection: Selection
    notes: str = Field(default="", repr=False)
    password: str = Field(repr=False)
    days: int = Field(default=DAYS, ge=1, le=DAYS)


class RevokeSending(Request[Done]):
    """From here on its link opens nothing; what was stored is gone."""

    subject = "request.records.revoke_sending"
    visa: str = Field(repr=False)
    patient_id: UUID
    sending_id: UUID


class Door(Reply):
    """What a link says before a password is typed: nothing of the patient."""

    practice: Practice
    state: SendingState
    expires_at: datetime
    tries_left: int
    link_key: bytes = Field(repr=False)
    """Under which files travel to software that has its SMART Health Link."""


class ShowDoor(Request[Door]):
    """What stands at a link. One that was never made is refused as `UNKNOWN_SENDING`."""

    subject = "request.records.show_door"
    token: str = Field(repr=False)


class Offered(Reply):
    """A file that can be taken."""

    format: Format
    file_name: str = Field(repr=False)
    media_type: str
    size: int


class Unlocked(Reply):
    """What is behind the door."""

    key: bytes = Field(repr=False)
    """Opens each piece for half an hour. It is the recipient's to keep, and nobody else's."""
    patient: str = Field(repr=False)
    birth_date: date = Field(repr=False)
    practice: Practice
    sender: str = Field(repr=False)
    notes: str = Field(repr=False)
    holds: Counted
    files: tuple[Offered, ...]
    expires_at: datetime
    noted: bool
    sending_id: UUID | None = None


class Unlock(Request[Unlocked]):
    """With the password; or with the key, by somebody who has unlocked it already.

    The key in the answer is a new one and holds for as long as the first did.
    """

    subject = "request.records.unlock"
    token: str = Field(repr=False)
    password: str = Field(default="", repr=False)
    key: bytes = Field(default=b"", repr=False)
    opener: str = Field(default="", repr=False)
    """As software calls whoever it opens it for; the log has it."""


class ReadSending(Request[Chunk]):
    """Chunk `number` of a file that is offered, counted from 0."""

    subject = "request.records.read_sending"
    token: str = Field(repr=False)
    key: bytes = Field(repr=False)
    format: Format
    number: int


class WriteBack(Request[Done]):
    """A note from the recipient, once: to whoever sent it, or as a message to the care team."""

    subject = "request.records.write_back"
    token: str = Field(repr=False)
    key: bytes = Field(repr=False)
    note: str = Field(repr=False)
    to: Addressee = Addressee.SENDER


class SendingLetter(Reply):
    """What the letter to a recipient needs. `SENDING_OVER`: do not send it."""

    email: str = Field(repr=False)
    practice: Practice
    path: str = Field(repr=False)
    expires_at: datetime


class DescribeSending(Request[SendingLetter]):
    """Where a record that was sent can be opened."""

    subject = "request.records.describe_sending"
    askers = ("notifier",)
    practice_id: UUID
    sending_id: UUID


class Sender(Reply):
    """Whom to tell of a record that was sent, and where it is listed."""

    account_id: UUID
    patient_id: UUID | None = None
    path: str


class DescribeSender(Request[Sender]):
    """Who sent it."""

    subject = "request.records.describe_sender"
    askers = ("notifier",)
    practice_id: UUID
    sending_id: UUID


class NoteBack(Reply):
    """What a recipient wrote to the care team."""

    patient_id: UUID
    recipient: str = Field(repr=False)
    note: str = Field(repr=False)


class DescribeNote(Request[NoteBack]):
    """The note, to be put among the messages. `UNKNOWN_SENDING`: there is none."""

    subject = "request.records.describe_note"
    askers = ("messaging",)
    practice_id: UUID
    sending_id: UUID


class CareTeamNoted(Event):
    """A recipient has written to the care team about a record that was sent to them."""

    subject = "event.records.care_team_noted"
    followers = ("messaging",)
    practice_id: UUID
    sending_id: UUID


class RecordSent(Event):
    """A record is packed, and its recipient is to be written to."""

    subject = "event.records.record_sent"
    followers = ("notifier",)
    practice_id: UUID
    sending_id: UUID


class SendingEnded(Event):
    """It was taken back or is locked: whoever reads it at this moment reads no further."""

    subject = "event.records.sending_ended"
    listeners = ("gateway",)
    practice_id: UUID
    sending_id: UUID


class SendingTold(Event):
    """Its sender is to be told: it is locked, or the recipient has written back."""

    subject = "event.records.sending_told"
    followers = ("notifier",)
    practice_id: UUID
    sending_id: UUID
    state: SendingState
    """`locked`; or `opened`, by somebody who has written back."""
