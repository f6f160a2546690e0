"""Results into a patient's record: all of a file at once, and the same file twice but once.

What is there already and says the same stays as it is. What says something else is a correction,
and what it said before is kept. What is taken back is no longer the latest of anything.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.runtime.database import Connection
from services.records.domain import labs
from services.records.domain.result import Precision, Result, ValueKind
from services.records.store import results as store

KINDS = {kind: kind.value for kind in ValueKind}


@dataclass(frozen=True, kw_only=True)
class Filed:
    """What became of the results of one patient."""

    taken: int = 0
    unchanged: int = 0
    corrected: int = 0
    withdrawn: int = 0


async def file_results(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    found: Sequence[Result],
    *,
    import_id: UUID | None,
    now: datetime,
) -> Filed:
    """File them, in the caller's transaction. Two filings for one patient wait for each other."""
    rows = _rows(found, import_id=import_id, now=now)
    await store.lock_record(db, practice_id, patient_id)
    known = await store.list_known(db, practice_id, patient_id, list(rows))
    new, changed, withdrawn, unchanged = [], [], 0, 0
    for source_id, row in rows.items():
        before = known.get(source_id)
        if before is None:
            if row["rank"] >= labs.GONE:
                unchanged += 1  # taking back what was never there changes nothing
            else:
                new.append(row | {"id": str(uuid7())})
        elif before.digest == row["digest"] or _stale(row, before):
            unchanged += 1
        else:
            changed.append(_kept_value(row, before) | {"id": str(before.id)})
            withdrawn += row["rank"] >= labs.GONE
    await store.add_results(db, practice_id, patient_id, new)
    await store.change_results(db, practice_id, changed, now=now)
    touched = {row["test_key"] for row in (*new, *changed)}
    touched |= {known[row["source_id"]].test_key for row in changed}
    if touched:
        await store.renew_latest(db, practice_id, patient_id, sorted(touched), gone=labs.GONE)
    return Filed(
        taken=len(new),
        unchanged=unchanged,
        corrected=len(changed) - withdrawn,
        withdrawn=withdrawn,
    )


def _rows(
    found: Sequence[Result], *, import_id: UUID | None, now: datetime
) -> dict[str, dict[str, Any]]:
    """One row per result; of several under one id the last that stands no further back."""
    rows: dict[str, dict[str, Any]] = {}
    for result in found:
        row = _row(result, import_id=import_id, now=now)
        before = rows.get(result.source_id)
        if before is None or row["rank"] >= before["rank"]:
            rows[result.source_id] = row
    return rows


def _stale(row: dict[str, Any], before: store.Kept) -> bool:
    """An earlier state of a result that comes after a later one."""
    issued = datetime.fromisoformat(row["issued_at"]) if row["issued_at"] else None
    older = issued is not None and before.issued_at is not None and issued < before.issued_at
    newer = issued is not None and before.issued_at is not None and issued > before.issued_at
    return older or (row["rank"] < before.rank and not newer)


def _kept_value(row: dict[str, Any], before: store.Kept) -> dict[str, Any]:
    """A result that is taken back without saying its value keeps the one it had."""
    if row["rank"] >= labs.GONE and row["kind"] == ValueKind.ABSENT:
        return row | {
            "value": before.value,
            "unit": before.unit,
            "kind": before.kind,
            "test_key": before.test_key,
        }
    return row


def _row(result: Result, *, import_id: UUID | None, now: datetime) -> dict[str, Any]:
    value, band = result.value, labs.usable_range(result)
    collected, issued = result.collected, result.issued
    says: dict[str, Any] = {
        "source_id": result.source_id,
        "test_key": labs.test_key(result),
        "system": result.code.system,
        "code": result.code.code,
        "name": result.name or result.code.display or result.code.code,
        "kind": KINDS[value.kind],
        "value": value.text,
        "number": _decimal(value.number),
        "comparator": value.comparator,
        "unit": value.unit,
        "range_low": _decimal(band.low) if band else None,
        "range_high": _decimal(band.high) if band else None,
        "range_text": labs.range_text(result),
        "flag": labs.flag(result).value,
        "status": labs.STATUS[result.status].value,
        "rank": labs.RANK[result.status],
        "collected_at": collected.at.isoformat() if collected else None,
        "precision": (collected.precision if collected else Precision.INSTANT).value,
        "zoned": collected.zoned if collected else True,
        "specimen": result.specimen,
        "performer": result.performer,
        "orderer": result.orderer,
        "comment": result.comment,
    }
    digest = hashlib.sha256(json.dumps(says, sort_keys=True).encode()).hexdigest()
    return says | {
        "digest": digest,
        "issued_at": issued.at.isoformat() if issued else None,
        "import_id": str(import_id) if import_id else None,
        "arrived_at": now.isoformat(),
    }


def _decimal(number: Any) -> str | None:
    """A number as it was written; one that is none (NaN, Infinity) is only text."""
    return str(number) if number is not None and number.is_finite() else None
