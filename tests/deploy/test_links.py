"""Every link in every page of the documentation leads somewhere."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
CODE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")


def pages() -> list[Path]:
    """Every Markdown file that is kept."""
    kept = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    said = subprocess.run(kept, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in said.splitlines()]


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Where each of its links leads: a file, and a place in it."""
    for target in LINK.findall(CODE.sub("", page.read_text())):
        if not target.startswith(ELSEWHERE):
            name, _, anchor = target.partition("#")
            yield (page.parent / name).resolve() if name else page, anchor


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(CODE.sub("", page.read_text())):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[words] = found.get(words, -1) + 1
    return {
        words if not n else f"{words}-{n}" for words, last in found.items() for n in range(last + 1)
    }


def test_there_are_pages_with_links() -> None:
    names = {page.relative_to(ROOT).as_posix() for page in pages()}
    assert {"README.md", "CHANGELOG.md", "docs/operating.md", "docs/security.md"} <= names
    assert sum(len(list(links(page))) for page in pages()) > 20


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for file, anchor in links(page):
        assert file.exists(), file
        assert not anchor or anchor in anchors(file), f"{file.name}#{anchor}"


def test_the_readme_leads_to_every_page() -> None:
    led = {file for file, _ in links(ROOT / "README.md")}
    docs = {page for page in pages() if page.parent == ROOT / "docs"}
    assert docs - led == set()
    assert ROOT / "docs" / "decisions" in led


def test_decisions_are_numbered_once_each() -> None:
    names = [page.name for page in pages() if page.parent.name == "decisions"]
    assert len({name[:4] for name in names}) == len(names)
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)
