"""A portal of its own for the policy, with its world in it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy import installation as installed
from tests.journeys import installation
from tests.policy import making
from tests.policy.place import Place
from tests.policy.world import World
from tests.servers import Servers


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Every part as its own process, as `make run` starts them, without the demo's people."""
    with installation.up(tmp_path_factory.mktemp("policy") / "here", demo=False) as portal:
        here = installed.running(portal.folder)
        servers = Servers(
            kind="portal",
            folder=portal.folder,
            keys=here.keys,
            postgres_port=here.ports["postgres"],
            nats_port=here.ports["nats"],
        )
        yield Place(url=portal.url, servers=servers, environment=here.environment)


@pytest.fixture(scope="module")
async def world(place: Place) -> AsyncIterator[World]:
    """Everybody, registered and logged in, and everything of theirs; for each file its own."""
    async with making.made(place) as made:
        yield made
