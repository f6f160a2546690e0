"""The pods of the Helm chart, run on a real engine as a cluster would: each starts, works and stops."""

import os
from collections.abc import Iterator

import pytest

from tests.helm.chart import PARTS
from tests.images import compose, pods
from tests.images.pods import Pods

pytestmark = [
    pytest.mark.skipif(bool(compose.missing()), reason=compose.missing()),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
]
NO_MAIL = "mail server"
"""There is none on this network; nothing else may be wrong."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    with pods.up(tmp_path_factory.mktemp("pods")) as running:
        assert "is applied." in running.run("migrate")
        for part in PARTS:
            running.start(part)
        yield running


def test_every_part_is_alive_and_ready_with_nothing_but_what_the_chart_gives_it(here: Pods) -> None:
    for part in PARTS:
        here.wait_for(part)
        assert here.asked(part, "livenessProbe") == "alive"
        assert here.asked(part, "startupProbe") == "alive"


def test_an_operators_commands_run_and_an_administrator_finds_nothing_wrong(here: Pods) -> None:
    here.wait_for("identity")
    here.start("operator")
    here.start("admin")
    assert "no practices yet" in here.inside("operator", "carespace", "practice", "list")
    found = here.inside("admin", "carespace", "doctor", check=False)
    about = {line.split("  ")[0] for line in found.splitlines() if line[:1].strip()}
    assert about == {NO_MAIL}, found
    assert here.stop("operator") == 0


def test_a_part_that_is_told_to_stop_leaves_in_time_and_says_so(here: Pods) -> None:
    for part in ("gateway", "records"):
        here.wait_for(part)
        assert here.stop(part) == 0
