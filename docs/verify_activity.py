#!/usr/bin/env python3
"""Check an activity log that was downloaded from CareSpace: python3 verify_activity.py FILE

FILE is the JSON or the CSV file of the page Activity. Nothing but Python 3.9 or newer is needed,
and nothing is sent anywhere. It says that the log holds, or names the first entry that is bad.

How an entry is hashed stands in activity.md. Exit code: 0 holds, 1 does not hold, 2 not readable.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

HASHED = (
    "act",
    "actor_id",
    "actor_name",
    "at",
    "capacity",
    "number",
    "patient_id",
    "practice_id",
    "previous",
    "reason",
    "subject",
)
BEFORE_THE_FIRST = "0" * 64


def read(path: str) -> tuple[list[dict[str, Any]], tuple[int, str] | None]:
    """The entries in the order of the file, and how the log ends, where the file says it."""
    text = Path(path).read_bytes().decode("utf-8")
    if text.lstrip().startswith("{"):
        log = json.loads(text)
        return log["entries"], (log["last_number"], log["last_hash"])
    entries = []
    for row in csv.DictReader(io.StringIO(text, newline="")):
        entry: dict[str, Any] = {name: cell.removeprefix("'") for name, cell in row.items()}
        entry["number"] = int(entry["number"])
        entries.append(entry)
    return entries, None


def hash_of(entry: dict[str, Any]) -> str:
    """SHA-256 of the entry in the JSON Canonicalization Scheme (RFC 8785)."""
    hashed = {name: entry[name] for name in HASHED}
    text = json.dumps(hashed, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def first_bad(entries: list[dict[str, Any]], end: tuple[int, str] | None) -> str:
    """What is wrong, with the number of the first bad entry; "" for a log that holds."""
    number, previous = 0, BEFORE_THE_FIRST
    for entry in entries:
        if bad := bad_after(number, previous, entry, entries[0]):
            return bad
        number, previous = number + 1, entry["hash"]
    if end is None or end == (number, previous):
        return ""
    if end[0] > number:
        return f"entry {number + 1} is missing"
    if end[0] < number:
        return f"entry {end[0] + 1} was added after the end"
    return f"entry {number} is not the one that the log ended with"


def bad_after(number: int, previous: str, entry: dict[str, Any], first: dict[str, Any]) -> str:
    """What is wrong with the entry that follows on this one."""
    due = number + 1
    if entry["number"] > due:
        return f"entry {due} is missing"
    if entry["number"] < due:
        return f"entry {entry['number']} stands where entry {due} should"
    if hash_of(entry) != entry["hash"]:
        return f"entry {due} is not as it was written"
    if entry["previous"] != previous:
        return f"entry {due} does not follow on the entry before it"
    if any(entry[name] != first[name] for name in ("practice_id", "patient_id")):
        return f"entry {due} is of another record"
    return ""


def main(arguments: list[str]) -> int:
    """Say whether the log holds."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    try:
        entries, end = read(arguments[0])
        bad = first_bad(entries, end)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        print(f"This is no activity log that can be read: {error!r}")
        return 2
    if bad:
        print(f"The log does not hold: {bad}.")
        return 1
    print(f"The log holds: {len(entries)} entries, each as it was written.")
    if end is None:
        print("A CSV file does not say how the log ends: the JSON file also shows a missing end.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
