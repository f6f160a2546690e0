"""How NATS is reached: with a key of one's own, and by TLS where an address says `tls://`.

The handshake comes before anything else on the line. Left to itself, nats-py waits for the server
to ask for TLS, and whoever sits between the two could leave that word out.
"""

import ssl
from typing import Annotated, Any

from faststream.nats.security import NatsNKey, NatsSecurity
from pydantic import AfterValidator


def _read(certificates: str) -> str:
    try:
        ssl.create_default_context(cadata=certificates or None)
    except ssl.SSLError:
        raise ValueError("it holds no certificate in PEM") from None
    return certificates


Certificates = Annotated[str, AfterValidator(_read)]
"""Certificates (PEM) that a server of one's own is believed by; "" for the system's."""


def wanted(url: str, ca: str) -> ssl.SSLContext | None:
    """Whom to believe, if any of the addresses wants TLS; then all of them get it."""
    if not any(server.strip().startswith("tls://") for server in url.split(",")):
        return None
    return ssl.create_default_context(cadata=ca or None)


def security(url: str, credentials: str, ca: str) -> NatsSecurity:
    """For FastStream: the key in the file, or none, and TLS as the address has it."""
    context = wanted(url, ca)
    first = context is not None
    if not credentials:
        return NatsSecurity(ssl_context=context, tls_handshake_first=first)
    return NatsNKey.from_file(credentials, ssl_context=context, tls_handshake_first=first)


def options(url: str, ca: str) -> dict[str, Any]:
    """The same of TLS, for a client of nats-py."""
    context = wanted(url, ca)
    return {"tls": context, "tls_handshake_first": True} if context else {}
