"""What each part may say and hear on NATS: exactly what its contracts say, and nothing more."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from deploy import keys, nats_chart, nats_config, streams, waiting
from deploy import nats as nats_server
from libs.contracts import registry
from libs.contracts.base import owner, phrase
from tests.helm.nats_server import configuration
from tests.servers import Servers

PARTS = tuple(nats_config.users())
VIOLATION = re.compile(r'violation for (publish|subscription) to "([^"]+)"', re.IGNORECASE)


@pytest.fixture(scope="module", params=["from our file", "from the values for NATS's chart"])
def apart(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """The same accounts on a NATS of its own: what is tried here may break it for those after us."""
    folder, (port, monitor) = tmp_path_factory.mktemp("nats"), waiting.free_ports(2)
    public = servers.keys.nats_public()
    config = nats_config.render(public, host="127.0.0.1", port=port, store=str(folder / "store"))
    if request.param != "from our file":
        values = nats_chart.values(public)
        config = configuration(values, port=port, monitor=monitor, folder=folder)
    server = nats_server.start(folder, config=config, host="127.0.0.1", port=port)
    here = replace(servers, nats_port=port)
    asyncio.run(provisioned(here))
    yield here
    server.terminate()
    server.wait(10)


async def provisioned(here: Servers) -> None:
    client = await nats.connect(
        here.nats_url,
        nkeys_seed=here.credentials("provisioner"),
        inbox_prefix=b"_INBOX_provisioner",
    )
    await streams.provision(client.jetstream())
    await client.close()


@asynccontextmanager
async def connected(servers: Servers, part: str) -> AsyncIterator[tuple[Client, set[str]]]:
    """A connection with a part's key, and the subjects refused it, which nats-py writes small."""
    refused: set[str] = set()

    async def note(error: Exception) -> None:
        found = VIOLATION.search(str(error))
        assert found, error
        refused.add(found[2])

    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials(part),
        inbox_prefix=f"_INBOX_{part}".encode(),
        error_cb=note,
    )
    try:
        yield client, refused
    finally:
        await client.close()


async def settled(client: Client) -> None:
    """What we sent has been judged, and the judgement has arrived.

    nats-py's ping overtakes what still waits to be sent; a second one comes behind all of it.
    """
    await client.flush()
    await client.flush()
    await asyncio.sleep(0.1)


def contract_subjects() -> set[str]:
    requests = {request.subject for request in registry.requests()}
    return requests | {event.subject for event in registry.events()}


def consumer_subjects() -> dict[str, set[str]]:
    """What each follower needs to pull its events, and to count the dead letters."""
    needed: dict[str, set[str]] = {part: set() for part in PARTS}
    needed["notifier"].add(f"$JS.API.STREAM.INFO.{nats_config.DEAD}")  # how many, for the metrics
    for event in registry.events():
        for follower in event.followers:
            consumer = f"{owner(event)}.{follower}-{phrase(event)}"
            needed[follower] |= {
                f"$JS.API.CONSUMER.INFO.{consumer}",
                f"$JS.API.CONSUMER.MSG.NEXT.{consumer}",
                f"$JS.ACK.{consumer}.1.1.1.1.0",
            }
    return needed


STREAM_VERBS = (
    "STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.INFO",
    "STREAM.MSG.GET", "STREAM.MSG.DELETE", "STREAM.SNAPSHOT", "STREAM.RESTORE",
    "STREAM.PEER.REMOVE", "STREAM.LEADER.STEPDOWN", "DIRECT.GET", "CONSUMER.NAMES",
    "CONSUMER.LIST", "CONSUMER.CREATE",
)  # fmt: skip
CONSUMER_VERBS = (
    "CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE", "CONSUMER.DELETE", "CONSUMER.PAUSE",
    "CONSUMER.RESET", "CONSUMER.UNPIN", "CONSUMER.LEADER.STEPDOWN",
)  # fmt: skip
ACCOUNT_VERBS = (
    "INFO", "STREAM.NAMES", "STREAM.LIST", "META.LEADER.STEPDOWN", "SERVER.REMOVE",
    "ACCOUNT.PURGE.$G",
)  # fmt: skip
"""What JetStream can be asked to do (docs.nats.io, JetStream wire API), but for following."""


