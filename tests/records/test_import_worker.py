"""A reading that is broken off anywhere goes on elsewhere: nothing lost, nothing twice."""

import os
import signal
import subprocess
import sys
from functools import partial
from uuid import UUID, uuid4

from deploy.waiting import free_port
from libs.contracts.records.imports import ImportState
from services.records import app
from tests import parts
from tests.records import office
from tests.records.bundles import bundle, note, patient, result
from tests.records.office import Office
from tests.servers import Servers
from tests.waiting import until

RESULTS = 12_000
NOTES = 20


def start(servers: Servers) -> "subprocess.Popen[bytes]":
    """The service in a process of its own, which can be killed."""
    given = office.config(servers)
    return subprocess.Popen(
        [sys.executable, "-m", "services.records"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "CARESPACE_DATABASE_URL": given.database_url,
            "CARESPACE_NATS_URL": given.nats_url,
            "CARESPACE_NATS_CREDENTIALS": given.nats_credentials,
            "CARESPACE_VISA_KEYS": given.visa_keys,
            "CARESPACE_KEY_RING": given.key_ring,
            "CARESPACE_PORT": str(free_port()),
        },
        stderr=subprocess.DEVNULL,
    )


async def position(practice: Office, import_id: UUID) -> int:
    rows = await practice.sql("SELECT position FROM import WHERE id = $1", import_id)
    return int(rows[0]["position"])


async def test_killed_again_and_again_in_the_middle_it_files_everything_once_and_counts_it_once(
    clean: Servers,
) -> None:
    results = [result(f"r{number}", at=f"20{10 + number % 15}-05-02") for number in range(RESULTS)]
    notes = [note(f"n{number}", b"Note %d" % number) for number in range(NOTES)]
    file = bundle(patient(), *results, *notes)
    async with parts.running(app.build(office.config(clean))), parts.asking(clean) as broker:
        practice = Office(clean, broker, uuid4(), uuid4())
        rosa = await practice.add_patient()
        upload_id = await practice.upload(file)
        await practice.sql("UPDATE upload SET media_type = '' WHERE id = $1", upload_id)
    process = start(clean)
    kills = 0
    try:
        async with parts.asking(clean) as broker:
            practice = Office(clean, broker, practice.practice_id, practice.account_id)
            await until(lambda: _is_answering(practice), within=30)
            import_id = await practice.start_uploaded(upload_id)
            for _ in range(3):
                before = await position(practice, import_id)
                await until(partial(_moved, practice, import_id, before), within=60)
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                if (await _state(practice, import_id)) != "reading":
                    break
                await practice.sql(
                    "UPDATE import SET leased_until = now() WHERE id = $1", import_id
                )
                process = start(clean)
            await until(lambda: _is_answering(practice), within=30)
            report = await practice.report(import_id, within=120)
    finally:
        process.kill()
        process.wait()
    (subject,) = report.subjects
    print("kills", kills, subject)
    assert kills
    assert report.state is ImportState.DONE
    assert (subject.results_found, subject.results_taken) == (RESULTS, RESULTS)
    assert (subject.documents_found, subject.documents_taken) == (NOTES, NOTES)
    stored = await practice.sql("SELECT count(*) AS n FROM result WHERE patient_id = $1", rosa)
    assert stored[0]["n"] == RESULTS
    kept = await practice.sql("SELECT count(*) AS n FROM document WHERE patient_id = $1", rosa)
    assert kept[0]["n"] == NOTES


async def _state(practice: Office, import_id: UUID) -> str:
    rows = await practice.sql("SELECT state FROM import WHERE id = $1", import_id)
    return str(rows[0]["state"])


async def _moved(practice: Office, import_id: UUID, before: int) -> bool:
    if await _state(practice, import_id) != "reading":
        return True
    return await position(practice, import_id) > before


async def _is_answering(practice: Office) -> bool:
    try:
        await practice.upload(b"x")
    except Exception:  # noqa: BLE001  (away is away, however it shows)
        return False
    return True
