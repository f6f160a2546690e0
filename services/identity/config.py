"""What identity needs to be told before it can start."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from libs.runtime.trust import Certificates


@dataclass(frozen=True, kw_only=True)
class Config:
    database_url: str
    nats_url: str
    nats_credentials: str = ""
    nats_ca: Certificates = ""
    visa_keys: str
    visa_signing_key: str = field(repr=False)
    link_key: str = field(repr=False)
    """Base64 of 32 bytes; every link is derived from it."""
    key_ring: str = field(repr=False)
    """Lines of `<id> <base64>`, the newest last."""
    argon2_memory_kib: Annotated[int, Field(ge=19 * 1024)] = 64 * 1024
    """RFC 9106's second recommended option, unless set; OWASP's minimum is the floor."""
    argon2_passes: Annotated[int, Field(ge=2)] = 3
    argon2_lanes: Annotated[int, Field(ge=1)] = 4
    public_url: str = ""
    """Where browsers find the portal; passkeys are bound to its name."""
    host: str = "127.0.0.1"
    port: int = 8081
    log_level: str = "INFO"
    otlp_endpoint: str = ""
    """Where traces go, by OTLP over HTTP; "" for none."""
