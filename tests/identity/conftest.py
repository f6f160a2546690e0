"""A desk for each test of identity."""

from collections.abc import AsyncIterator

import pytest

from tests.identity.desk import Desk, opened
from tests.servers import Servers


@pytest.fixture
async def desk(clean: Servers) -> AsyncIterator[Desk]:
    async with opened(clean) as made:
        yield made
