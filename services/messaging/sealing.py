"""What people wrote, sealed as it is kept: under the patient's data key, each piece in its place.

What is found again is blinded: for each word, eight bytes of an HMAC of how it begins, under a key
that is derived from the practice's own data key (RFC 5869).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from libs.runtime.keyring import seal, unseal
from libs.vault.vault import Vault

BLINDED = 8
"""Bytes that are kept of a blinded word: enough to tell words apart, too few to be sure of one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What a list says of a message."""

    author: str
    subject: str
    preview: str


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes and reads what belongs to one patient."""

    practice_id: UUID
    key: bytes = field(repr=False)

    def close(self, kind: str, id: UUID, text: str) -> bytes:  # noqa: A002
        """The text, sealed in its place."""
        return seal(self.key, text.encode(), belongs_to=f"{kind}|{self.practice_id}|{id}")

    def open(self, kind: str, id: UUID, sealed: bytes) -> str:  # noqa: A002
        """What was sealed in this place, or `Damaged`."""
        return unseal(self.key, sealed, belongs_to=f"{kind}|{self.practice_id}|{id}").decode()

    def close_head(self, message_id: UUID, head: Head) -> bytes:
        return self.close("head", message_id, json.dumps([head.author, head.subject, head.preview]))

    def open_head(self, message_id: UUID, sealed: bytes) -> Head:
        author, subject, preview = json.loads(self.open("head", message_id, sealed))
        return Head(author=author, subject=subject, preview=preview)


async def pens_of(vault: Vault, patient_ids: Iterable[UUID]) -> dict[UUID, Pen]:
    """The same for several; whose key was destroyed has none."""
    keys = await vault.keys_of(set(patient_ids))
    return {patient_id: Pen(vault.practice_id, key) for patient_id, key in keys.items()}


async def blinded(vault: Vault, beginnings: Iterable[str]) -> set[bytes]:
    """How words begin, as it may be kept."""
    practice_key = await vault.key_of(vault.practice_id)
    key = HKDFExpand(hashes.SHA256(), 32, b"carespace messaging words").derive(practice_key)
    return {hmac.digest(key, one.encode(), hashlib.sha256)[:BLINDED] for one in beginnings}
