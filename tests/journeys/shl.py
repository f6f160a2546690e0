"""A SMART Health Link client, written from the specification and sharing no code with the portal.

HL7 FHIR Implementation Guide "SMART Health Cards and Links", STU 1, and RFC 7516 for compact JWE.
"""

import base64
import json
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Payload:
    """What a link says before anything is asked."""

    url: str
    key: bytes
    exp: int
    flag: str
    label: str


def payload(shlink: str) -> Payload:
    prefix, _, encoded = shlink.partition("shlink:/")
    assert prefix == "" or prefix.endswith("#")
    said = json.loads(_decoded(encoded))
    assert len(said["url"]) <= 128
    assert len(said["key"]) == 43
    assert len(said["label"]) <= 80
    assert said.get("v", 1) == 1
    return Payload(
        url=said["url"],
        key=_decoded(said["key"]),
        exp=said["exp"],
        flag=said["flag"],
        label=said["label"],
    )


def manifest(link: Payload, passcode: str, **more: Any) -> Answer:
    asked = {"recipient": "St. Anna Hospital", "passcode": passcode} | more
    return posts(link.url, json.dumps(asked).encode())


def files(link: Payload, answer: Answer) -> list[Any]:
    """What the manifest names, fetched and decrypted."""
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    found = []
    for file in answer.json()["files"]:
        assert file["contentType"] == "application/fhir+json"
        assert ("embedded" in file) != ("location" in file)
        if "location" in file:
            fetched = asks(Request(file["location"]))
            assert fetched.status == 200
            assert fetched.headers["content-type"] == "application/jose"
            jwe = fetched.body.decode()
        else:
            jwe = file["embedded"]
        found.append(json.loads(decrypted(jwe, link.key)))
    return found


def decrypted(jwe: str, key: bytes) -> bytes:
    protected, encrypted_key, nonce, sealed, tag = jwe.split(".")
    header = json.loads(_decoded(protected))
    assert (header["alg"], header["enc"]) == ("dir", "A256GCM")
    assert header["cty"] == "application/fhir+json"
    assert encrypted_key == ""
    return AESGCM(key).decrypt(
        _decoded(nonce), _decoded(sealed) + _decoded(tag), protected.encode("ascii")
    )


def posts(url: str, body: bytes) -> Answer:
    return asks(Request(url, data=body, headers={"content-type": "application/json"}))


def asks(request: Request) -> Answer:
    try:
        with urlopen(request, timeout=30) as response:  # 127.0.0.1
            return _answer(response)
    except HTTPError as error:
        return _answer(error)


def _answer(response: HTTPResponse | HTTPError) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status or 0, headers, response.read())


def _decoded(text: str) -> bytes:
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
