"""`carespace secrets`: a file for each thing that one part is told."""

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy import keys, secret_files
from deploy.command import commands
from deploy.problem import Problem
from libs.contracts import registry

ANYBODY = os.geteuid()


def write(folder: Path) -> list[str]:
    return secret_files.write(folder, database="postgres:5432/postgres", owner=ANYBODY)


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_a_second_time_makes_nothing_and_changes_nothing(tmp_path: Path) -> None:
    made = write(tmp_path / "here")
    before = contents(tmp_path / "here")
    assert sorted(before) == made
    assert write(tmp_path / "here") == []
    assert contents(tmp_path / "here") == before


def test_only_their_owner_reads_them(tmp_path: Path) -> None:
    write(tmp_path / "here")
    (tmp_path / "here" / "smtp-url").write_text("smtp://name:password@mail.example.com")
    (tmp_path / "here" / "smtp-url").chmod(0o644)
    write(tmp_path / "here")
    for file in (tmp_path / "here").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert stat.S_IMODE((tmp_path / "here").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_master_file_is_not_given_away(tmp_path: Path) -> None:
    secret_files.write(tmp_path / "here", database="postgres:5432/postgres", owner=10001)
    kept = {file.name for file in (tmp_path / "here").iterdir() if file.stat().st_uid == 0}
    assert kept == {"keys.json"}


def test_the_address_of_another_database_stays(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "records-database-url").write_text("postgresql://elsewhere/records")
    write(tmp_path)
    assert (tmp_path / "records-database-url").read_text() == "postgresql://elsewhere/records"


def test_a_part_of_a_newer_release_gets_its_own_and_nobody_else_a_new_one(tmp_path: Path) -> None:
    write(tmp_path)
    now = contents(tmp_path)
    newest = registry.services()[-1]
    stored = json.loads((tmp_path / "keys.json").read_text())
    del stored["postgres"][newest], stored["nats"][newest], stored["signing"]["delegation"]
    (tmp_path / "keys.json").write_text(json.dumps(stored))
    for gone in (f"{newest}.nk", f"{newest}-database-url", "delegation-visa-signing-key"):
        (tmp_path / gone).unlink()
    missing = contents(tmp_path)

    assert write(tmp_path) == sorted(now.keys() - missing.keys())
    after = contents(tmp_path)
    changed = {name for name in missing if after[name] != missing[name]}
    assert changed == {"keys.json", "role-passwords", "visa-keys", "nats.conf"}
    assert f"{newest}:" in after["role-passwords"]
    assert set(keys.kept(tmp_path).nats_public()) == {
        name.removesuffix(".nk") for name in after if name.endswith(".nk")
    }


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="can't be used"):
        write(tmp_path / "file" / "here")


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    words = ["secrets", str(tmp_path / "here")]
    first = CliRunner().invoke(commands, [*words, "--json"])
    assert json.loads(first.stdout)["made"] == sorted(contents(tmp_path / "here"))
    assert CliRunner().invoke(commands, words).stdout == "All were there already.\n"
