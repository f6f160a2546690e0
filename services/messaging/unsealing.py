"""Stored rows as the contract shows them."""

import json
from collections.abc import Iterable
from uuid import UUID

from libs.contracts.messaging.mailbox import Message
from libs.contracts.messaging.writing import Attachment, Category
from libs.contracts.messaging.writing import Draft as ShownDraft
from services.messaging.domain.draft import Draft
from services.messaging.sealing import Pen
from services.messaging.store.drafts import File, Row
from services.messaging.store.messages import Listed


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
    listed: Iterable[Listed], files: Iterable[File], pen: Pen
) -> tuple[Message, ...]:
    """A conversation's messages with their words and files, oldest first."""
    by_message: dict[UUID | None, list[File]] = {}
    for file in files:
        by_message.setdefault(file.message_id, []).append(file)
    return tuple(
        Message(
            message_id=one.message.id,
            from_practice=one.message.from_practice,
            author=pen.open_head(one.message.id, one.message.head).author,
            on_behalf=one.message.on_behalf,
            sent_at=one.message.sent_at,
            body=pen.open("body", one.message.id, one.message.body),
            attachments=shown_files(by_message.get(one.message.id, []), pen),
            unread=one.message.from_practice and not one.read,
            replied_at=one.message.replied_at,
            seen_at=one.message.seen_at,
        )
        for one in sorted(listed, key=lambda each: each.message.id)
    )
