"""What is installed holds every file that a part reads."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_INSTALLED = {"image", "compose", "helm", "watch"}
"""Folders of deploy that an operator uses, and no part."""


def test_every_kind_of_file_beside_the_code_is_installed_with_it() -> None:
    taken = set(PROJECT["tool"]["setuptools"]["package-data"]["*"])
    there = {
        f"*{file.suffix}"
        for package in ("libs", "services", "gateway", "deploy")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
        if file.relative_to(ROOT / package).parts[0] not in NOT_INSTALLED
    }
    assert there <= taken
