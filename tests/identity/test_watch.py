"""What identity counts of log-ins, guessing and hashing, read from a real /metrics."""

import asyncio
import os

from libs.contracts.identity.refusals import Refusal
from services.identity import hashing
from services.identity.domain.throttle import LIMITS, Scope
from tests.identity.desk import EMAIL, HOME, NURSE, PASSWORD, Desk, code
from tests.watch.figures import counters

WRONG = "Wrong-Harbor-72"


async def test_log_ins_are_counted_by_how_they_ended(desk: Desk) -> None:
    await desk.register()
    secret = await desk.register_staff()
    async with counters() as scraper:
        before = await scraper.read()
        await desk.session()
        await desk.refusal(desk.login(password=WRONG))
        await desk.refusal(desk.staff_login())
        await desk.ask(desk.staff_login(code=code(secret)))
        after = await scraper.read()

    def more(**labels: str) -> float:
        name = "carespace_logins_total"
        return after.value(name, **labels) - before.value(name, **labels)

    assert more(who="patient", outcome="ok") == 1
    assert more(who="patient", outcome=Refusal.NOT_RECOGNISED) == 1
    assert more(who="staff", outcome="ok") == 1
    assert more(who="staff") == 2
    for private in (EMAIL, NURSE, HOME, PASSWORD, WRONG):
        assert private not in after.text


async def test_a_lock_out_is_counted_as_it_is_reached_and_then_who_is_turned_away(
    desk: Desk,
) -> None:
    await desk.register()

    async with counters() as scraper:
        before = await scraper.read()
        for _ in range(LIMITS[Scope.HERE] - 1):
            await desk.refusal(desk.login(password=WRONG))
        almost = await scraper.read()
        await desk.refusal(desk.login(password=WRONG))
        reached = await scraper.read()
        for _ in range(2):
            assert await desk.refusal(desk.login()) == Refusal.TRY_LATER
        after = await scraper.read()
    lockouts, held_back = "carespace_lockouts_total", "carespace_tries_held_back_total"
    here, others = Scope.HERE, Scope.SOURCE
    assert almost.value(lockouts, scope=here) == before.value(lockouts, scope=here)
    assert reached.value(lockouts, scope=here) == before.value(lockouts, scope=here) + 1
    assert reached.value(held_back, scope=here) == before.value(held_back, scope=here)
    assert after.value(held_back, scope=here) == before.value(held_back, scope=here) + 2
    assert after.value(lockouts, scope=others) == before.value(lockouts, scope=others)
    outcome = {"who": "patient", "outcome": Refusal.TRY_LATER}
    logins = "carespace_logins_total"
    assert after.value(logins, **outcome) == before.value(logins, **outcome) + 2


async def test_the_queue_for_hashing_is_seen_and_who_does_not_fit_into_it(desk: Desk) -> None:
    slow = {"memory_kib": 64 * 1024, "passes": 3, "lanes": 1}
    most = (os.cpu_count() or 1) + hashing.QUEUE
    with desk.hashing_as(**slow) as made:
        async with counters() as scraper:
            before = await scraper.read()
            waiting = [asyncio.create_task(made.hash(PASSWORD)) for _ in range(most + 1)]
            await asyncio.sleep(0.05)
            busy = await scraper.read()
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await made.fits(None, PASSWORD)
            after = await scraper.read()
    assert 0 < busy.value("carespace_argon2_under_way") <= most
    assert busy.value("carespace_argon2_limit") == most
    refused = "carespace_argon2_refused_total"
    assert after.value(refused) == before.value(refused) + 1
    assert after.value("carespace_argon2_under_way") == 0
    seconds = "carespace_argon2_duration_seconds"
    assert after.value(f"{seconds}_sum") > before.value(f"{seconds}_sum")
