"""`carespace nats-config --helm-values`: the same server as the one of `carespace nats-config`."""

import asyncio
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest
import yaml

from deploy import keys, nats_config, waiting
from deploy import nats as nats_server
from libs.runtime import trust
from tests import authority
from tests.helm.nats_server import configuration, laid_over

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
MONITORED = (
    "max_payload", "max_pending", "write_deadline", "ping_interval", "tls_handshake_first",
    "auth_required",
)  # fmt: skip
"""What a server says of its own limits."""


def said(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy", "nats-config", "--keys", str(folder / "keys"), *words],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def values(folder: Path, *words: str) -> Any:
    written = said(folder, "--helm-values", *words)
    assert written.returncode == 0, written.stderr
    return yaml.safe_load(written.stdout)


@contextmanager
def running(folder: Path, config: str, port: int) -> Iterator[None]:
    server = nats_server.start(folder, config=config, host=HOST, port=port)
    try:
        yield
    finally:
        server.terminate()
        server.wait(10)


def told(monitor: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{HOST}:{monitor}/varz", timeout=5) as answer:
        server = json.load(answer)
    kept = server["jetstream"]["config"]
    names = ("max_memory", "max_storage", "sync_interval", "sync_always")
    return {name: server.get(name) for name in MONITORED} | {name: kept.get(name) for name in names}


def test_both_servers_have_the_same_limits_and_sync_before_they_acknowledge(
    tmp_path: Path,
) -> None:
    plain_port, plain_monitor, chart_port, chart_monitor = waiting.free_ports(4)
    made = values(tmp_path)
    public = keys.kept(tmp_path / "keys").nats_public()
    plain = nats_config.render(public, host=HOST, port=plain_port, store=str(tmp_path / "store"))
    plain += f'http: "{HOST}:{plain_monitor}"\n'
    charted = configuration(made, port=chart_port, monitor=chart_monitor, folder=tmp_path)
    with running(tmp_path / "plain", plain, plain_port):
        of_plain = told(plain_monitor)
    with running(tmp_path / "chart", charted, chart_port):
        of_chart = told(chart_monitor)
    assert of_chart == of_plain
    assert of_chart["sync_always"] is True
    assert of_chart["max_payload"] == nats_config.MAX_PAYLOAD


def test_no_secret_is_among_the_values(tmp_path: Path) -> None:
    written = said(tmp_path, "--helm-values", "--tls-secret", "nats-tls").stdout
    made = keys.kept(tmp_path / "keys")
    secrets = (*made.nats.values(), *made.postgres.values(), made.nats_route, made.link_key)
    assert all(public in written for public in made.nats_public().values())
    assert not any(secret in written for secret in secrets)


async def test_with_a_secret_of_certificates_nobody_comes_in_without_tls(tmp_path: Path) -> None:
    made = values(tmp_path, "--tls-secret", "nats-tls")
    ours = authority.founded(tmp_path)
    (tmp_path / "nats-tls").mkdir()
    for name, file in (("tls.crt", ours.cert), ("tls.key", ours.key), ("ca.crt", ours.ca)):
        shutil.copy(file, tmp_path / "nats-tls" / name)
    port, monitor = waiting.free_ports(2)
    config = configuration(made, port=port, monitor=monitor, folder=tmp_path)
    seed = str(keys.seed_file(tmp_path / "keys", "gateway"))
    with running(tmp_path / "server", config, port):
        client = await nats.connect(
            f"tls://{HOST}:{port}",
            nkeys_seed=seed,
            **trust.options(f"tls://{HOST}:{port}", ours.believed),
        )
        assert client.is_connected
        await client.close()
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        assert b"PONG" not in await reader.read()
        writer.close()


@pytest.mark.parametrize(
    "words",
    [
        ["--tls-secret", "nats-tls"],
        ["--helm-values", "--tls-cert", "a", "--tls-key", "b"],
        ["--helm-values", "--cluster-name", "carespace"],
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, words: list[str]) -> None:
    refused = said(tmp_path, *words)
    assert refused.returncode == 2, refused.stdout
    assert "--helm-values" in refused.stderr


def test_the_example_beside_the_chart_says_nothing_of_what_the_contracts_say(
    tmp_path: Path,
) -> None:
    """Whichever of the two files comes last, the server is the same."""
    example = yaml.safe_load((ROOT / "deploy" / "helm" / "nats-values.yaml").read_text())
    for tls in ([], ["--tls-secret", "nats-tls"]):
        made = values(tmp_path, *tls)
        assert laid_over(example, made) == laid_over(made, example)


def test_the_example_keeps_three_copies_on_disks_that_are_large_enough() -> None:
    example = yaml.safe_load((ROOT / "deploy" / "helm" / "nats-values.yaml").read_text())
    config = example["config"]
    assert config["cluster"] == {"enabled": True, "replicas": 3}
    size = config["jetstream"]["fileStore"]["pvc"]["size"]
    assert size.endswith("Gi")
    assert int(size.removesuffix("Gi")) * 1024**3 > nats_config.FILE_STORE
    assert not example["natsBox"]["enabled"]
