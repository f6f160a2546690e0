"""A ward on clean servers."""

from collections.abc import AsyncIterator

import pytest

from tests.messaging.ward import Ward, open_ward
from tests.servers import Servers


@pytest.fixture
async def ward(clean: Servers) -> AsyncIterator[Ward]:
    async with open_ward(clean) as opened:
        yield opened
