"""NATS with TLS: from the shipped configuration, believed by an authority of one's own."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy import keys, reach, streams, waiting
from deploy import nats as nats_server
from deploy.problem import Problem
from libs.runtime import broker, config, lifeline
from services.delegation.config import Config
from tests import authority, proxy
from tests.authority import Authority
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings(  # nats-py leaves the writer of a line that came to nothing
    "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
)
ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A server with TLS, and how it is reached."""

    port: int
    keys: Path
    authority: Authority

    @property
    def url(self) -> str:
        return f"tls://{HOST}:{self.port}"

    def key_of(self, part: str) -> str:
        return str(keys.seed_file(self.keys, part))


def nats_config(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy", "nats-config", *map(str, words)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder, port = tmp_path_factory.mktemp("nats"), waiting.free_port()
    ours = authority.founded(folder)
    written = nats_config(
        *("--keys", folder / "keys", "--listen", f"{HOST}:{port}", "--store", folder / "store"),
        *("--tls-cert", ours.cert, "--tls-key", ours.key),
    )
    assert written.returncode == 0, written.stderr
    server = nats_server.start(folder, config=written.stdout, host=HOST, port=port)
    yield Guarded(port=port, keys=folder / "keys", authority=ours)
    server.terminate()
    server.wait(10)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """What nats-py leaves is cleared away here, and not in the middle of somebody else's test."""
    yield
    gc.collect()


def part(guarded: Guarded, *, url: str, ca: str) -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(broker.connected("gateway", url, guarded.key_of("gateway"), ca=ca))
    return app


async def test_every_part_reaches_it_by_tls(guarded: Guarded) -> None:
    ca = guarded.authority.believed
    async with streams.provisioner(guarded.url, guarded.key_of("provisioner"), ca=ca) as jetstream:
        await streams.provision(jetstream)
        assert await streams.drift(jetstream) == []
    app = part(guarded, url=guarded.url, ca=ca)
    async with TestServer(app):
        await until(lambda: app[lifeline.LINE].ready)
        transport: Any = getattr(lifeline.connection(app[broker.BROKER]), "_transport", None)
        assert transport._io_writer.get_extra_info("cipher")
    there = reach.Reach(
        nats_url=guarded.url, nats_credentials=guarded.key_of("operator"), nats_ca=ca
    )
    async with reach.asking(there) as operator:
        assert (made := lifeline.connection(operator))
        assert made.is_connected


async def test_nobody_comes_in_without_tls(guarded: Guarded) -> None:
    reader, writer = await asyncio.open_connection(HOST, guarded.port)
    writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
    assert b"PONG" not in await reader.read()
    writer.close()
    with pytest.raises(nats.errors.Error):
        await nats.connect(
            f"nats://{HOST}:{guarded.port}",
            nkeys_seed=guarded.key_of("gateway"),
            allow_reconnect=False,
            connect_timeout=8,
        )


async def test_a_part_that_speaks_plainly_is_never_ready(guarded: Guarded) -> None:
    app = part(guarded, url=f"nats://{HOST}:{guarded.port}", ca="")
    async with TestServer(app):
        await asyncio.sleep(4)
        assert not app[lifeline.LINE].ready


async def test_a_server_of_another_authority_is_not_believed(
    guarded: Guarded, tmp_path: Path
) -> None:
    other = authority.founded(tmp_path, "another").believed
    for ca in (other, ""):
        there = reach.Reach(
            nats_url=guarded.url, nats_credentials=guarded.key_of("operator"), nats_ca=ca
        )
        with pytest.raises(Problem, match="CERTIFICATE_VERIFY_FAILED"):
            async with reach.asking(there):
                pass
        with pytest.raises(Problem, match="CERTIFICATE_VERIFY_FAILED"):
            async with streams.provisioner(
                guarded.url, guarded.key_of("provisioner"), ca=ca, patience=0
            ):
                pass
    app = part(guarded, url=guarded.url, ca=other)
    async with TestServer(app):
        await asyncio.sleep(3)
        assert not app[lifeline.LINE].ready


async def test_a_part_that_met_the_wrong_server_first_is_ready_once_the_right_one_is_there(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifeline, "STUCK", 2)
    port, other = waiting.free_port(), authority.founded(tmp_path, "another")
    stranger = await asyncio.start_server(lambda *_: None, HOST, port, ssl=other.context)
    app = part(guarded, url=f"tls://{HOST}:{port}", ca=guarded.authority.believed)
    async with TestServer(app):
        await asyncio.sleep(3)
        stranger.close()
        async with proxy.between(guarded.port, at=port):
            await until(lambda: app[lifeline.LINE].ready, within=15)


async def test_a_name_that_the_certificate_does_not_hold_is_not_believed(
    guarded: Guarded,
) -> None:
    there = reach.Reach(
        nats_url=f"tls://localhost:{guarded.port}",
        nats_credentials=guarded.key_of("operator"),
        nats_ca=guarded.authority.believed,
    )
    with pytest.raises(Problem, match="Hostname mismatch"):
        async with reach.asking(there):
            pass


async def test_nobody_between_can_talk_a_part_out_of_tls(guarded: Guarded) -> None:
    """A server that says in plain words that it wants no TLS gets not even a name."""
    said: list[bytes] = []

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576}\r\n')
        said.append(await reader.read(65536))
        writer.close()

    server = await asyncio.start_server(pretend, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    there = reach.Reach(
        nats_url=f"tls://{HOST}:{port}",
        nats_credentials=guarded.key_of("operator"),
        nats_ca=guarded.authority.believed,
    )
    with pytest.raises(Problem, match="NATS does not answer"):
        async with reach.asking(there):
            pass
    server.close()
    await server.wait_closed()
    assert said
    assert not any(b"CONNECT" in heard for heard in said)


def test_what_is_no_certificate_is_said_before_anything_starts(guarded: Guarded) -> None:
    given = {
        "CARESPACE_DATABASE_URL": "postgresql://x",
        "CARESPACE_NATS_URL": guarded.url,
        "CARESPACE_VISA_KEYS": "x",
        "CARESPACE_VISA_SIGNING_KEY": "x",
    }
    file = {"CARESPACE_NATS_CA_FILE": str(guarded.authority.ca)}
    settings = config.from_environment(Config, given | file)
    assert settings.nats_ca == guarded.authority.believed.strip()
    with pytest.raises(config.Misconfigured, match="CARESPACE_NATS_CA is wrong"):
        config.from_environment(Config, given | {"CARESPACE_NATS_CA": "/not/a/certificate.pem"})


async def test_the_command_reaches_it_by_the_same_setting(guarded: Guarded) -> None:
    environ = dict(os.environ) | {
        "CARESPACE_NATS_URL": guarded.url,
        "CARESPACE_NATS_CREDENTIALS": guarded.key_of("provisioner"),
    }
    command = [sys.executable, "-m", "deploy", "dead-letters", "list"]
    ca = {"CARESPACE_NATS_CA_FILE": str(guarded.authority.ca)}
    for more, code in ((ca, 0), ({}, 2)):
        process = await asyncio.create_subprocess_exec(
            *command, env=environ | more, cwd=ROOT, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        assert process.returncode == code, (out, err)


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    keys_folder = ("--keys", tmp_path / "keys")
    half = nats_config(*keys_folder, "--tls-cert", "cert.pem")
    assert half.returncode == 2
    assert "--tls-cert and --tls-key go together" in half.stderr
    plain = nats_config(
        *(*keys_folder, "--cluster-name", "carespace", "--server-name", "one"),
        *("--cluster-listen", "0.0.0.0:6222", "--route", "two:6222"),
    )
    assert plain.returncode == 2
    assert "A cluster wants" in plain.stderr