def management_subjects() -> set[str]:
    streams = (*registry.services(), nats_config.DEAD)
    consumers = [
        f"{owner(event)}.{follower}-{phrase(event)}"
        for event in registry.events()
        for follower in event.followers
    ]
    asked = {f"{verb}.{stream}" for verb in STREAM_VERBS for stream in streams}
    asked |= {f"{verb}.{consumer}" for verb in CONSUMER_VERBS for consumer in consumers}
    return {f"$JS.API.{verb}" for verb in asked | {*ACCOUNT_VERBS}}


def whats_nobodys() -> set[str]:
    """The server's own business, other stores that JetStream has, and subjects of no contract."""
    return {
        "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO", "$SYS.ACCOUNT.$G.CONNECT", "$KV.any.key",
        "$O.any.M.x", "$JS.FC.identity.x", "$JS.EVENT.ADVISORY.STREAM.DELETED.identity",
        "anything", "request.everyone.else",
    }  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_can_publish_what_its_contracts_say_and_nothing_else(
    apart: Servers, part: str
) -> None:
    asks = {request.subject for request in registry.requests() if part in request.askers}
    announces = {event.subject for event in registry.events() if owner(event) == part}
    needs = consumer_subjects()
    may = asks | announces | needs[part]
    if part == "provisioner":
        acknowledged = {subject for subject in set().union(*needs.values()) if "ACK" in subject}
        may = management_subjects() | set().union(*needs.values()) - acknowledged
        may |= {event.subject for event in registry.events()} | {"event.everyone.else"}
    everything = (
        contract_subjects()
        | management_subjects()
        | whats_nobodys()
        | set().union(*needs.values())
        | {f"_INBOX_{other}.x" for other in PARTS}
        | {"event.everyone.else"}
    )
    async with connected(apart, part) as (client, refused):
        for subject in everything:
            await client.publish(subject, b"{}", reply=f"_INBOX_{part}.nobody")
        await settled(client)
    assert {subject for subject in everything if subject.lower() not in refused} == may


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_can_hear_what_its_contracts_say_and_nothing_else(
    apart: Servers, part: str
) -> None:
    answers = {request.subject for request in registry.requests() if owner(request) == part}
    hears = {event.subject for event in registry.events() if part in event.listeners}
    everything = (
        contract_subjects()
        | {f"_INBOX_{other}.>" for other in PARTS}
        | {">", "*", "_INBOX.>", "request.>", "event.>", "$JS.>", "$SYS.>", "$JS.EVENT.>"}
    )
    async with connected(apart, part) as (client, refused):
        for subject in everything:
            await client.subscribe(subject, queue=part if subject in answers else "")
        await settled(client)
    assert {s for s in everything if s.lower() not in refused} == answers | hears | {
        f"_INBOX_{part}.>"
    }


async def test_nobody_overhears_what_another_replica_is_asked(servers: Servers) -> None:
    """A service's requests are heard in its queue group only, not beside it."""
    async with connected(servers, "identity") as (client, refused):
        await client.subscribe("request.identity.log_in")
        await client.subscribe("request.identity.*")
        await settled(client)
    assert refused == {"request.identity.log_in", "request.identity.*"}


@pytest.mark.parametrize("said", [{}, {"user": "gateway", "pass": "gateway"}, {"nkey": "U"}])
async def test_nobody_comes_in_without_a_key(servers: Servers, said: dict[str, str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.nats_port)
    await reader.readline()
    writer.write(b"CONNECT " + json.dumps(said).encode() + b"\r\nPING\r\n")
    assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
    assert await reader.read() == b""
    writer.close()


def test_the_server_takes_the_configuration_and_syncs_before_it_acknowledges(
    tmp_path: Path,
) -> None:
    made = keys.make()
    rendered = nats_config.render(
        made.nats_public(), host="127.0.0.1", port=4222, store=str(tmp_path)
    )
    settings = tmp_path / "nats.conf"
    settings.write_text(rendered)
    tried = subprocess.run(
        [nats_server.binary(), "-t", "-c", settings], check=False, capture_output=True
    )
    assert tried.returncode == 0, tried.stderr
    assert 'sync_interval: "always"' in rendered
    assert not any(seed in rendered for seed in made.nats.values())


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert keys.kept(folder) == keys.kept(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
