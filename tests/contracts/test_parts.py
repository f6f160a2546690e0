"""docs/parts.md says what the contracts say. `make schemas` writes it anew."""

import os
from pathlib import Path

from tests.contracts import drawing

PAGE = Path(__file__).parents[2] / "docs" / "parts.md"


def test_the_page_of_the_parts_is_as_the_contracts_are() -> None:
    said = drawing.page()
    if os.environ.get("CARESPACE_WRITE_SCHEMAS"):
        PAGE.write_text(said)
    assert PAGE.read_text() == said


def test_every_contract_explains_itself() -> None:
    rows = [line for line in drawing.page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    for row in rows:
        _, who, said = row.strip("| ").split(" | ", 2)
        assert who, row
        assert said.endswith("."), row
