"""The time zone of each practice, asked for when a document's day depends on it."""

from datetime import timedelta
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

from faststream.nats import NatsBroker

from libs.contracts.identity.practices import ShowPractice
from libs.runtime.broker import ask

REMEMBERED = timedelta(minutes=5).total_seconds()


class Zones:
    """What identity says of the practices, remembered for a while."""

    def __init__(self, broker: NatsBroker) -> None:
        self._broker = broker
        self._known: dict[UUID, tuple[float, ZoneInfo]] = {}

    async def of(self, practice_id: UUID) -> ZoneInfo:
        """The practice's zone; `Unavailable` while nobody can say."""
        at, zone = self._known.get(practice_id, (0.0, None))
        if zone is None or monotonic() > at + REMEMBERED:
            practice = await ask(self._broker, ShowPractice(practice_id=practice_id))
            zone = ZoneInfo(practice.time_zone)
            self._known[practice_id] = (monotonic(), zone)
        return zone
