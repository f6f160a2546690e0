"""A portal that is watched: its traces go to a collector, and people have used it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.journeys import installation
from tests.journeys.client import Client, date_fields
from tests.journeys.installation import Installation
from tests.watch.collector import Collector, collecting

ROSA, BORN = "rosa.alvarez@example.com", (1961, 4, 12)
NURSE = "nurse@lakeside.example.com"
CANARY = "Zwergspitzmaus"
"""A name, an address and a password that nobody has."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The portal, who takes its traces, and the requests that were made."""

    portal: Installation
    collector: Collector
    requests: dict[str, str]
    """The ids of a few, by what they were."""
    patient: str
    """The number in the addresses of Rosa's pages."""


@pytest.fixture(scope="package")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with collecting() as collector, pytest.MonkeyPatch.context() as patched:
        patched.setenv("CARESPACE_OTLP_ENDPOINT", collector.url)
        with installation.up(tmp_path_factory.mktemp("watched") / "here") as portal:
            requests, patient = asyncio.run(_used(portal))
            yield Watched(portal=portal, collector=collector, requests=requests, patient=patient)


async def _used(portal: Installation) -> tuple[dict[str, str], str]:
    requests = {}
    async with Client(portal) as rosa, Client(portal) as nurse, Client(portal) as stranger:
        home = await rosa.log_in(ROSA, BORN)
        patient = home.place.split("/")[2]
        await asyncio.sleep(5)  # until the gateway asks anew who she is
        page = await rosa.get(f"/p/{patient}/health")
        assert page.status == 200
        requests["health"] = page.headers["Request-Id"]
        await nurse.log_in_as_staff(NURSE)
        added = await nurse.send(
            "/staff/patients/new",
            {
                "given": CANARY,
                "family": CANARY,
                "email": f"{CANARY}@example.com",
                "invite": "yes",
                **date_fields((1971, 2, 3)),
            },
        )
        assert added.status == 303, added.text
        requests["add"] = added.headers["Request-Id"]
        wrong = {"email": f"{CANARY}@example.com", "password": CANARY}
        assert (await stranger.send("/login", wrong)).status in (200, 422, 400)
        lost = await stranger.get(f"/{CANARY}?name={CANARY}")
        requests["lost"] = lost.headers["Request-Id"]
    return requests, patient
