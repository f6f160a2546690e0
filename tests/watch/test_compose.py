"""Prometheus and Grafana beside the portal, as Compose reads it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.watch.prometheus import WATCH

SETTINGS = {
    "CARESPACE_PUBLIC_URL": "https://portal.example.com",
    "CARESPACE_MAIL_FROM": "portal@example.com",
    "PROMETHEUS_IMAGE": "prometheus",
    "GRAFANA_IMAGE": "grafana",
}


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="there is no docker-compose")
def test_what_watches_runs_beside_the_portal_and_only_the_host_itself_sees_it(
    tmp_path: Path,
) -> None:
    shutil.copy(WATCH.parent / "compose" / "compose.yaml", tmp_path)
    shutil.copytree(WATCH, tmp_path / "watch")
    told = subprocess.run(
        ["docker-compose", "-f", "compose.yaml", "-f", "watch/compose.yaml", "config"],
        cwd=tmp_path,
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for mounted in ("grafana/datasources.yaml", "grafana/provider.yaml", "grafana/dashboards"):
        assert f"{tmp_path}/watch/{mounted}:" in told
        assert (WATCH / mounted).exists()
    assert f"{tmp_path}/watch:/etc/prometheus:ro" in told
    ports = [line.strip() for line in told.splitlines() if ":3000" in line or ":9090" in line]
    assert ports == ["- 127.0.0.1:3000:3000/tcp"]
