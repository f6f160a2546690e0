"""Messages found by their words: looked up blinded, then opened and compared."""

from functools import partial
from uuid import UUID

from libs.vault.vault import Vault
from services.messaging.domain import words
from services.messaging.means import opened
from services.messaging.sealing import Pen, blinded, pens_of
from services.messaging.store import messages
from services.messaging.store.messages import Stored

AT_ONCE = 100
"""Messages that are opened at once."""
LOOKED_AT = 1_000
"""Messages that one search opens at most, the newest first."""


async def found(  # noqa: PLR0913
    vault: Vault,
    q: str,
    *,
    enough: int,
    patient_id: UUID | None = None,
    from_practice: bool | None = None,
    before: UUID | None = None,
) -> list[Stored]:
    """The newest messages that have all of these words in them, each word by how it begins."""
    asked = words.asked(q)
    kept: list[Stored] = []
    if not asked:
        return kept
    beginnings = await blinded(vault, words.beginnings(set(asked)))
    for _ in range(LOOKED_AT // AT_ONCE):
        candidates = await messages.find_messages(
            vault.db,
            vault.practice_id,
            beginnings,
            patient_id=patient_id,
            from_practice=from_practice,
            before=before,
            limit=AT_ONCE,
        )
        pens = await pens_of(vault, (one.patient_id for one in candidates))
        for one in candidates:
            before = one.id
            pen = pens.get(one.patient_id)
            if pen is None:
                continue
            text = opened(one.id, partial(_words_of, pen, one))
            if text and words.has_all(text, asked):
                kept.append(one)
        if len(kept) >= enough or len(candidates) < AT_ONCE:
            break
    return kept[:enough]


def _words_of(pen: Pen, one: Stored) -> set[str]:
    head = pen.open_head(one.id, one.head)
    return words.words_of(head.author, head.subject, pen.open("body", one.id, one.body))
