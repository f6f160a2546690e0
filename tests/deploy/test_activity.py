"""`carespace activity verify`, and the script for whoever downloaded a log."""

import csv
import importlib.util
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from deploy import activity
from deploy.problem import Problem
from libs.contracts.records.health import ShowHealth
from libs.runtime.broker import ask
from services.records.domain.activity import Entry, first_bad, moment
from tests.records import office
from tests.records.office import Office
from tests.records.test_activity_rules import END, LOG, WAYS, Tampering
from tests.servers import Servers

SCRIPT = Path(__file__).parents[2] / "docs/verify_activity.py"


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean) as opened:
        yield opened


async def verified(practice: Office, **how: Any) -> list[activity.Log]:
    async with activity.reading(practice.servers.database_url("admin")) as db:
        return [log async for log in activity.logs(db, **how)]


async def look(practice: Office, patient_id: Any) -> None:
    asked = ShowHealth(visa=practice.patient(patient_id), patient_id=patient_id)
    await ask(practice.broker, asked)


async def test_every_log_is_gone_through_and_the_bad_ones_are_named(practice: Office) -> None:
    rosa, tom = await practice.add_patient(), await practice.add_patient("Tom", mrn="2")
    for patient_id in (rosa, rosa, tom):
        await look(practice, patient_id)
    assert {(log.patient_id, log.entries, log.bad) for log in await verified(practice)} == {
        (rosa, 3, ""),
        (tom, 2, ""),
    }
    await practice.sql("UPDATE activity SET act = 'x' WHERE patient_id = $1 AND number = 2", rosa)
    assert {(log.patient_id, log.bad) for log in await verified(practice)} == {
        (rosa, "entry 2 is not as it was written"),
        (tom, ""),
    }
    assert [log.patient_id for log in await verified(practice, patient_id=tom)] == [tom]


async def test_a_chain_that_was_written_anew_is_noticed_by_who_kept_its_end(
    practice: Office, tmp_path: Path
) -> None:
    rosa, tom = await practice.add_patient(), await practice.add_patient("Tom", mrn="2")
    for _ in range(3):
        await look(practice, rosa)
    kept = tmp_path / "heads.json"
    told = [
        {"patient_id": str(log.patient_id), "entries": log.entries, "hash": log.hash}
        for log in await verified(practice)
    ]
    kept.write_text(json.dumps({"logs": told}))
    heads = activity.heads(kept)
    await look(practice, rosa)
    assert not [log for log in await verified(practice, since=heads) if log.bad]
    # Whoever owns the database cuts off two entries, and says that the log ended there.
    await practice.sql("DELETE FROM activity WHERE patient_id = $1 AND number > 3", rosa)
    await practice.sql(
        """
        UPDATE activity_head h SET number = 3, hash = a.hash
          FROM activity a
         WHERE a.patient_id = h.patient_id AND a.number = 3 AND h.patient_id = $1
        """,
        rosa,
    )
    await practice.sql("DELETE FROM activity WHERE patient_id = $1", tom)
    await practice.sql("DELETE FROM activity_head WHERE patient_id = $1", tom)
    assert not [log for log in await verified(practice) if log.bad]
    bad = {log.patient_id: log.bad for log in await verified(practice, since=heads)}
    assert bad == {
        rosa: "entry 4 is no longer what it was then",
        tom: "entry 1 is missing: the whole log is gone",
    }


async def test_a_role_that_sees_one_practice_at_a_time_is_told_so(practice: Office) -> None:
    with pytest.raises(Problem, match="name an administrator"):
        async with activity.reading(practice.servers.database_url("records")):
            pass


def test_what_is_no_earlier_answer_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "heads.json").write_text('{"logs": [{}]}')
    with pytest.raises(Problem, match=r"heads.json is not what"):
        activity.heads(tmp_path / "heads.json")


def told(entry: Entry) -> dict[str, str | int]:
    """An entry as it stands in a download."""
    return {
        "at": moment(entry.at),
        "sentence": "Somebody did something",
        "number": entry.number,
        "actor_name": entry.actor_name,
        "capacity": entry.capacity,
        "act": entry.act,
        "subject": entry.subject,
        "reason": entry.reason,
        "actor_id": str(entry.actor_id),
        "practice_id": str(entry.practice_id),
        "patient_id": str(entry.patient_id),
        "previous": entry.previous.hex(),
        "hash": entry.hash.hex(),
    }


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_activity", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("way", WAYS)
def test_the_script_says_what_the_portal_would(script: ModuleType, way: Tampering) -> None:
    chance = random.Random(way.__name__)
    end = (END.number, END.hash.hex())
    for _ in range(15):
        entries, _place = way(chance)
        assert script.first_bad([told(entry) for entry in entries], end) == first_bad(entries, END)
    whole = [told(entry) for entry in LOG]
    assert script.first_bad(whole, end) == ""


def run(file: Path) -> subprocess.CompletedProcess[str]:
    """As somebody would who has Python and the file, and nothing of ours."""
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file)], capture_output=True, text=True, check=False
    )


def test_the_script_reads_both_files_and_names_the_first_bad_entry(tmp_path: Path) -> None:
    log = [replace(entry) for entry in LOG[:50]]
    rows = [told(entry) for entry in log]
    as_json, as_csv = tmp_path / "activity.json", tmp_path / "activity.csv"
    head = {"format": "carespace-activity-1", "last_number": 50, "last_hash": log[-1].hash.hex()}
    as_json.write_text(json.dumps(head | {"entries": rows}))
    with as_csv.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    assert (run(as_json).returncode, run(as_csv).returncode) == (0, 0)
    assert "50 entries" in run(as_json).stdout
    rows[7]["actor_name"] = "Nobody"
    as_json.write_text(json.dumps(head | {"entries": rows}))
    said = run(as_json)
    assert (said.returncode, said.stdout) == (
        1,
        "The log does not hold: entry 8 is not as it was written.\n",
    )
    as_json.write_text(json.dumps(head | {"entries": [told(entry) for entry in log[:-1]]}))
    assert "entry 50 is missing" in run(as_json).stdout


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", "at,number\nx,y\n", '{"entries": 5}'])
def test_the_script_says_of_another_file_that_it_is_no_log(tmp_path: Path, content: str) -> None:
    file = tmp_path / f"{uuid4()}.json"
    file.write_text(content)
    said = run(file)
    assert said.returncode == 2 or "0 entries" in said.stdout
    assert "Traceback" not in said.stdout + said.stderr
