"""How the operator's command reaches an installation: by its environment, or by its folder."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import nats.errors
from faststream.nats import NatsBroker

from deploy import installation, keys
from deploy.installation import Installation
from deploy.problem import Problem, SaidNo
from libs.contracts.base import Refused
from libs.contracts.identity.practices import AdmitOperator, ListPractices, Practice
from libs.runtime import config, trust
from libs.runtime.broker import Unavailable, ask
from libs.runtime.clock import utcnow

PATIENCE = 15
"""Seconds that somebody at a command line waits for one answer."""
RENEWED_AFTER = timedelta(seconds=5)
"""A visa holds for ten."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where NATS is and whom it is believed by, and the key of the user who asks."""

    nats_url: str
    nats_credentials: str
    nats_ca: trust.Certificates = ""


def reach(data_dir: Path, user: str) -> Reach:
    """What the environment says; else what runs in this folder."""
    if {"CARESPACE_NATS_URL", "CARESPACE_NATS_URL_FILE"} & os.environ.keys():
        try:
            return config.from_environment(Reach)
        except config.Misconfigured as sentence:
            raise Problem(str(sentence)) from None
    return to(installation.running(data_dir.resolve()), user)


def to(here: Installation, user: str) -> Reach:
    """An installation on this machine, as one of its NATS users."""
    return Reach(
        nats_url=here.environment(user)["CARESPACE_NATS_URL"],
        nats_credentials=str(keys.seed_file(here.folder / "keys", user)),
    )


@asynccontextmanager
async def asking(there: Reach) -> AsyncIterator[NatsBroker]:
    """A connection with the operator's rights. A no of the portal's becomes a sentence."""
    broker = NatsBroker(
        there.nats_url.split(","),
        security=trust.security(there.nats_url, there.nats_credentials, there.nats_ca),
        name="operator",
        inbox_prefix="_INBOX_operator",
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0,
        connect_timeout=5,
        logger=None,
    )
    try:
        await broker.connect()
    except (nats.errors.Error, OSError) as error:
        why = str(error) or "too late"
        raise Problem(f"NATS does not answer at {there.nats_url}: {why}.") from None
    try:
        yield broker
    except Refused as refused:
        raise SaidNo(f"The portal says no: {refused.code.replace('_', ' ')}.") from None
    except Unavailable as asked:
        raise SaidNo(f"The portal does not answer to {asked}: is it running?") from None
    finally:
        with suppress(nats.errors.ConnectionClosedError):  # it ended before we did
            await broker.stop()


class Desk:
    """The operator at one practice, whose visa is renewed as it runs out."""

    def __init__(self, broker: NatsBroker, practice_id: UUID) -> None:
        self.broker = broker
        self._practice_id = practice_id
        self._visa = ""
        self._since: datetime | None = None

    async def visa(self) -> str:
        """One that still holds for a while."""
        now = utcnow()
        if self._since is None or now > self._since + RENEWED_AFTER:
            asked = AdmitOperator(practice_id=self._practice_id)
            admitted = await ask(self.broker, asked, within=PATIENCE)
            self._visa, self._since = admitted.visa, now
        return self._visa


async def practices(broker: NatsBroker) -> tuple[Practice, ...]:
    """All of them."""
    return (await ask(broker, ListPractices(), within=PATIENCE)).practices


async def practice(broker: NatsBroker, named: str) -> Practice:
    """The one with this id, or with this name."""
    for there in await practices(broker):
        if named.casefold() in (str(there.practice_id), there.name.casefold()):
            return there
    raise SaidNo(f"There is no practice {named}: see `carespace practice list`.")
