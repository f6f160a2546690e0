"""Forms in which somebody writes a message: what was typed is kept before anything else is done.

The page that begins a message makes up its draft's id, and its form carries that id, so that a
form that comes many times means one draft and one message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from aiohttp import web

from gateway import multipart, reading
from gateway.multipart import Incoming
from gateway.protection import fresh_key
from gateway.session import Visa
from gateway.uploads import in_chunks
from libs.contracts.base import Refused
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import (
    AddAttachmentChunk,
    Attachment,
    Category,
    Draft,
    FinishAttachment,
    RemoveAttachment,
    SaveDraft,
    SendDraft,
    Sent,
    StartAttachment,
)
from libs.runtime.broker import BROKER, ask

"""Bytes of files too large that are still read, so that the browser gets to see why."""
WITHIN = 10
WORDS: dict[str, str] = {
    Refusal.CATEGORY_MISSING: "Choose what your message is about.",
    Refusal.SUBJECT_MISSING: "Enter a subject.",
    Refusal.SUBJECT_TOO_LONG: "The subject can have up to 200 characters.",
    Refusal.BODY_MISSING: "Write your message.",
    Refusal.BODY_TOO_LONG: "Your message is too long. Shorten it, or send the rest in another one.",
    Refusal.TOO_MANY_FILES: "A message can have up to 4 files. {} was not added.",
    Refusal.FILE_TOO_LARGE: "A file can have up to 6 MB. {} is larger and was not added.",
    Refusal.FILES_TOO_LARGE: "The files of a message can have up to 10 MB in all. "
    "{} was not added.",
    Refusal.FILE_EMPTY: "{} has nothing in it and was not added.",
    Refusal.FILE_FORBIDDEN: "Files of this kind can't be sent. {} was not added. "
    "Photos, PDF, text and office documents can.",
    Refusal.FILE_CHANGED: "{} did not come whole and was not added. Choose it again.",
    Refusal.CLAIMED_BY_ANOTHER: "A colleague has claimed this conversation. "
    "Your answer is kept as a draft.",
    Refusal.TOO_MANY: "You have 100 drafts. Send or delete some of them first.",
}
FIELD = {
    Refusal.CATEGORY_MISSING: "category",
    Refusal.SUBJECT_MISSING: "subject",
    Refusal.SUBJECT_TOO_LONG: "subject",
}
"""Where a refusal is shown; at the message itself, unless said otherwise."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whose mailbox is written to, and what is answered or gone on with."""

    visa: Visa
    patient_id: UUID
    reply_to: UUID | None = None
    about: UUID | None = None
    conversation_id: UUID | None = None


@dataclass(kw_only=True)
class Form:
    """What the page shows in its form."""

    draft_id: UUID = field(default_factory=fresh_key)
    version: int = 0
    category: str = ""
    subject: str = ""
    body: str = ""
    attachments: tuple[Attachment, ...] = ()
    saved: bool = False

    @classmethod
    def of(cls, draft: Draft | None) -> "Form":
        """The form of a draft that was begun earlier, or an empty one."""
        if draft is None:
            return cls()
        return cls(
            draft_id=draft.draft_id,
            version=draft.version,
            category=draft.category or "",
            subject=draft.subject,
            body=draft.body,
            attachments=draft.attachments,
            saved=True,
        )


@dataclass(kw_only=True)
class Written:
    """What became of a form."""

    fields: dict[str, str] = field(default_factory=dict)
    draft: Draft | None = None
    errors: dict[str, str] = field(default_factory=dict)
    stale: bool = False
    """Its draft was saved elsewhere in the meantime; this is a draft of its own now."""

    @property
    def sends(self) -> bool:
        """Whether it is to be sent now: that was pressed, and nothing stands against it."""
        pressed = "remove" not in self.fields and self.fields.get("do", "send") == "send"
        return pressed and not self.errors and not self.stale

    def form(self) -> Form:
        """To be shown again, with what was typed."""
        kept = Form.of(self.draft)
        return replace(
            kept,
            category=self.fields.get("category", kept.category),
            subject=self.fields.get("subject", kept.subject),
            body=self.fields.get("body", kept.body),
        )


async def receive(request: web.Request, place: Place, written: Written) -> None:
    """Keep all that the form brings: its words first, then each of its files.

    What can't be kept is in `errors`, by the name of its field; what could be is in the draft.
    """
    files = _Files(request, place, written)
    await multipart.read(request, written.fields, files.take)
    if written.draft is None and not _blank(written.fields):
        await save(request, place, written)
    if "remove" in written.fields and written.draft:
        await _remove(request, place, written)
    elif written.draft and files.taken:
        known = {file.attachment_id for file in written.draft.attachments}
        added = tuple(file for file in files.taken if file.attachment_id not in known)
        written.draft = written.draft.model_copy(
            update={"attachments": written.draft.attachments + added}
        )


class _Files:
    """The files of one form, into its draft as they come."""

    def __init__(self, request: web.Request, place: Place, written: Written) -> None:
        self._request = request
        self._place = place
        self._written = written
        self._seen = 0
        self._drain = multipart.Drain()
        self.taken: list[Attachment] = []

    async def take(self, incoming: Incoming) -> None:
        """Keep it, or say why not; then read what is left of it."""
        self._seen += 1
        written = self._written
        try:
            if written.draft is None:
                await save(self._request, self._place, written)
            attached = await _attach(self._request, self._place, written, incoming, self._seen)
            self.taken.append(attached)
        except Refused as refused:
            if refused.code in WORDS:
                written.errors["attachments"] = WORDS[refused.code].format(incoming.file_name)
            elif refused.code != Refusal.DRAFT_SENT:  # by the same form, which came before
                raise
        await self._drain(incoming)


