"""What messaging needs to be told before it can start."""

from dataclasses import dataclass, field

from libs.runtime.trust import Certificates


@dataclass(frozen=True, kw_only=True)
class Config:
    database_url: str
    nats_url: str
    nats_credentials: str = ""
    nats_ca: Certificates = ""
    visa_keys: str
    key_ring: str = field(repr=False)
    """Lines of `<id> <base64>`, the newest last."""
    host: str = "127.0.0.1"
    port: int = 8083
    log_level: str = "INFO"
    otlp_endpoint: str = ""
    """Where traces go, by OTLP over HTTP; "" for none."""
