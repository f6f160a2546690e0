"""A real Prometheus, with our rules, that scrapes a real portal."""

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import waiting
from tests.waiting import until_now

WATCH = Path(__file__).parents[2] / "deploy" / "watch"
PROGRAMS = ("prometheus", "promtool")
MISSING = "" if all(map(shutil.which, PROGRAMS)) else "apt-get install prometheus"
"""Why its tests can't run here; "" if they can."""
DISCOVERY = re.compile(r"^    (dns|kubernetes)_sd_configs:\n(?:^     .*\n)+", re.MULTILINE)
"""How a configuration of ours finds the parts."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A replica, and what discovery would tell of it."""

    address: str
    told: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """One that runs."""

    url: str

    def ready(self) -> bool:
        """Whether it has read what it was told, and listens."""
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
            return True
        return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What it says now: a list of labels and value."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def get(self, what: str, **asked: str) -> Any:
        """Whatever its API tells."""
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(asked)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{asked}: {error.read().decode()}") from None

    def rules(self) -> list[dict[str, Any]]:
        """Every alert, as Prometheus has read it."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


def configured(folder: Path, config: Path, targets: Sequence[Target]) -> Path:
    """Our configuration with these targets in place of those that it would discover."""
    static = json.dumps(
        [{"targets": [target.address], "labels": target.told} for target in targets]
    )
    text, times = DISCOVERY.subn(f"    static_configs: {static}\n", config.read_text())
    assert times == 1, config
    written = folder / config.name
    written.write_text(
        text.replace("alerts.yaml", str(WATCH / "alerts.yaml"))
        .replace("scrape_interval: 15s", "scrape_interval: 1s")
        .replace("evaluation_interval: 15s", "evaluation_interval: 1s")
        .replace("scrape_timeout: 5s", "scrape_timeout: 1s")
    )
    return written


@contextmanager
def scraping(folder: Path, config: Path, targets: Sequence[Target] = ()) -> Iterator[Prometheus]:
    """A Prometheus that looks at these targets every second."""
    port = waiting.free_port()
    server = Prometheus(url=f"http://127.0.0.1:{port}")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={configured(folder, config, targets)}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            until_now(server.ready, within=20)
            yield server
        finally:
            process.terminate()
            process.wait(20)
