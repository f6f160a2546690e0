"""What the notifier needs to be told before it can start."""

from dataclasses import dataclass, field

from libs.runtime.trust import Certificates


@dataclass(frozen=True, kw_only=True)
class Config:
    database_url: str
    nats_url: str
    nats_credentials: str = ""
    nats_ca: Certificates = ""
    visa_keys: str
    public_url: str
    """The portal's own address, which every link begins with; never taken from a request."""
    smtp_url: str = field(repr=False)
    """`smtp://`, `smtps://` or `smtp+starttls://`, with user and password where they are needed."""
    mail_from: str
    """The sender's address; the practice's name goes before it."""
    smtp_ca: str = ""
    """Certificates (PEM) that a mail server of one's own is believed by; "" for the system's."""
    host: str = "127.0.0.1"
    port: int = 8085
    log_level: str = "INFO"
    otlp_endpoint: str = ""
    """Where traces go, by OTLP over HTTP; "" for none."""
