"""Identity at work: brought up once for these tests, and with nothing in it before each."""

from collections.abc import AsyncIterator

import pytest

from tests.identity.desk import Desk, opened
from tests.servers import Servers


@pytest.fixture(scope="package")
async def standing_desk(servers: Servers) -> AsyncIterator[Desk]:
    async with opened(servers) as made:
        yield made


@pytest.fixture
async def desk(standing_desk: Desk, clean: Servers) -> AsyncIterator[Desk]:
    await standing_desk.open_practice()
    yield standing_desk
    await standing_desk.all_told()
