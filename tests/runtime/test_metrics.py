"""What a part counts, read from a real /metrics after the thing happened."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import web
from faststream.nats import NatsRouter

from deploy import waiting
from libs.contracts.base import Refused
from libs.contracts.messaging.queue import CountWaiting, Waiting
from libs.contracts.records.patients import InvitationWanted
from libs.runtime import broker, database, lifeline, metrics
from libs.runtime.broker import Unavailable, answers, ask
from tests import parts
from tests.runtime.announcing import announce
from tests.runtime.test_following import following, wanted
from tests.servers import Servers
from tests.waiting import until
from tests.watch.figures import Figures, counters, scraped

ASKED = CountWaiting.subject
HEARD = InvitationWanted.subject
FOLLOWER = {"stream": "records", "consumer": "identity-invitation_wanted"}


def messaging(servers: Servers) -> web.Application:
    """A stand-in that does what the visa says."""
    router = NatsRouter()

    async def show(asked: CountWaiting) -> Waiting:
        match asked.visa:
            case "refuse":
                raise Refused("no_mailbox")
            case "say it":
                raise Refused("Rosa Alvarez")
            case "fail":
                raise RuntimeError
            case "wait":
                await asyncio.sleep(5)
            case _:
                pass
        return Waiting(unclaimed=0, late=0, mine=0, open=0)

    answers(router, CountWaiting)(show)
    app = web.Application()
    app.cleanup_ctx.append(
        broker.connected("messaging", servers.nats_url, servers.credentials("messaging"), router)
    )
    return app


async def test_both_sides_count_a_request_by_how_it_ended(servers: Servers) -> None:
    async with counters() as scraper, parts.asking(servers) as gateway:
        before = await scraper.read()
        async with parts.running(messaging(servers)):
            await ask(gateway, CountWaiting(visa="x"))
            for visa in ("refuse", "say it"):
                with pytest.raises(Refused):
                    await ask(gateway, CountWaiting(visa=visa))
            with pytest.raises(Unavailable):
                await ask(gateway, CountWaiting(visa="fail"))
            with pytest.raises(Unavailable):
                await ask(gateway, CountWaiting(visa="wait"), within=0.2)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await ask(gateway, CountWaiting(visa="wait"), within=1)
            client = lifeline.connection(gateway)
            assert client
            await client.request(ASKED, b"nonsense", timeout=1)
            await until(metrics.ANSWERS.labels(ASKED, "late", "")._value.get)
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa="nobody is there"))
        after = await scraper.read()

    def more(name: str, **labels: str) -> float:
        return after.value(name, subject=ASKED, **labels) - before.value(
            name, subject=ASKED, **labels
        )

    assert more("carespace_asks_total", outcome="ok", code="") == 1
    assert more("carespace_asks_total", outcome="refused", code="no_mailbox") == 1
    assert more("carespace_asks_total", outcome="refused", code="other") == 1
    assert more("carespace_asks_total", outcome="failed") == 1
    assert more("carespace_asks_total", outcome="unavailable") == 2
    assert more("carespace_asks_total", outcome="broken_off") == 1
    assert more("carespace_ask_duration_seconds_count") == 7
    assert more("carespace_answers_total", outcome="ok") == 1
    assert more("carespace_answers_total", outcome="refused", code="no_mailbox") == 1
    assert more("carespace_answers_total", outcome="invalid") == 1
    assert more("carespace_answers_total", outcome="failed") == 1
    assert "Rosa" not in after.text
    assert "_created" not in after.text


async def test_a_failure_is_there_as_0_before_the_first_so_that_it_is_seen_as_a_change() -> None:
    subject = "request.messaging.never_before"
    async with counters() as scraper:
        with metrics.asking(subject), metrics.answering(subject):
            pass
        figures = await scraper.read()
    for name, words in (("asks", {"failed", "unavailable"}), ("answers", {"failed", "late"})):
        for word in words:
            assert figures.values(f"carespace_{name}_total", subject=subject, outcome=word) == [0]


async def test_an_event_is_counted_by_how_it_ended_and_how_old_it_was(
    clean: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PAUSES", (0.01,))
    tries: list[int] = []

    async def hear(event: InvitationWanted) -> None:
        tries.append(event.version)
        if event.version == 2 or tries.count(1) == 1:
            raise RuntimeError

    async with counters() as scraper:
        before = await scraper.read()
        async with parts.running(following(clean, hear), parts.relay(clean, "records")):
            await announce(clean, wanted(1), wanted(2))
            await until(lambda: tries.count(2) == 12, within=30)
            await until(metrics.EVENTS.labels(HEARD, "given_up")._value.get)
        after = await scraper.read()

    def more(name: str, **labels: str) -> float:
        return after.value(name, subject=HEARD, **labels) - before.value(
            name, subject=HEARD, **labels
        )

    assert more("carespace_events_total", outcome="ok") == 1
    assert more("carespace_events_total", outcome="failed") == 1 + 11
    assert more("carespace_events_total", outcome="given_up") == 1
    assert more("carespace_event_age_seconds_count") == 1
    assert more("carespace_event_duration_seconds_count") == 14


async def test_a_follower_that_fails_is_seen_until_it_has_done_its_event(clean: Servers) -> None:
    is_well = asyncio.Event()
    tried = asyncio.Event()

    async def hear(_: InvitationWanted) -> None:
        tried.set()
        if not is_well.is_set():
            raise RuntimeError

    async with (
        scraped(following(clean, hear)) as scraper,
        parts.running(parts.relay(clean, "records")),
    ):
        await announce(clean, wanted())
        await tried.wait()

        async def read_when(is_it: Callable[[Figures], bool]) -> Figures:
            async def now() -> Figures | None:
                figures = await scraper.read()
                return figures if is_it(figures) else None

            found: Figures = await until(now)
            return found

        await read_when(lambda said: said.value("carespace_follower_unacked", **FOLLOWER) == 1)
        stuck = await read_when(
            lambda said: said.value("carespace_follower_standing_seconds", **FOLLOWER) > 0.3
        )
        assert stuck.value("carespace_follower_oldest_unacked_seconds", **FOLLOWER) > 0
        is_well.set()
        done = await read_when(
            lambda said: said.values("carespace_follower_unacked", **FOLLOWER) == [0]
        )
    assert done.value("carespace_follower_pending", **FOLLOWER) == 0
    assert done.value("carespace_follower_standing_seconds", **FOLLOWER) == 0
    assert done.value("carespace_follower_oldest_unacked_seconds", **FOLLOWER) == 0


@pytest.fixture
def relay() -> Callable[[Servers], web.Application]:
    """The relay of records, with a pool as a service has it."""

    def made(servers: Servers) -> web.Application:
        app = web.Application()
        app.cleanup_ctx.append(
            database.connected(servers.database_url("records"), schema="records")
        )
        app.cleanup_ctx.extend(parts.relay(servers, "records").cleanup_ctx)
        return app

    return made


async def test_what_waits_in_the_outbox_is_counted_whoever_carries_it(
    clean: Servers, relay: Callable[[Servers], web.Application]
) -> None:
    deaf = replace(clean, nats_port=waiting.free_port())
    async with scraped(relay(deaf)) as scraper:
        await announce(clean, *(wanted() for _ in range(150)))
        figures = await scraper.read()
        assert figures.value("carespace_outbox_waiting") == 150
        await asyncio.sleep(0.3)
        figures = await scraper.read()
        assert 0.3 <= figures.value("carespace_outbox_oldest_seconds") < 30
        assert figures.values("carespace_dependency_up", dependency="nats") == [0]
        assert figures.values("carespace_dependency_up", dependency="postgres") == [1]
    async with scraped(relay(clean)) as scraper:

        async def carried() -> bool:
            return (await scraper.read()).values("carespace_outbox_waiting") == [0]

        await until(carried)
        figures = await scraper.read()
    assert figures.value("carespace_outbox_oldest_seconds") == 0
    assert figures.values("carespace_dependency_up", dependency="nats") == [1]


async def test_a_pool_tells_how_much_of_it_is_used_and_how_long_one_waits(
    servers: Servers, relay: Callable[[Servers], web.Application]
) -> None:
    app = relay(servers)

    async def work(hold: Awaitable[object]) -> None:
        async with database.transaction(app[database.POOL]):
            await hold

    async with scraped(app) as scraper:
        before = await scraper.read()
        go = asyncio.Event()
        working = [asyncio.create_task(work(go.wait())) for _ in range(3)]
        pool = app[database.POOL]
        await until(lambda: pool.get_size() - pool.get_idle_size() == 3)
        busy = await scraper.read()
        go.set()
        await asyncio.gather(*working)
        after = await scraper.read()
    assert busy.values("carespace_pool_connections", state="in_use") == [3]
    assert after.values("carespace_pool_connections", state="in_use") == [0]
    assert after.value("carespace_pool_limit") == database.POOL_SIZE
    name = "carespace_pool_wait_seconds_count"
    assert after.value(name) - before.value(name) == 3


async def test_what_cannot_be_had_is_left_out_and_not_said_to_be_well(
    servers: Servers, relay: Callable[[Servers], web.Application]
) -> None:
    nobody = replace(servers, postgres_port=waiting.free_port(), nats_port=waiting.free_port())
    async with scraped(relay(nobody)) as scraper:
        figures = await scraper.read()
    assert figures.values("carespace_dependency_up", dependency="postgres") == [0]
    assert [math.isnan(value) for value in figures.values("carespace_outbox_waiting")] == [True]


async def test_a_loop_that_is_held_up_says_so(servers: Servers) -> None:
    import time

    app = web.Application()
    app.cleanup_ctx.append(metrics.loop_watched)
    name = "carespace_event_loop_lag_seconds_bucket"
    async with scraped(app) as scraper:
        before = await scraper.read()
        await asyncio.sleep(metrics.LOOK / 2)
        time.sleep(metrics.LOOK)  # noqa: ASYNC251  (that is what holds it up)
        await asyncio.sleep(metrics.LOOK)
        after = await scraper.read()
    late = after.value(name, le="+Inf") - after.value(name, le="0.1")
    assert late - (before.value(name, le="+Inf") - before.value(name, le="0.1")) == 1


async def test_a_process_tells_its_memory_and_its_files() -> None:
    async with counters() as scraper:
        figures = await scraper.read()
    assert figures.value("process_resident_memory_bytes") > 10_000_000
    assert 0 < figures.value("process_open_fds") < figures.value("process_max_fds")
