"""The built-in mailbox of one-machine mode: a mail server that keeps every letter and sends none.

Two addresses' domains behave as real ones sometimes do: `bounces.example.com` refuses for good, and
`later.example.com` asks to come again.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from uuid_utils.compat import uuid7

from libs.runtime import service

KEPT = 2000
"""Letters kept; the oldest go first."""
REFUSED = "@bounces.example.com"
PUT_OFF = "@later.example.com"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the mailbox needs to be told."""

    mailbox_folder: str
    smtp_port: int
    host: str = "127.0.0.1"
    port: int
    log_level: str = "INFO"


FOLDER = web.AppKey("folder", Path)
routes = web.RouteTableDef()


class Sink:
    """Takes letters as a mail server does, and puts each into a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address.endswith(REFUSED):
            return "550 5.1.1 There is no such mailbox."
        if address.endswith(PUT_OFF):
            return "451 4.7.1 Come again later."
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        keep(self._folder, envelope.rcpt_tos, content if isinstance(content, bytes) else b"")
        return "250 2.0.0 Kept in the mailbox."


def keep(folder: Path, recipients: list[str], content: bytes) -> None:
    """One file per letter, complete or not there at all."""
    message = message_from_bytes(content, policy=policy.default)
    letter = {
        "id": str(uuid7()),
        "to": ", ".join(recipients),
        "from": str(message["From"] or ""),
        "subject": str(message["Subject"] or ""),
        "message_id": str(message["Message-ID"] or ""),
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "sent_at": datetime.now(UTC).isoformat(),
    }
    unfinished = folder / f"{letter['id']}.unfinished"
    unfinished.write_text(json.dumps(letter))
    unfinished.rename(folder / f"{letter['id']}.json")
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)


@routes.get("/health/ready")
async def ready(_: web.Request) -> web.Response:
    return web.Response(text="ready")


@routes.get("/mails")
async def mails(request: web.Request) -> web.Response:
    """Every letter, newest first."""
    files = sorted(request.app[FOLDER].glob("*.json"), reverse=True)
    return web.json_response([json.loads(file.read_text()) for file in files])


def build(config: Config) -> web.Application:
    folder = Path(config.mailbox_folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def listening(app: web.Application) -> AsyncIterator[None]:
        sink = Sink(app[FOLDER])
        server = await app.loop.create_server(
            lambda: SMTP(sink, loop=app.loop, enable_SMTPUTF8=True), config.host, config.smtp_port
        )
        yield
        server.close()

    app = web.Application()
    app[FOLDER] = folder
    app.add_routes(routes)
    app.cleanup_ctx.append(listening)
    return app


def run() -> None:
    """As a process of its own."""
    service.run("mailbox", Config, build)


def _part(message: Any, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
