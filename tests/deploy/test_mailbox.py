"""The built-in mailbox: it takes every letter as a mail server does, and sends none."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy import mailbox, waiting


def config(folder: Path) -> mailbox.Config:
    return mailbox.Config(mailbox_folder=str(folder), smtp_port=waiting.free_port(), port=0)


@pytest.fixture
def settings(tmp_path: Path) -> mailbox.Config:
    return config(tmp_path / "mailbox")


@pytest.fixture
async def shown(
    settings: mailbox.Config,
) -> AsyncIterator["TestClient[web.Request, web.Application]"]:
    async with TestClient(TestServer(mailbox.build(settings))) as client:
        yield client


def letter(to: str, subject: str = "Complete your registration") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Lakeside Oncology <no-reply@carespace.example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<1@carespace.example.com>"
    message.set_content("Zoë, here is your link.\n")
    message.add_alternative("<p>Zoë, here is your link.</p>\n", subtype="html")
    return message


async def send(
    settings: mailbox.Config, to: str, subject: str = "Complete your registration"
) -> None:
    await aiosmtplib.send(
        letter(to, subject), hostname=settings.host, port=settings.smtp_port, start_tls=False
    )


def count(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def mails(shown: "TestClient[web.Request, web.Application]") -> list[dict[str, Any]]:
    async with shown.get("/mails") as answer:
        kept: list[dict[str, Any]] = await answer.json()
        return kept


async def test_a_letter_is_there_as_it_was_sent(
    settings: mailbox.Config, shown: "TestClient[web.Request, web.Application]"
) -> None:
    await send(settings, "zoe@example.com", "Your practice invites you, Zoë")
    (kept,) = await mails(shown)
    assert kept["to"] == "zoe@example.com"
    assert kept["from"] == "Lakeside Oncology <no-reply@carespace.example.com>"
    assert kept["subject"] == "Your practice invites you, Zoë"
    assert kept["message_id"] == "<1@carespace.example.com>"
    assert kept["text"] == "Zoë, here is your link.\n"
    assert kept["html"] == "<p>Zoë, here is your link.</p>\n"
    async with shown.get(f"/mails/{kept['id']}") as answer:
        assert await answer.json() == kept


async def test_the_newest_comes_first_and_another_start_finds_them(
    settings: mailbox.Config, shown: "TestClient[web.Request, web.Application]", tmp_path: Path
) -> None:
    for subject in ("first", "second"):
        await send(settings, "zoe@example.com", subject)
    assert [kept["subject"] for kept in await mails(shown)] == ["second", "first"]
    again = config(tmp_path / "mailbox")
    async with TestClient(TestServer(mailbox.build(again))) as later:
        assert [kept["subject"] for kept in await mails(later)] == ["second", "first"]
        await send(again, "zoe@example.com", "third")
        assert [kept["subject"] for kept in await mails(later)] == ["third", "second", "first"]


async def test_only_the_newest_are_kept(
    settings: mailbox.Config,
    shown: "TestClient[web.Request, web.Application]",
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(mailbox, "KEPT", 3)
    for number in range(5):
        await send(settings, "zoe@example.com", str(number))
    assert [kept["subject"] for kept in await mails(shown)] == ["4", "3", "2"]
    assert count(tmp_path / "mailbox") == 3


async def test_some_addresses_bounce_and_some_come_later(
    settings: mailbox.Config, shown: "TestClient[web.Request, web.Application]"
) -> None:
    for address, code in (("sam@bounces.example.com", 550), ("sam@LATER.example.com", 451)):
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await send(settings, address)
        assert refused.value.recipients[0].code == code
    assert await mails(shown) == []


async def test_a_letter_that_is_not_there_is_not_found(
    shown: "TestClient[web.Request, web.Application]",
) -> None:
    for number in ("none", "..%2F..%2Fkeys%2Fkeys"):
        async with shown.get(f"/mails/{number}") as answer:
            assert answer.status == 404


async def test_a_letter_of_any_shape_is_kept(
    settings: mailbox.Config, shown: "TestClient[web.Request, web.Application]"
) -> None:
    raw = b"Subject: =?nowhere?Q?=FF?=\r\nContent-Type: text/plain; charset=nowhere\r\n\r\n\xff\r\n"
    await aiosmtplib.send(
        raw,
        sender="a@example.com",
        recipients=["zoe@example.com"],
        hostname=settings.host,
        port=settings.smtp_port,
        start_tls=False,
    )
    (kept,) = await mails(shown)
    assert (kept["to"], kept["text"]) == ("zoe@example.com", "ÿ\n")
