"""How a mail server's behaviour becomes an outcome, against a real server on loopback."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from libs.contracts.notifier import MailState
from services.notifier.smtp import Line, Server


class Sink:
    """A server that answers each address as its local part says."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        answers = {"never": "550 5.1.1 no such user", "later": "451 4.7.1 come again"}
        if answer := answers.get(address.split("@", maxsplit=1)[0]):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        local = envelope.rcpt_tos[0].split("@")[0]
        content = envelope.content
        self.taken.append((envelope.rcpt_tos[0], content if isinstance(content, bytes) else b""))
        if local == "full":
            return "552 5.2.2 mailbox full"
        if local == "dropped":
            transport: Any = server.transport
            transport.abort()
        return "250 2.0.0 queued as 1"


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Sink, Server]]:
    sink = Sink()
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield sink, Server.parse(f"smtp://127.0.0.1:{port}")
    finally:
        controller.stop()


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", to, "hello"
    message.set_content("words\n.\nBcc: evil@example.com\n")
    return message


@pytest.mark.parametrize(
    ("to", "state"),
    [
        ("rosa@example.com", MailState.SENT),
        ("never@example.com", MailState.BOUNCED),
        ("later@example.com", MailState.RETRYING),
        ("full@example.com", MailState.BOUNCED),
        ("dropped@example.com", MailState.RETRYING),
    ],
)
async def test_each_answer_is_an_outcome_and_the_next_letter_still_goes(
    to: str, state: MailState
) -> None:
    async with serving() as (sink, server), Line(server) as line:
        first = await line.send(letter(to), sender="a@example.com", recipient=to)
        second = await line.send(
            letter("ana@example.com"), sender="a@example.com", recipient="ana@example.com"
        )
    assert first.state is state
    assert second.state is MailState.SENT
    assert sink.taken[-1][0] == "ana@example.com"


async def test_one_letter_is_one_letter_to_one_person() -> None:
    async with serving() as (sink, server), Line(server) as line:
        await line.send(
            letter("rosa@example.com"), sender="a@example.com", recipient="rosa@example.com"
        )
    assert [address for address, _ in sink.taken] == ["rosa@example.com"]
    assert b"\r\n.\r\nBcc: evil@example.com" in sink.taken[0][1]


async def test_a_server_that_is_away_is_asked_again_later() -> None:
    async with serving() as (_, server):
        gone = server
    async with Line(gone) as line:
        outcome = await line.send(
            letter("rosa@example.com"), sender="a@example.com", recipient="rosa@example.com"
        )
    assert outcome.state is MailState.RETRYING


@pytest.mark.parametrize(
    ("url", "port", "tls", "starttls", "username"),
    [
        ("smtp://mail", 25, False, False, None),
        ("smtps://us%40er:p%3Aw@mail", 465, True, False, "us@er"),
        ("smtp+starttls://user:pw@mail:2525", 2525, False, True, "user"),
    ],
)
def test_a_server_is_one_address(
    url: str, port: int, tls: bool, starttls: bool, username: str | None
) -> None:
    server = Server.parse(url)
    assert (server.port, server.use_tls, server.start_tls) == (port, tls, starttls)
    assert server.username == username


@pytest.mark.parametrize("url", ["", "mail:25", "http://mail", "smtp://"])
def test_another_address_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="CARESPACE_SMTP_URL"):
        Server.parse(url)
