"""What identity needs to be told before it can start."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Config:
    database_url: str
    nats_url: str
    nats_credentials: str = ""
    visa_keys: str
    visa_signing_key: str = field(repr=False)
    link_key: str = field(repr=False)
    """Base64 of 32 bytes; every link is derived from it."""
    key_ring: str = field(repr=False)
    """Lines of `<id> <base64>`, the newest last."""
    argon2_memory_kib: int = 64 * 1024
    argon2_passes: int = 3
    argon2_lanes: int = 4
    host: str = "127.0.0.1"
    port: int = 8081
    log_level: str = "INFO"
