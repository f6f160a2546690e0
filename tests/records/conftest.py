"""A practice to work with, for each test anew."""

from collections.abc import AsyncIterator

import pytest

from tests.records import office
from tests.records.office import Office
from tests.servers import Servers


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean) as opened:
        yield opened
