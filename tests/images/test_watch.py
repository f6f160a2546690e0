"""Prometheus beside an installation, from deploy/watch, on a real engine."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import yaml

from tests.images import compose
from tests.images.compose import PARTS, PROMETHEUS, ROOT, Composed
from tests.waiting import until_now

pytestmark = pytest.mark.skipif(bool(compose.missing()), reason=compose.missing())
WATCH = ROOT / "deploy" / "watch"
SEEN_WITHIN = 90
"""Seconds: Docker's names are asked every 15, and so is each part."""
RULES = {
    rule["alert"]: rule["expr"]
    for group in yaml.safe_load((WATCH / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
}


@pytest.fixture(scope="module")
def watched(here: Composed) -> Iterator[Composed]:
    """As the guide says it, without Grafana, of which there is no image."""
    shutil.copytree(WATCH, here.folder / "watch")
    (here.folder / "grafana-password").write_text("Grape-Tunnel-84")
    with (here.folder / ".env").open("a") as settings:
        settings.write(f"PROMETHEUS_IMAGE={PROMETHEUS}\nGRAFANA_IMAGE=grafana\n")
    both = replace(here, files=(*here.files, "watch/compose.yaml"))
    both.compose("up", "-d", "prometheus")
    yield both
    both.compose("rm", "-sfv", "prometheus")
    for kind, name in (("network", "watch"), ("volume", "prometheus"), ("volume", "grafana")):
        words = ["docker", kind, "rm", f"{here.project}_{name}"]
        subprocess.run(words, check=False, capture_output=True)  # no Grafana, no volume of it


def asked(watched: Composed, query: str) -> list[dict[str, str]]:
    """The labels of what Prometheus answers."""
    told = watched.compose(
        *("exec", "-T", "prometheus", "promtool", "query", "instant", "-o", "json"),
        *("http://127.0.0.1:9090", query),
    )
    return [series["metric"] for series in json.loads(told)]


def seen(watched: Composed, replicas: int) -> bool:
    """Whether it has heard from so many replicas of each part."""
    heard = Counter(series["part"] for series in asked(watched, "up == 1"))
    return heard == dict.fromkeys(PARTS, replicas)


@contextmanager
def stopped(watched: Composed, part: str) -> Iterator[None]:
    watched.compose("stop", part)
    try:
        yield
    finally:
        watched.compose("start", part)


def test_every_replica_is_found_and_nothing_is_wrong(watched: Composed) -> None:
    until_now(lambda: seen(watched, 2), within=SEEN_WITHIN)
    assert asked(watched, "ALERTS") == []
    for name, query in RULES.items():
        assert asked(watched, query) == [], name


def test_a_part_that_is_gone_is_seen_and_one_that_is_back_too(watched: Composed) -> None:
    down = 'ALERTS{alertname="CareSpacePartDown", part="notifier"}'
    with stopped(watched, "notifier"):
        until_now(partial(asked, watched, down), within=SEEN_WITHIN)
    until_now(lambda: seen(watched, 2) and not asked(watched, down), within=SEEN_WITHIN)
