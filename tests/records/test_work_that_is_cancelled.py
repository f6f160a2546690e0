"""Work that nobody wants any more stops in the middle, and leaves nothing of what it had made.

A PDF takes longest: its setter is held where it is, so that nothing but being cancelled ends it.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest

from libs.contracts.base import Refused
from libs.contracts.records.exports import CancelExport, Export, ExportState, Format, ShowExport
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import RevokeSending, SendingState
from libs.runtime.broker import ask
from tests.messaging import ward
from tests.records import office
from tests.records.office import Office
from tests.records.test_exports import finished, make, message
from tests.records.test_sending import asked, listed
from tests.servers import Servers
from tests.waiting import until

SETTER = b"services.records.exporting.setting"
SECONDS = 5
"""Within which it has stopped; being looked at each second, it takes one."""


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean, ward.app(clean), with_identity=True) as opened:
        yield opened


def setters(records: int | None = None) -> list[int]:
    """The processes that set a PDF for records, which may run in our own."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = f"\nPPid:\t{records or os.getpid()}\n" in (process / "status").read_text()
            if ours and SETTER in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


@contextmanager
def held() -> Iterator[list[int]]:
    """The setters that were met, which never come to an end by themselves."""
    met: list[int] = []
    yield met
    for one in met:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGCONT)


async def hold(met: list[int]) -> None:
    """The next setter, in the middle of its work."""
    [one] = await until(setters)
    os.kill(one, signal.SIGSTOP)
    met.append(one)


async def left(practice: Office) -> int:
    """Contents, files, and what they are packed in."""
    rows = [
        await practice.sql(f"SELECT FROM {table}")
        for table in ("content", "export", "sending_content", "sending_file")
    ]
    return sum(map(len, rows))


@pytest.mark.parametrize(("form", "done"), [(Format.PDF, 0), (Format.ZIP, 3)])
async def test_a_cancelled_download_stops_the_work_and_leaves_nothing(
    practice: Office, form: Format, done: int
) -> None:
    rosa = await practice.add_patient()
    await message(practice, rosa, "It itches. " * 200)
    with held() as met:
        export = await make(practice, rosa, form)
        await hold(met)

        async def waits_for_it() -> bool:
            return (await _show(practice, rosa, export)).done == done

        await until(waits_for_it)
        visa = practice.patient(rosa)
        cancel = CancelExport(visa=visa, patient_id=rosa, export_id=export.export_id)
        await ask(practice.broker, cancel)
        await until(lambda: not setters(), within=SECONDS)

        async def is_forgotten() -> bool:
            return await left(practice) == 0

        await until(is_forgotten, within=SECONDS)
    with pytest.raises(Refused, match=Refusal.UNKNOWN_EXPORT):
        await _show(practice, rosa, export)
    again = await finished(practice, rosa, await make(practice, rosa, form))
    assert again.state is ExportState.READY


async def test_a_record_that_is_taken_back_while_it_is_packed_is_packed_no_further(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"%PDF-1.7")
    with held() as met:
        off = await ask(practice.broker, asked(practice, rosa), within=20)
        await hold(met)
        await _revoke(practice, rosa, off.sending_id)
        await until(lambda: not setters(), within=SECONDS)

        async def is_forgotten() -> bool:
            return await left(practice) == 1  # the document

        await until(is_forgotten, within=SECONDS)
    assert [one.state for one in await listed(practice, rosa)] == [SendingState.REVOKED]


async def _show(practice: Office, rosa: UUID, export: Export) -> Export:
    asked = ShowExport(visa=practice.patient(rosa), patient_id=rosa, export_id=export.export_id)
    return await ask(practice.broker, asked)


async def _revoke(practice: Office, rosa: UUID, sending_id: UUID) -> None:
    visa = practice.patient(rosa)
    await ask(practice.broker, RevokeSending(visa=visa, patient_id=rosa, sending_id=sending_id))
