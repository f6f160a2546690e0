"""What the gateway needs to be told before it can start."""

from dataclasses import dataclass

from libs.runtime.trust import Certificates


@dataclass(frozen=True, kw_only=True)
class Config:
    nats_url: str
    nats_credentials: str = ""
    nats_ca: Certificates = ""
    public_url: str
    """The portal's own address, as a browser sees it."""
    host: str = "127.0.0.1"
    port: int = 8080
    health_port: int = 0
    """A port of its own for health and metrics; 0 for none."""
    mailbox_url: str = ""
    """One-machine mode only: where the built-in mailbox answers."""
    trusted_proxies: str = ""
    """Networks whose `X-Forwarded-For` is believed, separated by commas."""
    log_level: str = "INFO"
    otlp_endpoint: str = ""
    """Where traces go, by OTLP over HTTP; "" for none."""
