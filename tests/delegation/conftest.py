"""What the tests of delegation share."""

from collections.abc import AsyncIterator

import pytest

from tests.delegation.ward import Ward, opened
from tests.servers import Servers


@pytest.fixture
async def ward(clean: Servers) -> AsyncIterator[Ward]:
    async with opened(clean) as made:
        yield made
