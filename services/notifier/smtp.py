"""One mail server, spoken to as RFC 5321 asks, one letter to one person at a time."""

import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

import aiosmtplib

from libs.contracts.notifier import MailState
from services.notifier.domain import Outcome, judge

CONNECT_WITHIN = 20
ANSWER_WITHIN = 600
"""Seconds for the answer to the final dot; less makes duplicates (RFC 5321, 4.5.3.2.6)."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where letters go: read from a URL, so that one setting holds all of it."""

    host: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    start_tls: bool
    ca: str = ""
    """Whose certificates are believed (PEM); "" for those that the system believes."""

    @classmethod
    def parse(cls, url: str, *, ca: str = "") -> "Server":
        """From `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`."""
        parts = urlsplit(url)
        ports = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
        if parts.scheme not in ports or not parts.hostname:
            raise ValueError("CARESPACE_SMTP_URL is no smtp, smtps or smtp+starttls address.")
        return cls(
            host=parts.hostname,
            port=parts.port or ports[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls=parts.scheme == "smtp+starttls",
            ca=ca,
        )


def called(server: Server, *, within: float) -> aiosmtplib.SMTP:
    """A client of this server, not yet connected."""
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.use_tls,
        start_tls=server.start_tls,
        tls_context=ssl.create_default_context(cadata=server.ca or None),
        timeout=within,
    )


class Line:
    """A connection that is kept over several letters and made anew where it was lost."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: aiosmtplib.SMTP | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()

    async def send(self, message: EmailMessage, *, sender: str, recipient: str) -> Outcome:
        """Send one letter to one person. Whatever goes wrong is an outcome, never an exception."""
        try:
            client = await self._connected()
            _, answer = await client.send_message(message, sender=sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as refused:
            first = refused.recipients[0]
            await self._begin_anew()
            return judge(first.code, first.message)
        except aiosmtplib.SMTPDataError as refused:
            await self._begin_anew()
            return judge(refused.code, refused.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            # Ours or the server's trouble, not the address's. A connection lost after the final
            # dot counts as 451: it may arrive twice, and then with the same Message-ID.
            self._hang_up()
            return Outcome(state=MailState.RETRYING, answer=type(error).__name__)
        return Outcome(state=MailState.SENT, answer=" ".join(answer.split())[:300])

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None or not self._client.is_connected:
            client = called(self._server, within=CONNECT_WITHIN)
            await client.connect()
            client.timeout = ANSWER_WITHIN
            self._client = client
        return self._client

    async def _begin_anew(self) -> None:
        """A refused letter leaves its transaction open: the next one starts a clean one."""
        try:
            if self._client:
                await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._hang_up()

    def _hang_up(self) -> None:
        if self._client:
            self._client.close()
        self._client = None
