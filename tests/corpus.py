"""The corpus of clinical files that no one here wrote, where it lies beside the checkout."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(__file__).parents[1].parent / "shared" / "corpus"

needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus does not lie beside this checkout"
)


def files(folder: str) -> list[Path]:
    """The files of one folder, by name; none where the corpus is absent."""
    return sorted((CORPUS / folder).glob("*"))


def content(path: Path) -> bytes:
    """A file's bytes; one that ends in .gz is unpacked."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@cache
def truth() -> dict[str, Any]:
    """What each file holds, told by a reader that shares no code with this project."""
    told: dict[str, Any] = json.loads((CORPUS / "truth.json").read_text("utf-8"))
    files_told: dict[str, Any] = told["files"]
    return files_told
