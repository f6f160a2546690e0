"""What reading a FHIR file costs in time and memory, measured in a process of its own."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.records.formats.fhir_resources import (
    observation,
)

MEGABYTE = 1024 * 1024
ROOT = Path(__file__).parents[3]


class Cost(NamedTuple):
    seconds: float
    megabytes: float
    results: int


MEASURE = """
import sys, time
from services.records.domain.found import Unreadable
from services.records.domain.result import Result
from services.records.formats import fhir

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

before, began, results = peak(), time.process_time(), 0
try:
    with open(sys.argv[1], "rb") as source:
        for one in fhir.read(source):
            results += isinstance(one, Result)
except Unreadable:
    pass
print(time.process_time() - began, peak() - before, results)
"""


def cost(path: Path) -> Cost:
    """What reading a file costs a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seconds, megabytes, taken = done.stdout.split()
    return Cost(float(seconds), float(megabytes), int(taken))


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not tell a process's peak"
)
OPENING = b'{"resourceType":"Bundle","entry":['


@needs_proc
@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10 * MEGABYTE,
        b'{"a":' * 2 * MEGABYTE,
        b'{"resourceType":"Bundle","entry":[{"resource":' * 200_000,
        OPENING + b"[" * 10 * MEGABYTE,
        OPENING + b"{}," * 3 * MEGABYTE,
        OPENING + b"7," * 5 * MEGABYTE,
        OPENING + b"]" * 10 * MEGABYTE,
        OPENING + b'"' + b"a" * 10 * MEGABYTE,
        OPENING + b'"' * 10 * MEGABYTE,
        OPENING + b"\\" * 10 * MEGABYTE,
        b"\n" * 10 * MEGABYTE,
        b"x\n" * 5 * MEGABYTE,
        b"{}\n" * 3 * MEGABYTE,
        b'{"resourceType":"Bundle"' + b',"a":{}' * MEGABYTE + b"}",
        b'{"resourceType":"Bundle"' + b"".join(b',"%d":1' % n for n in range(MEGABYTE)) + b"}",
        b'{"resourceType":"Observation","note":[' + b"{}," * 3 * MEGABYTE + b"{}]}",
        b'{"resourceType":"Observation","valueString":"' + "😀".encode() * 2 * MEGABYTE + b'"}',
        b"\xff\xfe" + b"\x00\xd8" * 5 * MEGABYTE,
    ],
    ids=lambda data: repr(data[:50]),
)
def test_a_storm_ends_in_time_and_in_little_memory(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "storm.json"
    path.write_bytes(data)

    spent = cost(path)

    assert spent.seconds < 5
    assert spent.megabytes < 60


@needs_proc
@pytest.mark.parametrize("form", ["lines", "bundle"])
def test_memory_is_flat_in_the_size_of_the_file(tmp_path: Path, form: str) -> None:
    def written(megabytes: int) -> Path:
        path = tmp_path / f"{megabytes}.json"
        note = [{"text": "z" * 600}]
        opening, between, end = ("", "\n", "") if form == "lines" else (OPENING.decode(), ",", "]}")
        with path.open("w") as file:
            file.write(opening)
            for number in range(megabytes * 1000):
                whole = observation(id=f"o{number}", note=note)
                entry = whole if form == "lines" else {"resource": whole}
                file.write((between if number else "") + json.dumps(entry))
            file.write(end)
        return path

    small, large = cost(written(5)), cost(written(25))

    assert (small.results, large.results) == (5_000, 25_000)
    assert large.megabytes < small.megabytes + 8
    assert large.megabytes < 25


@needs_proc
def test_a_document_costs_a_few_times_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    data = base64.b64encode(bytes(20 * MEGABYTE)).decode()
    path.write_text(
        json.dumps(
            {"resourceType": "DocumentReference", "content": [{"attachment": {"data": data}}]}
        )
    )

    assert cost(path).megabytes < 5 * 20


IN_NO_MORE_FILES = """
import io, resource, sys
from services.records.formats import fhir

files = [io.BytesIO(bytes.fromhex(written)) for written in sys.argv[1:]]
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
for file in files:
    print(*(found.what for found in fhir.read(file)))
"""


def test_a_process_that_may_open_no_more_files_reads_every_encoding() -> None:
    written = '{"resourceType": "Claim", "id": "é"}'
    encodings = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252")
    done = subprocess.run(
        [sys.executable, "-c", IN_NO_MORE_FILES, *(written.encode(e).hex() for e in encodings)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout.split(), done.stderr) == (["Claim"] * 5, "")
