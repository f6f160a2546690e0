"""The operator's guide names every setting there is, and who reads it."""

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from libs.contracts import registry

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operating.md").read_text()
ROW = re.compile(r"^\| `CARESPACE_(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
PARTS = (*registry.services(), "gateway")
REQUIRED = "it does not start"


def configs() -> dict[str, Any]:
    packages = {part: part if part == "gateway" else f"services.{part}" for part in PARTS}
    return {part: import_module(f"{name}.config").Config for part, name in packages.items()}


def told() -> dict[str, tuple[set[str], bool]]:
    return {
        name: (set(PARTS if readers == "all" else readers.split(", ")), default == REQUIRED)
        for name, readers, default in ROW.findall(GUIDE)
    }


def test_every_setting_is_in_the_guide_with_who_reads_it_and_whether_it_is_needed() -> None:
    there: dict[str, tuple[set[str], bool]] = {}
    for part, config in configs().items():
        for field in fields(config):
            readers, _ = there.setdefault(field.name.upper(), (set(), False))
            needed = not hasattr(config, field.name)
            there[field.name.upper()] = (readers | {part}, needed)
    assert told() == there


def test_the_guide_names_every_variable_of_the_compose_file() -> None:
    compose = (ROOT / "deploy" / "compose" / "compose.yaml").read_text()
    variables = set(re.findall(r"\$\{(\w+)", compose))
    assert variables
    assert {name for name in variables if f"`{name}`" not in GUIDE} == set()


def test_the_compose_file_runs_every_service() -> None:
    compose = (ROOT / "deploy" / "compose" / "compose.yaml").read_text()
    assert re.findall(r"^    command: \[run, (\w+)\]", compose, re.MULTILINE) == list(PARTS)
