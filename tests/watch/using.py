"""People who use a portal that is looked at, and what goes wrong for them now and then."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from html import unescape

import nats
from nats.aio.client import Client as Nats

from deploy import installation, keys
from deploy.nats_config import DEAD
from tests.journeys.client import HIDDEN, Client, date_fields
from tests.journeys.installation import Installation

ROSA, BORN = "rosa.alvarez@example.com", (1961, 4, 12)
WRONG = {"email": "nobody@example.com", "password": "wrong", **date_fields(BORN)}


@asynccontextmanager
async def line(portal: Installation, part: str) -> AsyncIterator[Nats]:
    """A connection to the portal's NATS with the rights of a part."""
    port = installation.running(portal.folder).ports["nats"]
    client = await nats.connect(
        f"nats://127.0.0.1:{port}",
        nkeys_seed=str(keys.seed_file(portal.folder / "keys", part)),
        inbox_prefix=f"_INBOX_{part}".encode(),
    )
    try:
        yield client
    finally:
        await client.close()


async def use(portal: Installation) -> None:
    """Pages, a stranger, and a letter for somebody who has forgotten her password."""
    async with Client(portal) as rosa, Client(portal) as stranger:
        await stranger.send("/login", WRONG)
        for address in ("/no-such-page", "/register/not-a-link"):
            await stranger.get(address)
        home = await rosa.log_in(ROSA, BORN)
        for area in ("health", "messages", "users"):
            await rosa.get(f"/p/{home.place.split('/')[2]}/{area}")
        await stranger.send("/forgot-password", {"email": ROSA})


async def set_aside(portal: Installation) -> None:
    """An event that nobody can do is a dead letter."""
    async with line(portal, "provisioner") as provisioner:
        await provisioner.jetstream().publish("event.identity.letter_due", b"not a letter")


async def let_go(portal: Installation) -> None:
    """Nothing is set aside any more."""
    async with line(portal, "provisioner") as provisioner:
        await provisioner.jetstream().purge_stream(DEAD)


@dataclass(frozen=True, kw_only=True)
class Statuses:
    """What somebody got."""

    page: int
    log_in: int


async def try_at_once(portal: Installation, times: int) -> list[Statuses]:
    """As many who open the link of a letter and log in, at the same moment."""

    async def one() -> Statuses:
        async with Client(portal) as somebody:
            fields = await _form(somebody)
            page = await somebody.ask("GET", "/register/not-a-link")
            log_in = await somebody.ask("POST", "/login", data=fields)
            return Statuses(page=page.status, log_in=log_in.status)

    return await asyncio.gather(*(one() for _ in range(times)))


async def _form(somebody: Client) -> dict[str, str]:
    shown = await somebody.ask("GET", "/login")
    return {name: unescape(value) for name, value in HIDDEN.findall(shown.text)} | WRONG


@contextmanager
def held_up(portal: Installation, part: str) -> Iterator[None]:
    """The part runs, and does nothing, for as long as this is open."""
    pid = portal.pid(part)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
