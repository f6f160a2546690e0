"""One installation for every test of it."""

from collections.abc import Iterator

import pytest

from tests.images import compose
from tests.images.compose import Composed


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    with compose.up(tmp_path_factory.mktemp("installation")) as portal:
        yield portal