async def autosaved(request: web.Request, place: Place, form: Mapping[str, Any]) -> web.Response:
    """What a script keeps while somebody types, and what it needs to go on."""
    written = Written(fields={name: str(value) for name, value in form.items()})
    try:
        draft = await save(request, place, written)
    except Refused as refused:
        if refused.code not in WORDS:
            raise
        return web.json_response({"problem": WORDS[refused.code]}, status=409)
    return web.json_response(
        {
            "draft": str(draft.draft_id),
            "version": draft.version,
            "sent": draft.sent is not None,
            "elsewhere": written.stale,
        }
    )


async def save(request: web.Request, place: Place, written: Written) -> Draft:
    """The words of a form, as a draft; of its own, where its own was changed elsewhere."""
    asked = _asked(place, await place.visa(), written.fields)
    try:
        written.draft = await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code != Refusal.STALE_DRAFT:
            raise
        written.stale = True
        fresh = asked.model_copy(update={"draft_id": fresh_key(), "version": 0})
        written.draft = await ask(request.app[BROKER], fresh)
    return written.draft


async def send(
    request: web.Request, place: Place, written: Written, *, close: bool = False
) -> Sent:
    """The draft becomes a message. `Refused` where it is not whole, and then it is still there.

    Where several things are missing, the first is raised and the others are in `errors`.
    """
    missing = _missing(written, place)
    if missing or written.draft is None:
        written.errors |= {FIELD.get(code, "body"): WORDS[code] for code in missing[1:]}
        raise Refused(missing[0] if missing else Refusal.UNKNOWN_DRAFT)
    asked = SendDraft(
        visa=await place.visa(),
        patient_id=place.patient_id,
        draft_id=written.draft.draft_id,
        close=close,
    )
    return await ask(request.app[BROKER], asked, within=WITHIN)


def errors_of(refused: Refused) -> dict[str, str]:
    """A refusal in words, at its field."""
    return {FIELD.get(Refusal(refused.code), "body"): refused.worded(WORDS)}


def _blank(fields: Mapping[str, Any]) -> bool:
    """Nothing was typed: there is nothing to keep, unless it is what a draft is to be now."""
    typed = reading.text(fields, "subject") or reading.text(fields, "body")
    return not typed and not reading.text(fields, "version").strip("0")


def _missing(written: Written, place: Place) -> list[Refusal]:
    """All that is not there yet, so that it is said at once."""
    if written.draft and written.draft.sent:
        return []
    fields = written.fields
    goes_on = place.reply_to or place.conversation_id
    wanted = {
        Refusal.CATEGORY_MISSING: fields.get("category") or fields.get("about") or goes_on,
        Refusal.SUBJECT_MISSING: reading.text(fields, "subject") or goes_on,
        Refusal.BODY_MISSING: reading.text(fields, "body"),
    }
    return [code for code, there in wanted.items() if not there]


def _asked(place: Place, visa: str, fields: Mapping[str, Any]) -> SaveDraft:
    category = reading.text(fields, "category")
    return SaveDraft(
        visa=visa,
        patient_id=place.patient_id,
        draft_id=reading.form_id(fields, "draft") if fields.get("draft") else fresh_key(),
        version=reading.number(fields, "version"),
        reply_to=place.reply_to,
        about=place.about or reading.optional_id(fields, "about"),
        conversation_id=place.conversation_id,
        category=Category(category) if category in set(Category) else None,
        title=reading.raw(fields, "subject"),
        body=reading.whole(fields, "body").replace("\r\n", "\n")[:20_000],
    )


async def _attach(
    request: web.Request, place: Place, written: Written, incoming: Incoming, number: int
) -> Attachment:
    """One file into the draft. Its id is made of the form's key: the same form means it too."""
    assert written.draft  # noqa: S101
    broker, draft_id = request.app[BROKER], written.draft.draft_id
    attachment_id = uuid5(draft_id, f"{reading.key(written.fields)} {number}")
    given: dict[str, Any] = {"patient_id": place.patient_id, "draft_id": draft_id}
    start = StartAttachment(
        visa=await place.visa(),
        attachment_id=attachment_id,
        file_name=incoming.file_name,
        media_type=incoming.media_type,
        **given,
    )
    try:
        await ask(broker, start)
        count = 0
        async for data in in_chunks(incoming.pieces):
            piece = AddAttachmentChunk(
                visa=await place.visa(),
                attachment_id=attachment_id,
                number=count,
                data=data,
                **given,
            )
            await ask(broker, piece, within=WITHIN)
            count += 1
        finish = FinishAttachment(visa=await place.visa(), attachment_id=attachment_id, **given)
        return await ask(broker, finish, within=WITHIN)
    except Refused as refused:
        if refused.code in (Refusal.FILE_TOO_LARGE, Refusal.FILES_TOO_LARGE):
            gone = RemoveAttachment(visa=await place.visa(), attachment_id=attachment_id, **given)
            await ask(broker, gone)
        raise


async def _remove(request: web.Request, place: Place, written: Written) -> None:
    assert written.draft  # noqa: S101
    gone = reading.form_id(written.fields, "remove")
    asked = RemoveAttachment(
        visa=await place.visa(),
        patient_id=place.patient_id,
        draft_id=written.draft.draft_id,
        attachment_id=gone,
    )
    await ask(request.app[BROKER], asked)
    left = tuple(file for file in written.draft.attachments if file.attachment_id != gone)
    written.draft = written.draft.model_copy(update={"attachments": left})
