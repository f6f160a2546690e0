"""The content of files that came with messages."""

from libs.contracts.base import Refused
from libs.contracts.content import Chunk
from libs.contracts.messaging.mailbox import ReadAttachment, ReadLetterFile
from libs.contracts.messaging.refusals import Refusal
from libs.vault.vault import Vault
from services.messaging.means import intact
from services.messaging.store import drafts


async def read_file(vault: Vault, asked: ReadAttachment | ReadLetterFile) -> Chunk:
    """One chunk of a file of a sent message."""
    file = await drafts.get_file(
        vault.db,
        vault.practice_id,
        asked.attachment_id,
        message_id=asked.message_id,
        patient_id=asked.patient_id,
    )
    with intact(file.id):
        opened = await vault.open(file.id)
        if not 0 <= asked.number < opened.content.chunks:
            raise Refused(Refusal.UNKNOWN_FILE)
        data = await vault.read(opened, asked.number)
    return Chunk(data=data, last=asked.number == opened.content.chunks - 1)
