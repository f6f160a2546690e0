"""Results into a patient's record: all of a file at once, and the same file twice but once.

What is there already and says the same stays as it is. What says something else is a correction,
and what it said before is kept, as is what a new one says that it said before it came here. What is
taken back is no longer the latest of anything, and what was taken back before it came is that from
the start; where nothing came of it but that, it is remembered, shown to nobody, and so stays away
if it comes late.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.runtime.database import Connection
from services.records.domain import kept as rules
from services.records.domain.kept import Kept
from services.records.domain.result import Before, Result, ValueKind
from services.records.store import filing as store


@dataclass(kw_only=True)
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
    filed = Filed()
    into = store.Into(db, practice_id, patient_id, import_id, now)
    earlier = {rules.storable(result.source_id): result.before for result in found if result.before}
    await store.lock_record(into)
    for rows in _rounds(rules.kept(result) for result in found):
        await _file(into, rows, earlier, filed)
    return filed


def _rounds(rows: Iterable[Kept]) -> list[dict[str, Kept]]:
    """In each, every result at most once: what a file says of one twice, it says in this order."""
    rounds: list[dict[str, Kept]] = []
    often: dict[str, int] = {}
    for row in rows:
        often[row.source_id] = number = often.get(row.source_id, 0) + 1
        if number > len(rounds):
            rounds.append({})
        rounds[number - 1][row.source_id] = row
    return rounds


async def _file(
    into: store.Into, rows: dict[str, Kept], earlier: Mapping[str, tuple[Before, ...]], filed: Filed
) -> None:
    known = await store.list_known(into, list(rows))
    new: list[tuple[UUID, Kept]] = []
    changed: list[tuple[UUID, Kept]] = []
    withdrawn: list[tuple[UUID, Kept]] = []
    for row in rows.values():
        before = known.get(row.source_id)
        if before is None:
            new.append((uuid7(), rules.as_first(row)))
        elif rules.is_news(row, before):
            without_value = row.is_gone and row.kind is ValueKind.ABSENT
            (withdrawn if without_value else changed).append((before.id, row))
    if new:
        await store.add_results(into, new)
        if brought := [
            (id_, earlier[row.source_id]) for id_, row in new if row.source_id in earlier
        ]:
            await store.add_earlier_values(into, brought)
    if changed:
        await store.keep_earlier_values(into, changed)
        await store.change_results(into, changed)
    if withdrawn:
        await store.withdraw_results(into, withdrawn)
    if news := changed + withdrawn:
        tests = {row.test_key for _, row in changed}
        tests |= {known[row.source_id].test_key for _, row in news}
        await store.forget_latest(into, sorted(tests))
        await store.renew_latest(into, sorted(tests))
    gone = sum(row.is_gone for _, row in news)
    taken = sum(not row.is_hidden for _, row in new)
    filed.taken += taken
    filed.withdrawn += gone
    filed.corrected += len(news) - gone
    filed.unchanged += len(rows) - taken - len(news)
