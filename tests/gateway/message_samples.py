"""Made-up messages, as both sides see them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from gateway.pages.staff_message_settings import Route
from gateway.writing import WORDS, Form
from libs.contracts.identity.staff import Colleague
from libs.contracts.messaging.announcements import Choice, Frequency
from libs.contracts.messaging.mailbox import (
    Conversation,
    Inbox,
    Message,
    Received,
    SentLine,
    SentList,
)
from libs.contracts.messaging.queue import Case, CaseFile, Entry, Note, Queue, Shown, Step, Waiting
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import Template
from libs.contracts.messaging.writing import Attachment, Category
from libs.contracts.visa import Role
from tests.gateway.samples import NOW, PATIENT, PRACTICE, ROSA

NORA = "Nora Lindqvist, RN"
USUAL = "We usually answer within 24 hours."
LEAFLET = Attachment(
    attachment_id=UUID(int=9),
    file_name="Managing tiredness during treatment, with a rather long name.pdf",
    media_type="application/pdf",
    size=96_000,
    viewable=True,
)


def received(number: int, subject: str, *, unread: bool, **other: Any) -> Received:
    said: dict[str, Any] = {
        "message_id": UUID(int=number),
        "conversation_id": UUID(int=100 + number),
        "sender": NORA,
        "subject": subject,
        "category": Category.HEALTH,
        "sent_at": NOW - timedelta(days=number),
        "attachments": 0,
        "unread": unread,
    }
    return Received(**said | other)


CHOICES = [(PRACTICE, Choice(frequency=Frequency.DAILY, quiet_from=21, quiet_until=7))]
LINES = (
    received(1, "Your CT results, and what comes next", unread=True, attachments=1),
    received(2, "Ondansetron refill is ready", unread=True, category=Category.RX),
    received(3, "Mouth sores: what to try first", unread=False, replied_at=NOW),
    received(4, "", unread=True, sender=""),
)
FROM_ROSA = SentLine(
    message_id=UUID(int=5),
    conversation_id=UUID(int=101),
    author="Ana Ruiz",
    on_behalf=True,
    subject="Iron tablets on infusion day",
    category=Category.RX,
    sent_at=NOW,
    attachments=2,
    seen_at=NOW,
)


def folder(name: str, **said: Any) -> dict[str, Any]:
    return {"folder": name, "drafts": 1, "usual": USUAL, "q": ""} | said


INBOX = folder("inbox", listed=Inbox(messages=LINES, unread=2, drafts=1, after="more"), lines=LINES)
EMPTY = folder("inbox", listed=Inbox(messages=(), unread=0, drafts=0), lines=())
SENT = folder(
    "sent", listed=SentList(messages=(FROM_ROSA,), drafts=1), lines=(FROM_ROSA,), q="iron"
)
AWAY = folder("inbox", listed=None, lines=())


def message(number: int, body: str, **other: Any) -> Message:
    said: dict[str, Any] = {
        "message_id": UUID(int=number),
        "from_practice": False,
        "author": "Rosa Alvarez",
        "on_behalf": False,
        "sent_at": NOW - timedelta(hours=10 - number),
        "body": body,
    }
    return Message(**said | other)


ASKED = message(1, "Hello.\n\nShould I worry?\nI feel tired.", seen_at=NOW)
TOLD = message(
    2, "No. It goes the right way.", from_practice=True, author=NORA, attachments=(LEAFLET,)
)
DAMAGED = message(4, "", from_practice=True, author="")
FOR_ROSA = message(3, "Mom says thank you.", author="Ana Ruiz", on_behalf=True)


def conversation(*messages: Message, **said: Any) -> Conversation:
    return Conversation(
        conversation_id=UUID(int=101),
        subject="Your blood counts before cycle 7",
        category=Category.HEALTH,
        messages=messages,
        answer_within_hours=24,
        **said,
    )


AROUND: dict[str, Any] = {
    "answer": None,
    "replied": None,
    "already": False,
    "stale": False,
    "errors": {},
    "usual": USUAL,
    "form": Form(),
}
CONVERSATION = AROUND | {
    "shown": conversation(ASKED, TOLD, may_reply_to=TOLD.message_id, before="earlier"),
    "answer": TOLD,
}
REPLIED = AROUND | {
    "shown": conversation(ASKED, TOLD.model_copy(update={"replied_at": NOW}), FOR_ROSA, DAMAGED),
    "replied": NOW,
    "already": True,
}
COMPOSE: dict[str, Any] = {
    "form": Form(),
    "errors": {},
    "stale": False,
    "about": None,
    "about_subject": "",
    "usual": {"rx": "We usually answer within 4 hours.", "health": USUAL},
}
ERRORS = COMPOSE | {
    "form": Form(category="rx", body="Too long", attachments=(LEAFLET,), saved=True),
    "errors": {
        "subject": WORDS[Refusal.SUBJECT_MISSING],
        "body": WORDS[Refusal.BODY_TOO_LONG],
        "attachments": WORDS[Refusal.FILE_TOO_LARGE].format("holiday.mov"),
    },
    "about": TOLD.message_id,
    "about_subject": "Your blood counts before cycle 7",
}
WAITS = Case(
    conversation_id=UUID(int=101),
    patient_id=PATIENT,
    subject="Out of Zofran",
    preview="I took the last one this morning and feel sick again…",
    category=Category.RX,
    team="Pharmacy",
    open=True,
    waiting_since=NOW - timedelta(days=400),
    due_at=NOW - timedelta(days=399),
    on_behalf="Ana Ruiz",
    last_at=NOW,
)
ANSWERED = WAITS.model_copy(
    update={
        "patient_id": UUID(int=7),
        "waiting_since": None,
        "due_at": None,
        "claimed_by": UUID(int=8),
        "claimed_name": NORA,
        "on_behalf": "",
    }
)
QUEUE: dict[str, Any] = {
    "listed": Queue(
        cases=(WAITS, ANSWERED),
        counts=Waiting(unclaimed=5, late=1, mine=2, open=11),
        teams=("Nurses", "Pharmacy"),
        after="more",
    ),
    "people": {PATIENT: ROSA},
    "shown": Shown.OPEN,
    "query": {"category": "rx"},
}
TEMPLATES = (
    Template(template_id=UUID(int=3), name="Refill", text="It is at your pharmacy.\n\nNora"),
)
CASE: dict[str, Any] = {
    "shown": CaseFile(
        case=WAITS,
        messages=(ASKED.model_copy(update={"attachments": (LEAFLET,)}), FOR_ROSA),
        notes=(Note(note_id=UUID(int=1), author=NORA, written_at=NOW, text="Called\nthe lab"),),
        history=(Entry(step=Step.HANDED_OVER, by=NORA, to="Ben Okafor, RN", at=NOW),),
        teams=("Nurses", "Pharmacy"),
    ),
    "case": WAITS,
    "person": ROSA,
    "mine": False,
    "administrator": False,
    "templates": TEMPLATES,
    "form": Form(),
    "colleagues": [Colleague(account_id=UUID(int=2), name="Ben Okafor, RN", role=Role.CLINICIAN)],
    "stale": False,
    "errors": {"note": "Write the note."},
    "noted": "",
}
HELD = CASE | {
    "case": WAITS.model_copy(update={"claimed_by": UUID(int=9), "claimed_name": NORA}),
    "administrator": True,
}
NEW: dict[str, Any] = {
    "person": ROSA,
    "form": Form(),
    "errors": {"category": WORDS[Refusal.CATEGORY_MISSING]},
    "stale": True,
}
NOT_HERE = ROSA.model_copy(update={"active": False})
DEACTIVATED = CASE | {"person": NOT_HERE}
NEW_DEACTIVATED = NEW | {"person": NOT_HERE, "errors": {}, "stale": False}
SETTINGS: dict[str, Any] = {
    "administrator": True,
    "routing": [
        Route(category="rx", team="Pharmacy", hours="4"),
        Route(category="health", team="Nurses", hours="x"),
    ],
    "teams": "Nurses\nPharmacy",
    "templates": TEMPLATES,
    "prepared": {"name": "", "text": ""},
    "errors": {"hours_health": "Enter the hours as a number from 1 to 336."},
}
