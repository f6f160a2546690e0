"""How a reading ends: with a report, and with what waits for somebody."""

from datetime import datetime

from libs.contracts.records.imports import ImportState
from libs.runtime.database import Connection
from libs.runtime.keyring import KeyRing
from libs.vault.vault import Vault
from services.records.domain import importing as rules
from services.records.domain.found import LeftOut, Reason
from services.records.domain.importing import Job, Standing, Tally
from services.records.formats.recognise import Format
from services.records.means import intact
from services.records.store import reading as store
from services.records.store import subjects


async def end(  # noqa: PLR0913
    db: Connection,
    job: Job,
    ring: KeyRing,
    *,
    tally: Tally,
    format: Format,  # noqa: A002
    problem: str,
    now: datetime,
) -> None:
    """Write the report. If somebody was assigned meanwhile, the file is read once more."""
    await store.lock_reading(db, job)
    if idle := await store.remove_idle_subjects(db, job):
        what, where = "Patient of whom there is nothing to file", "the file"
        tally.add([LeftOut(reason=Reason.NOT_SUPPORTED, what=what, where=where, count=idle)])
    await store.save_left_out(db, job, tally)
    if await store.has_next_run(db, job) and not job.is_preview:
        await store.begin_next_run(db, job, now=now)
        return
    waiting, known = await subjects.count_subjects(db, job.practice_id, job.id)
    state = rules.state(
        Standing(waiting=waiting, known=known, problem=problem, is_preview=job.is_preview)
    )
    await store.save_end(
        db,
        job,
        state=state,
        format=format,
        problem=problem,
        left_out=tally.left_out,
        waiting=max(waiting, int(bool(problem))),
        now=now,
    )
    only = await store.find_only_patient(db, job)
    if only and state is ImportState.DONE:
        # What is about one patient alone goes when their key does.
        vault = Vault(db, ring, job.practice_id)
        with intact(job.content_id):
            await vault.give(await vault.open(job.content_id), owner_id=only)
