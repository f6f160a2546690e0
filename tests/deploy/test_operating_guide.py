"""The operator's guide names every setting there is, and who reads it."""

import os
import re
import shutil
import subprocess
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from libs.contracts import registry
from tests.images import compose

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operating.md").read_text()
ROW = re.compile(r"^\| `CARESPACE_(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
PARTS = (*registry.services(), "gateway")
REQUIRED = "it does not start"
AS_IT_IS = {
    "NATS_CA",
    *("HOST", "PORT", "HEALTH_PORT", "MAILBOX_URL", "TRUSTED_PROXIES", "SMTP_CA"),
    *("ARGON2_MEMORY_KIB", "ARGON2_PASSES", "ARGON2_LANES"),
}
"""Settings that the compose file may leave at what the image or the part says."""


def configs() -> dict[str, Any]:
    packages = {part: part if part == "gateway" else f"services.{part}" for part in PARTS}
    return {part: import_module(f"{name}.config").Config for part, name in packages.items()}


def told() -> dict[tuple[str, str], bool]:
    return {
        (name, reader): default == REQUIRED
        for name, readers, default in ROW.findall(GUIDE)
        for reader in (PARTS if readers == "all" else readers.split(", "))
    }


def test_every_setting_is_in_the_guide_with_who_reads_it_and_whether_it_is_needed() -> None:
    assert told() == {
        (field.name.upper(), part): not hasattr(config, field.name)
        for part, config in configs().items()
        for field in fields(config)
    }


def test_the_guide_names_every_variable_of_the_compose_file() -> None:
    shipped = (ROOT / "deploy" / "compose" / "compose.yaml").read_text()
    variables = set(re.findall(r"\$\{(\w+)", shipped))
    assert variables
    assert {name for name in variables if f"`{name}`" not in GUIDE} == set()


@pytest.mark.skipif(not compose.composing(), reason="there is no docker compose")
@pytest.mark.parametrize(
    ("adds", "secrets"), [("mailbox:", 0), ("elsewhere:", 2), ("postgres-records:", 2)]
)
def test_each_override_fits_the_compose_file(adds: str, secrets: int, tmp_path: Path) -> None:
    blocks = re.findall(r"^   ```yaml\n(.+?)^   ```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    (block,) = [each for each in blocks if adds in each]
    override = tmp_path / "override.yaml"
    override.write_text(block)
    shutil.copy(ROOT / "deploy" / "compose" / "compose.yaml", tmp_path)
    given = dict.fromkeys(("CARESPACE_PUBLIC_URL", "CARESPACE_MAIL_FROM"), "x")
    shipped = tmp_path / "compose.yaml"
    said = subprocess.run(
        [*compose.composing(), "-f", shipped, "-f", override, "config"],
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert adds in said
    assert said.count("/run/secrets/records-admin-database-url") == secrets
    assert said.count("elsewhere:") >= 4 or "elsewhere" not in block


def test_the_compose_file_runs_every_service() -> None:
    shipped = (ROOT / "deploy" / "compose" / "compose.yaml").read_text()
    assert re.findall(r"^    command: \[run, (\w+)\]", shipped, re.MULTILINE) == list(PARTS)


def test_the_compose_file_tells_each_part_what_it_reads() -> None:
    shipped = (ROOT / "deploy" / "compose" / "compose.yaml").read_text()
    for part, config in configs().items():
        block = shipped.partition(f"\n  {part}:\n")[2].partition("\n\n")[0]
        given = {
            name.removesuffix("_FILE")
            for name in re.findall(r"^      CARESPACE_(\w+):", block, re.MULTILINE)
        }
        reads = {field.name.upper() for field in fields(config)}
        assert reads - given <= AS_IT_IS, part
        assert given <= reads, part
