"""Log-ins through the whole chain, beside argon2 alone with the same parameters and threads."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type

from bench import load, portal
from bench.charts import Someone
from bench.figures import Finding
from bench.portal import PASSWORD
from bench.terms import Terms
from services.identity.config import Config

PATIENTS = 8
"""Who log in at the same time: more than are hashed at once, fewer than may wait."""


async def measure(terms: Terms) -> list[Finding]:
    """Log-ins per second, of both sides in turns."""
    async with portal.up() as here:
        patients = await here.registered([Someone(number=number) for number in range(PATIENTS)])
        doors = [await here.log_in(patient) for patient in patients]
        ours, baseline = [], []
        await load.flat_out(doors, seconds=1)
        for number in range(terms.rounds):
            terms.say(f"logins: round {number + 1} of {terms.rounds}")
            ours.append((await load.flat_out(doors, seconds=terms.seconds)).per_second)
            baseline.append(await asyncio.to_thread(argon2_alone, terms.seconds))
    return [
        Finding(
            name="logins",
            what=f"log-ins, {len(doors)} at a time",
            unit="per s",
            ours=ours,
            beside=f"argon2 alone, {os.cpu_count()} threads",
            baseline=baseline,
            budget=0.9,
        )
    ]


def argon2_alone(seconds: float) -> float:
    """Passwords checked in a second by a thread for each core, and nothing else done."""
    hasher = PasswordHasher(
        time_cost=Config.argon2_passes,
        memory_cost=Config.argon2_memory_kib,
        parallelism=Config.argon2_lanes,
        type=Type.ID,
    )
    known = hasher.hash(PASSWORD)
    began = time.perf_counter()

    def check(_: int) -> int:
        done = 0
        while time.perf_counter() < began + seconds:
            done += hasher.verify(known, PASSWORD)
        return done

    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        checked = sum(pool.map(check, range(threads)))
    return checked / (time.perf_counter() - began)
