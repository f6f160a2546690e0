"""Keys that protect keys: data keys are wrapped under the newest of a ring of master keys.

The ring is a file of lines `<id> <base64 of 32 bytes>`, the newest last. Content is AES-256-GCM
under a data key; what the content belongs to is bound to it as associated data, so that a piece
moved elsewhere does not open.
"""

import base64
import os
from collections.abc import Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
"""Bytes; random for each piece (NIST SP 800-38D, 8.2.2)."""


class Damaged(Exception):
    """What is stored does not open: changed, cut short, moved, or of another key."""


class KeyRing:
    """The master keys, by id; the last one wraps, all of them unwrap."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys.values()):  # noqa: PLR2004
            raise ValueError("a key ring needs at least one key, each of 32 bytes")
        self._keys = dict(keys)
        self.newest = list(self._keys)[-1]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """A ring from its file's text."""
        pairs = (line.split() for line in text.splitlines() if line.strip())
        return cls({name: base64.b64decode(key) for name, key in pairs})

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._keys

    def __iter__(self) -> Iterator[str]:
        """The keys' ids, the newest last."""
        return iter(self._keys)

    def wrap(self, data_key: bytes, *, belongs_to: str) -> tuple[str, bytes]:
        """The data key, wrapped, and the id of the master key that did it."""
        return self.newest, seal(self._keys[self.newest], data_key, belongs_to=belongs_to)

    def unwrap(self, key_id: str, wrapped: bytes, *, belongs_to: str) -> bytes:
        """The data key, or `Damaged`, also when its master key is not on the ring."""
        if key_id not in self._keys:
            raise Damaged
        return unseal(self._keys[key_id], wrapped, belongs_to=belongs_to)


def new_data_key() -> bytes:
    """256 random bits."""
    return AESGCM.generate_key(bit_length=256)


def seal(key: bytes, plain: bytes, *, belongs_to: str) -> bytes:
    """Nonce and ciphertext, bound to what it belongs to."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, belongs_to.encode())


def unseal(key: bytes, sealed: bytes, *, belongs_to: str) -> bytes:
    """What was sealed, or `Damaged`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], belongs_to.encode())
    except (InvalidTag, ValueError):
        raise Damaged from None
