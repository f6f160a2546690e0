"""Each defence is taken out, one at a time, and a test of ours fails without it."""

import inspect
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from libs.runtime.broker import Unavailable
from tests.conftest import empty
from tests.identity import desk as identity_desk
from tests.messaging.ward import open_ward
from tests.policy.defences import DEFENCES, Defence
from tests.servers import Servers

FAILED = (AssertionError, pytest.fail.Exception, Unavailable)
"""What a test that bites says, or silence; any other error would be the mutant's own."""


@dataclass(frozen=True)
class Bench:
    """What a test may ask for; each run has its own."""

    servers: Servers
    tmp_path: Path
    capfd: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    async def run(self, test: Callable[..., Any]) -> None:
        """The test as it is run where it stands."""
        wanted = inspect.signature(test).parameters.values()
        names = {one.name for one in wanted if one.default is inspect.Parameter.empty}
        async with AsyncExitStack() as stack:
            said = test(**{name: await self._given(name, stack) for name in sorted(names)})
            if inspect.isawaitable(said):
                await said

    async def _given(self, name: str, stack: AsyncExitStack) -> Any:
        if name in ("clean", "desk", "ward", "pool"):
            await empty(self.servers)
        if name == "tmp_path":
            folder = self.tmp_path / uuid4().hex
            folder.mkdir()
            return folder
        if name == "desk":
            desk = await stack.enter_async_context(identity_desk.opened(self.servers))
            await desk.open_practice()
            stack.push_async_callback(desk.all_told)
            return desk
        if name == "ward":
            return await stack.enter_async_context(open_ward(self.servers))
        if name == "pool":
            settings = {"search_path": "records"}
            url = self.servers.database_url("records")
            return await asyncpg.create_pool(url, server_settings=settings)
        return self.servers if name == "clean" else getattr(self, name)


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.name)
async def test_a_defence_that_is_gone_is_missed(
    defence: Defence,
    servers: Servers,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(servers=servers, tmp_path=tmp_path, capfd=capfd, monkeypatch=monkeypatch)
    await bench.run(defence.missed_by)
    async with defence.gone.removed(servers):
        with pytest.raises(FAILED):
            await bench.run(defence.missed_by)


def test_at_least_twenty_five_can_be_taken_out_and_no_two_are_one() -> None:
    assert len({defence.name for defence in DEFENCES}) == len(DEFENCES) >= 25
