"""Settings come from the environment, once, before anything starts."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

C = TypeVar("C")
PREFIX = "CARESPACE_"


class Misconfigured(Exception):
    """A setting is missing or wrong; the message is one sentence that names it."""


def from_environment(config: type[C], environ: Mapping[str, str] = os.environ) -> C:
    """Fill `config` from `CARESPACE_` variables named like its fields.

    A value may come from a file named by the same variable with `_FILE`.
    """
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    for name in [name for name in given if name.endswith("_FILE")]:
        setting, path = name.removesuffix("_FILE"), given.pop(name)
        try:
            given[setting] = Path(path).read_text().strip()
        except OSError as error:
            raise Misconfigured(f"{name} names a file that cannot be read: {path}.") from error
    fields = {name.removeprefix(PREFIX).lower(): value for name, value in given.items()}
    try:
        return TypeAdapter(config).validate_python(fields)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        said = "is not set" if first["type"].startswith("missing") else f"is wrong: {first['msg']}"
        raise Misconfigured(f"{name} {said}.") from None


def or_exit(config: type[C]) -> C:
    """The settings, or one sentence and exit code 2."""
    try:
        return from_environment(config)
    except Misconfigured as sentence:
        print(sentence, file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None
