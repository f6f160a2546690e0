"""The last release as it was: its source, out of this repository's own history."""

import shutil
import subprocess
from pathlib import Path

from tests.contracts import release

ROOT = Path(__file__).parents[2]
FONTS = Path("gateway/static/fonts")
"""Made from packages, and in no commit."""


def commit() -> str:
    """The commit that wrote down what was released; "" where the history does not reach that far."""
    return _said("log", "-1", "--format=%H", "--", str(release.newest()))


def missing() -> str:
    """Why it can't be had; "" if it can."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return "this is no clone of the repository"
    if _said("rev-parse", "--is-shallow-repository") == "true":
        return "this clone is shallow and may lack the last release's commit"
    return "" if commit() else "the last release is in no commit yet"


def laid_out(folder: Path) -> Path:
    """Its source in this folder, to be run with the libraries that are here."""
    archive = folder / "release.zip"
    _said("archive", "--output", str(archive), commit())
    source = folder / "source"
    shutil.unpack_archive(archive, source)
    shutil.copytree(ROOT / FONTS, source / FONTS)
    return source


def _said(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], check=True, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()
