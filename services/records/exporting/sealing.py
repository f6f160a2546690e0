"""Where the pieces of a file are sealed and opened: a patient's vault, or what was sent of it."""

from collections.abc import Callable
from typing import Protocol, TypeAlias
from uuid import UUID

from libs.runtime.database import Connection
from libs.vault.vault import Opened


class Sealing(Protocol):
    """Contents under one key, in one transaction."""

    async def begin(self, content_id: UUID, *, owner_id: UUID) -> Opened: ...

    async def open(self, content_id: UUID) -> Opened: ...

    async def append(self, opened: Opened, data: bytes) -> Opened: ...

    async def finish(self, opened: Opened, *, look: Callable[[bytes], None]) -> Opened: ...

    async def read(self, opened: Opened, number: int) -> bytes: ...

    async def crc32(self, opened: Opened) -> int: ...


Sealer: TypeAlias = Callable[[Connection], Sealing]
"""The contents, in a transaction that has begun."""
