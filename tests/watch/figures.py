"""What a real `/metrics` says, read as Prometheus reads it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer
from prometheus_client.parser import text_string_to_metric_families

from libs.runtime import health


class Figures:
    """One answer of `/metrics`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum of what has this name and these labels; 0 where there is nothing."""
        return sum(self.values(name, **labels))

    def values(self, name: str, **labels: str) -> list[float]:
        return [
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]


async def read(url: str) -> Figures:
    """What is told at this address."""
    async with ClientSession() as client, client.get(url) as answer:
        assert answer.status == 200
        return Figures(await answer.text())


class Scraper:
    """Somebody who asks a server for its metrics."""

    def __init__(self, server: BaseTestServer) -> None:
        self._url = str(server.make_url("/metrics"))

    async def read(self) -> Figures:
        return await read(self._url)


@asynccontextmanager
async def counters() -> AsyncIterator[Scraper]:
    """What this process counts; parts that run in it count together."""
    app = web.Application()
    app.add_routes(health.routes)
    async with TestServer(app) as server:
        yield Scraper(server)


@asynccontextmanager
async def scraped(app: web.Application) -> AsyncIterator[Scraper]:
    """This part, running, and what it says of itself besides."""
    if health.metrics not in {route.handler for route in app.router.routes()}:
        app.add_routes(health.routes)
    async with TestServer(app) as server:
        yield Scraper(server)
