"""Stored rows as the contract shows them."""

import json
from collections.abc import Iterable
from uuid import UUID

from libs.contracts.messaging.mailbox import Message
from libs.contracts.messaging.writing import Attachment, Category
from libs.contracts.messaging.writing import Draft as ShownDraft
from services.messaging.domain.draft import Draft
from services.messaging.means import opened
from services.messaging.sealing import Pen
from services.messaging.store.drafts import File, Row
from services.messaging.store.messages import Listed, Stored

Words = tuple[str, str, tuple[Attachment, ...]]


def draft_of(row: Row, pen: Pen) -> Draft:
    """A draft with its words."""
    subject, body = (
        json.loads(pen.open("draft", row["id"], row["words"])) if row["words"] else ("", "")
    )
    return Draft(
        practice_id=row["practice_id"],
        account_id=row["account_id"],
        id=row["id"],
        patient_id=row["patient_id"],
        version=row["version"],
        saved_at=row["saved_at"],
        reply_to=row["reply_to"],
        about=row["about"],
        conversation_id=row["conversation_id"],
        category=Category(row["category"]) if row["category"] else None,
        subject=subject,
        body=body,
        sent=row["sent"],
    )


def words_of(draft: Draft, pen: Pen) -> bytes:
    """A draft's words, sealed."""
    return pen.close("draft", draft.id, json.dumps([draft.subject, draft.body]))


def shown_draft(draft: Draft, files: Iterable[File], pen: Pen) -> ShownDraft:
    return ShownDraft(
        draft_id=draft.id,
        version=draft.version,
        saved_at=draft.saved_at,
        reply_to=draft.reply_to,
        about=draft.about,
        conversation_id=draft.conversation_id,
        category=draft.category,
        subject=draft.subject,
        body=draft.body,
        attachments=shown_files(files, pen),
        sent=draft.sent,
    )


def shown_file(file: File, pen: Pen) -> Attachment:
    return Attachment(
        attachment_id=file.id,
        file_name=pen.open("file name", file.id, file.file_name),
        media_type=file.media_type,
        size=file.size,
        viewable=file.viewable,
    )


def shown_files(files: Iterable[File], pen: Pen) -> tuple[Attachment, ...]:
    """Those that have come whole."""
    return tuple(shown_file(file, pen) for file in files if file.finished)


def shown_messages(
    listed: Iterable[Listed], files: Iterable[File], pen: Pen | None
) -> tuple[Message, ...]:
    """A conversation's messages, oldest first, with the words and files that can be opened."""
    by_message: dict[UUID | None, list[File]] = {}
    for file in files:
        by_message.setdefault(file.message_id, []).append(file)
    return tuple(
        _shown(one, by_message.get(one.message.id, []), pen)
        for one in sorted(listed, key=lambda each: each.message.id)
    )


def _shown(one: Listed, files: Iterable[File], pen: Pen | None) -> Message:
    message = one.message
    author, body, attachments = (
        pen and opened(message.id, lambda: _words(message, files, pen))
    ) or ("", "", ())
    return Message(
        message_id=message.id,
        from_practice=message.from_practice,
        author=author,
        on_behalf=message.on_behalf,
        sent_at=message.sent_at,
        body=body,
        attachments=attachments,
        unread=message.from_practice and not one.read,
        replied_at=message.replied_at,
        seen_at=message.seen_at,
    )


def _words(message: Stored, files: Iterable[File], pen: Pen) -> Words:
    """Who wrote it, what, and the files with it."""
    author = pen.open_head(message.id, message.head).author
    return author, pen.open("body", message.id, message.body), shown_files(files, pen)
