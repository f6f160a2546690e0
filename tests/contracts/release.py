"""What was released: contracts, refusals, and migrations, one file for each release.

`python -m tests.contracts.release 0.2.0` writes the file of a release, as it is made.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from libs.contracts import registry
from libs.runtime import database
from tests.contracts import shapes

KEPT = Path(__file__).parent / "released"


def now() -> dict[str, Any]:
    """What would be released today."""
    return {
        "contracts": {
            service: {name: _bare(shape) for name, shape in contracts.items()}
            for service, contracts in shapes.by_service().items()
        },
        "refusals": shapes.refusals(),
        "migrations": {
            service: {
                file.name: hashlib.sha256(file.read_bytes()).hexdigest()
                for file in database.migrations(f"services.{service}")
            }
            for service in registry.services()
        },
    }


def last() -> dict[str, Any]:
    """The newest release."""
    return dict(json.loads(newest().read_text()))


def newest() -> Path:
    """Its file."""
    return max(KEPT.glob("*.json"), key=lambda file: _number(file.stem))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _bare(shape: Any, *, names: bool = False) -> Any:
    """Without titles and descriptions, which nobody sends; fields may well be called that."""
    if isinstance(shape, dict):
        return {
            name: _bare(value, names=name in ("properties", "$defs") and not names)
            for name, value in sorted(shape.items())
            if names or name not in ("title", "description")
        }
    if isinstance(shape, list):
        return [_bare(value) for value in shape]
    return shape


def write(version: str) -> None:
    """One line for each contract, so that a difference can be read."""
    said = now()
    lines = [
        f"{json.dumps(service)}: {{\n"
        + ",\n".join(f"{json.dumps(n)}: {_compact(shape)}" for n, shape in contracts.items())
        + "\n}"
        for service, contracts in said["contracts"].items()
    ]
    contracts = ",\n".join(lines)
    rest = [f"{json.dumps(name)}: {_compact(said[name])}" for name in ("refusals", "migrations")]
    text = "{\n" + f'"contracts": {{\n{contracts}\n}},\n' + ",\n".join(rest) + "\n}\n"
    (KEPT / f"{version}.json").write_text(text)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


if __name__ == "__main__":
    write(sys.argv[1])
