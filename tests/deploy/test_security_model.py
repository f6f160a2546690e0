"""docs/security.md: every threat has a test, every test that it names exists, no number is invented."""

import math
import re
from pathlib import Path

from libs.contracts.messaging.writing import FILES_LIMIT
from libs.contracts.records.imports import UPLOAD_LIMIT
from libs.contracts.records.sending import TRIES
from libs.contracts.visa import LIFETIME
from services.identity.domain import (
    account_link,
    invitation,
    one_time_code,
    password,
    recovery_code,
    session,
    throttle,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
TEST = re.compile(r"`(tests/[\w/]+\.py)`")
KINDS = {"S", "T", "R", "I", "D", "E"}


def section(title: str) -> str:
    """What stands under a heading, up to the next of its kind."""
    _, found, after = PAGE.partition(f"## {title}\n")
    assert found, title
    return after.split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of every table in it, without heads."""
    found = []
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        _, _, *lines = table.splitlines()
        found += [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return found


def test_every_test_that_is_named_exists() -> None:
    named = set(TEST.findall(PAGE))
    assert len(named) > 40
    assert {name for name in named if not (ROOT / name).is_file()} == set()
    for name in named:
        assert re.search(r"^(async )?def test_", (ROOT / name).read_text(), re.MULTILINE), name


def test_every_threat_has_its_kind_a_defence_and_a_test() -> None:
    threats = rows(section("Threats"))
    assert len(threats) > 40
    for threat, kinds, defence, proof in threats:
        assert threat
        assert defence
        assert set(kinds.split(", ")) <= KINDS, threat
        assert TEST.search(proof), threat
    assert {kind for _, kinds, _, _ in threats for kind in kinds.split(", ")} == KINDS


def test_every_deviation_names_its_requirement_and_a_reason() -> None:
    declared = section("Declared deviations")
    asvs, _, nist = declared.partition("### NIST")
    numbers = [number for cells in rows(asvs) for number in cells[0].split(", ")]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert all(set(cells[1].split(", ")) <= {"1", "2"} for cells in rows(asvs))
    assert all(len(cells[-1]) > 40 for cells in rows(asvs) + rows(nist))


def test_a_figure_on_the_page_is_the_one_that_runs() -> None:
    megabyte = 1024 * 1024
    assert f"{UPLOAD_LIMIT // megabyte} MB a file, {FILES_LIMIT // megabyte} MB a message" in PAGE
    assert TRIES == 5
    assert "five wrong ones lock it" in PAGE
    assert LIFETIME.total_seconds() == 10
    assert "ten seconds" in PAGE
    assert (session.IDLE.total_seconds(), session.LONGEST.total_seconds()) == (15 * 60, 12 * 3600)
    assert password.SHORTEST == 8
    assert f"Up to {password.LONGEST} characters are taken whole" in PAGE
    assert invitation.LINK_LIFETIME.days == 4
    assert account_link.RESET_LIFETIME.total_seconds() == 3600
    assert throttle.LIMITS[throttle.Scope.HERE] == 10
    assert {throttle.LIMITS[scope] for scope in throttle.IN_A_ROW} == {100}
    assert len(throttle.IN_A_ROW) == 3
    assert 3 * one_time_code.STEP == 90
    bits = recovery_code.LENGTH * math.log2(len(recovery_code.ALPHABET))
    assert f"{math.floor(bits)} bits" in PAGE
