"""SMART Health Links (HL7 FHIR Implementation Guide "SMART Health Cards and Links", STU 1).

What software needs to fetch a record is one text, `shlink:/…`: where to ask, and the key under
which the file travels. Asking takes the password besides.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from os import urandom

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from libs.runtime.keyring import NONCE, Damaged, seal, unseal

PREFIX = "shlink:/"
MANIFEST_LIMIT = 128
"""Characters of the manifest's address."""
TOKEN = 64
"""Characters of a token: a sending's id and what proves it, in base64url."""
LONGEST_ADDRESS = MANIFEST_LIMIT - len("/shl/") - TOKEN
"""Characters that the portal's own address may have."""
LABEL_LIMIT = 80
TICKET_LASTS = timedelta(minutes=10)
"""The specification allows an hour at most."""
TAG = 16
GROUP = 3
"""Bytes that make four letters of base64, so that pieces can be written one after another."""


def link(public_url: str, token: str, key: bytes, *, expires_at: datetime, practice: str) -> str:
    """What is handed to software; "" where the portal's own address is too long for one."""
    manifest = f"{public_url}/shl/{token}"
    if not token or len(manifest) > MANIFEST_LIMIT:
        return ""
    payload = {
        "url": manifest,
        "key": _base64(key),
        "exp": int(expires_at.timestamp()),
        "flag": "P",
        "label": f"Health record from {practice}"[:LABEL_LIMIT],
        "v": 1,
    }
    said = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return PREFIX + _base64(said.encode())


def ticket(link_key: bytes, token: str, key: bytes, *, now: datetime) -> str:
    """Fetches the file for a while, without the password that was typed for it."""
    ends = int((now + TICKET_LASTS).timestamp())
    return _base64(seal(link_key, ends.to_bytes(8, "big") + key, belongs_to=_belongs(token)))


def redeem(link_key: bytes, token: str, written: str, *, now: datetime) -> bytes | None:
    """The key in a ticket, if it is one of this link and still holds."""
    try:
        raw = urlsafe_b64decode(written + "=" * (-len(written) % 4))
        plain = unseal(link_key, raw, belongs_to=_belongs(token))
    except (Damaged, NotBase64, ValueError):
        return None
    return plain[8:] if now.timestamp() < int.from_bytes(plain[:8], "big") else None


def length(size: int) -> int:
    """Characters of the JWE around a file of so many bytes."""
    parts = (len(_header()), 0, _letters(NONCE), _letters(size), _letters(TAG))
    return sum(parts) + len(parts) - 1


async def jwe(link_key: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A file as compact JWE (RFC 7516, 7.1; `dir` and `A256GCM`), piece by piece."""
    header, nonce = _header().encode(), urandom(NONCE)
    encryptor = Cipher(algorithms.AES(link_key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(header)
    yield header + b".." + _base64(nonce).encode() + b"."
    rest = b""
    async with aclosing(pieces):
        async for piece in pieces:
            sealed = rest + encryptor.update(piece)
            whole = len(sealed) // GROUP * GROUP
            rest = sealed[whole:]
            yield urlsafe_b64encode(sealed[:whole])
    yield _base64(rest + encryptor.finalize()).encode()
    yield b"." + _base64(encryptor.tag).encode()


def _header() -> str:
    said = {"alg": "dir", "enc": "A256GCM", "cty": "application/fhir+json"}
    return _base64(json.dumps(said, separators=(",", ":")).encode())


def _letters(size: int) -> int:
    """Of base64 without padding, for so many bytes."""
    return -(-size * 4 // 3)


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _belongs(token: str) -> str:
    return f"health link ticket|{token}"
