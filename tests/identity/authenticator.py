"""An authenticator in software, written from the specification (W3C WebAuthn, level 2)."""

import json
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ORIGIN = "https://portal.example.com"
PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


class Authenticator:
    """One key, in one device."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.credential = secrets.token_bytes(32)
        self.count = 0

    def create(self, options: str, *, origin: str = ORIGIN, site: str = "") -> str:
        """What a browser says of a new passkey."""
        asked = json.loads(options)
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        known = bytes(16) + len(self.credential).to_bytes(2) + self.credential + cbor2.dumps(cose)
        data = self._data(site or asked["rp"]["id"], PRESENT | VERIFIED | WITH_KEY) + known
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = _client("webauthn.create", asked["challenge"], origin)
        return self._said({"clientDataJSON": _text(client), "attestationObject": _text(statement)})

    def get(self, options: str, *, origin: str = ORIGIN, site: str = "") -> str:
        """What a browser says of a passkey that is used."""
        asked = json.loads(options)
        self.count += 1
        data = self._data(site or asked["rpId"], PRESENT | VERIFIED)
        client = _client("webauthn.get", asked["challenge"], origin)
        signed = self._key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._said(
            {
                "clientDataJSON": _text(client),
                "authenticatorData": _text(data),
                "signature": _text(signed),
            }
        )

    def _data(self, site: str, flags: int) -> bytes:
        return sha256(site.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _said(self, response: dict[str, str]) -> str:
        name = _text(self.credential)
        made: dict[str, Any] = {"id": name, "rawId": name, "type": "public-key"}
        return json.dumps(made | {"response": response, "clientExtensionResults": {}})


def _client(kind: str, challenge: str, origin: str) -> bytes:
    said = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
    return json.dumps(said).encode()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
