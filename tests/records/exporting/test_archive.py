"""The archive, opened with what people have: names that every system takes, sums that agree."""

import hashlib
import io
import os
import shutil
import subprocess
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from libs.contracts.records.exports import Format
from services.records.domain import export as rules
from services.records.domain.chart import Chart
from services.records.exporting import archive, files
from services.records.exporting.pieces import Checksum, Original
from tests.records.exporting import charts

ZONE = ZoneInfo(charts.PRACTICE.time_zone)
RESERVED = set('/\\:*?"<>|')


async def zipped(chart: Chart, contents: dict[object, bytes]) -> bytes:
    async def step() -> None: ...

    made = b""
    async for piece in files.pieces(chart, Format.ZIP, step=step, fetch=charts.nothing):
        if isinstance(piece, bytes):
            made += piece
        elif isinstance(piece, Original):
            made += contents[piece.document.id]
        else:
            data = contents[cast("Checksum", piece).document.id]
            made += zlib.crc32(data).to_bytes(4, "little")
    return made


@pytest.fixture
async def whole() -> bytes:
    """A record whose documents have the names that nobody would give them."""
    documents = charts.odd_papers()
    contents: dict[object, bytes] = {
        one.id: name.encode() for one, name in zip(documents, charts.HOSTILE_NAMES, strict=True)
    }
    return await zipped(charts.chart((), documents), contents)


def test_every_name_is_one_that_every_system_can_hold_and_none_is_another() -> None:
    documents = charts.odd_papers()
    names = list(archive.paths(documents, ZONE).values())
    for name in names:
        folder, _, file = name.partition("/")
        assert folder == archive.FOLDER
        assert not RESERVED & set(file)
        assert file.isprintable()
        assert file == file.rstrip(" .")
        assert len(file.encode()) <= 255
        assert file[:10] == documents[0].day_in(ZONE).isoformat()
    told_apart = {unicodedata.normalize("NFC", name).casefold() for name in names}
    assert len(told_apart) == len(documents)


def test_it_unpacks_where_it_is_unpacked_and_its_sums_agree(whole: bytes, tmp_path: Path) -> None:
    if not shutil.which("unzip") or not shutil.which("sha256sum"):
        pytest.skip("unzip is not installed")
    (tmp_path / "record.zip").write_bytes(whole)
    into = tmp_path / "into"
    for where, command in (
        (tmp_path, ["unzip", "-q", "record.zip", "-d", "into"]),
        (into, ["sha256sum", "--check", "--strict", "--quiet", archive.SUMS]),
    ):
        subprocess.run(command, cwd=where, check=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
    assert sorted(one.name for one in tmp_path.iterdir()) == ["into", "record.zip"]
    held = sorted(one.read_bytes() for one in (into / archive.FOLDER).iterdir())
    assert held == sorted(name.encode() for name in charts.HOSTILE_NAMES)


async def test_it_is_made_in_as_many_steps_as_were_said_before() -> None:
    """The last is all that lies beside the forms, which takes longest where there is much of it."""
    done = 0

    async def step() -> None:
        nonlocal done
        done += 1

    steps = [
        done
        async for _ in files.pieces(charts.chart(), Format.ZIP, step=step, fetch=charts.nothing)
    ]
    assert set(steps) == set(range(rules.steps(Format.ZIP)))


def test_its_manifest_names_every_file_but_itself(whole: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        held = {name: opened.read(name) for name in opened.namelist()}
    sums = held.pop(archive.SUMS).decode().splitlines()
    assert sorted(sums) == sorted(
        f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in held.items()
    )
