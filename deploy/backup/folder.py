"""A backup on the disk: a manifest, and files of sealed pieces.

Every backup has a key of its own, which is wrapped under a master key of the key ring. What a piece
belongs to is bound to it: the backup, the file, its number, and whether it is the last one. So a
backup that was changed, cut short or put together from two does not open.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from deploy.problem import Problem, SaidNo
from libs.runtime.keyring import Damaged, KeyRing, seal, unseal

FORMAT = 1
MANIFEST = "manifest.json"
PIECE = 1024 * 1024
"""Bytes sealed together, and so what is held of a backup at a time."""
LENGTH = 4
"""Bytes that say how long the sealed piece after them is."""
UNREADABLE = "The backup is not as it was written"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table's rows, as Postgres's binary COPY has them."""

    schema: str
    name: str
    columns: tuple[str, ...]
    rows: int
    bytes: int

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def file(self) -> str:
        """Where in the folder they are."""
        return f"{self.full_name}.rows"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The events of one service's stream that tell of what is in the tables."""

    name: str
    events: int
    bytes: int

    @property
    def file(self) -> str:
        """Where in the folder they are."""
        return f"{self.name}.events"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is in a backup."""

    made_at: datetime
    release: str
    migrations: Mapping[str, list[str]]
    """By service: those that its schema had seen."""
    tables: tuple[Table, ...]
    """Each after those that it refers to."""
    streams: tuple[Stream, ...]


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A folder, with the key of what lies in it."""

    folder: Path
    id: UUID
    key: bytes

    def writer(self, file: str) -> "Writer":
        """A new file of it."""
        return Writer(self, file)

    async def pieces(self, file: str) -> AsyncIterator[bytes]:
        """What was written, piece by piece, each as it was; else `SaidNo`."""
        for piece in self._read(file):
            yield piece

    def _read(self, file: str) -> Iterator[bytes]:
        number, last = 0, False
        try:
            with (self.folder / file).open("rb") as stored:
                while head := stored.read(LENGTH):
                    sealed = stored.read(int.from_bytes(head, "big"))
                    piece = unseal(self.key, sealed, belongs_to=self.binds(file, number))
                    last, number = piece[:1] == b"\1", number + 1
                    yield piece[1:]
                    if last and stored.read(1):
                        raise Damaged
        except OSError as error:
            raise Problem(f"{self.folder / file} can't be read: {error.strerror}.") from None
        except Damaged:
            raise SaidNo(f"{UNREADABLE}: {file}, piece {number}.") from None
        if not last:
            raise SaidNo(f"{UNREADABLE}: {file} is cut short.")

    def binds(self, file: str, number: int) -> str:
        """What a piece belongs to."""
        return f"backup|{self.id}|{file}|{number}"


class Writer:
    """A file of sealed pieces that is being written."""

    def __init__(self, backup: Backup, file: str) -> None:
        self._backup = backup
        self._name = file
        self._pending = bytearray()
        self._number = 0
        self.bytes = 0
        """Written so far, before they were sealed."""

    def __enter__(self) -> Self:
        self._file: BufferedWriter = (self._backup.folder / self._name).open("xb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                self._put(bytes(self._pending), last=True)
                self._file.flush()
                os.fsync(self._file.fileno())

    async def add(self, data: bytes) -> None:
        """The next bytes."""
        self.bytes += len(data)
        self._pending += data
        while len(self._pending) > PIECE:
            self._put(bytes(self._pending[:PIECE]), last=False)
            del self._pending[:PIECE]

    def _put(self, piece: bytes, *, last: bool) -> None:
        belongs_to = self._backup.binds(self._name, self._number)
        sealed = seal(self._backup.key, bytes([last]) + piece, belongs_to=belongs_to)
        self._file.write(len(sealed).to_bytes(LENGTH, "big") + sealed)
        self._number += 1


def write_manifest(backup: Backup, ring: KeyRing, manifest: Manifest) -> None:
    """The last that is written."""
    key_id, wrapped = ring.wrap(backup.key, belongs_to=_binds_key(backup.id))
    told = json.dumps(asdict(manifest), default=str).encode()
    content = {
        "format": FORMAT,
        "id": str(backup.id),
        "key_id": key_id,
        "wrapped": b64encode(wrapped).decode(),
        "sealed": b64encode(seal(backup.key, told, belongs_to=_binds_manifest(backup.id))).decode(),
    }
    with (backup.folder / MANIFEST).open("x") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def opened(folder: Path, ring: KeyRing) -> tuple[Backup, Manifest]:
    """A backup with what is in it; a sentence if it is none, or none of this installation's."""
    try:
        content = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        raise Problem(f"There is no backup in {folder}.") from None
    with _understood(folder):
        if content["format"] != FORMAT:
            raise SaidNo(f"{folder} was made by a release that writes backups in another way.")
        if content["key_id"] not in ring:
            raise SaidNo(f"{folder} lies under the key {content['key_id']}, not on the key ring.")
        backup_id = UUID(content["id"])
        wrapped = b64decode(content["wrapped"])
        key = ring.unwrap(content["key_id"], wrapped, belongs_to=_binds_key(backup_id))
        backup = Backup(folder=folder, id=backup_id, key=key)
        sealed = b64decode(content["sealed"])
        told = json.loads(unseal(key, sealed, belongs_to=_binds_manifest(backup_id)))
    tables = tuple(
        Table(**table | {"columns": tuple(table["columns"])}) for table in told["tables"]
    )
    manifest = Manifest(
        made_at=datetime.fromisoformat(told["made_at"]),
        release=told["release"],
        migrations=told["migrations"],
        tables=tables,
        streams=tuple(Stream(**stream) for stream in told["streams"]),
    )
    return backup, manifest


@contextmanager
def _understood(folder: Path) -> Iterator[None]:
    try:
        yield
    except (Damaged, KeyError, ValueError, TypeError):
        raise SaidNo(f"{UNREADABLE}: {folder / MANIFEST}.") from None


def _binds_key(backup_id: UUID) -> str:
    return f"backup key|{backup_id}"


def _binds_manifest(backup_id: UUID) -> str:
    return f"backup manifest|{backup_id}"
