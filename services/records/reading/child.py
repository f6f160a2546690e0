"""In a process of its own, shut in: reads one file that somebody sent, and says what is in it.

The process can open nothing, connect to nothing, write to nothing but its one way out, and use so
much time and memory. Whatever a file does to it, it does to nothing else.
"""

import hashlib
import os
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

from libs.contracts.content import CHUNK_SIZE
from libs.vault.media import CDA, Examination, Media
from services.records.domain.found import Document, Found, LeftOut, Patient, Unreadable
from services.records.domain.matching import Described, joined
from services.records.domain.result import Result
from services.records.formats import ccda, fhir, hl7v2
from services.records.formats.cda_page import render
from services.records.formats.recognise import HEAD, Format, recognise
from services.records.reading import frames
from services.records.reading.frames import Kind

MEMORY = 208 * 1024 * 1024
"""Bytes of data that the process may have; what it runs on is beside that."""
SECONDS = 5
SECONDS_PER_MEGABYTE = 1
LONGEST_LIFE = 900
"""Seconds until the process ends, whoever it waits for."""
SOURCE, OUT = 3, 4

_READERS: dict[Format, Callable[[BinaryIO], Iterator[Found]]] = {
    Format.FHIR: fhir.read,
    Format.FHIR_NDJSON: fhir.read,
    Format.CCDA: ccda.read,
    Format.HL7V2: hl7v2.read,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What is to be done with the file."""

    size: int
    page: bool = False
    """Make a page of it, instead of reading what is in it."""
    declared: str = ""
    file_name: str = ""


def shut_in(source: int, out: int, *, size: int) -> None:
    """From here on, this process has two files and nothing else."""
    kept = os.dup(source), os.dup(out)
    nowhere = os.open(os.devnull, os.O_RDWR)
    high = [os.dup2(each, 64 + number) for number, each in enumerate((*kept, nowhere))]
    for target, each in (
        (0, high[2]),
        (1, high[2]),
        (2, high[2]),
        (SOURCE, high[0]),
        (OUT, high[1]),
    ):
        os.dup2(each, target)
    os.closerange(OUT + 1, 4096)
    seconds = SECONDS + SECONDS_PER_MEGABYTE * (size // 1_000_000)
    for limit, most in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        # No more files than it has: it can open none, and no connection either.
        (resource.RLIMIT_NOFILE, OUT + 1),
    ):
        resource.setrlimit(limit, (most, most))
    signal.alarm(LONGEST_LIFE)


def work(task: Task) -> None:
    """Say everything about the file, to the end; or die on the way, which is heard as well."""
    told = _Telling()
    with open(SOURCE, "rb", closefd=False) as source:
        source.seek(0)
        try:
            if task.page:
                told.say(Kind.PAGE, render(source.read()).encode())
            else:
                _read(source, task, told)
        except Unreadable as sentence:
            told.flush()
            told.say(Kind.UNREADABLE, str(sentence).encode())
        told.say(Kind.END)


def _read(source: BinaryIO, task: Task, told: "_Telling") -> None:
    recognised = recognise(source.read(HEAD), task.declared, task.file_name)
    told.say(Kind.FORMAT, recognised.format.encode())
    if recognised.format is Format.UNKNOWN:
        raise Unreadable(recognised.reason)
    read = _READERS[recognised.format]
    if recognised.format is Format.HL7V2:
        # Messages name their patients one after another, and may contradict each other.
        source.seek(0)
        told.people(found for found in read(source) if isinstance(found, Patient))
    source.seek(0)
    told.everything(read(source))


class _Telling:
    """Gathers what is found into frames, people before anything of theirs."""

    def __init__(self) -> None:
        self._people: dict[str, Described] = {}
        self._told: set[str] = set()
        self._results: list[Result] = []
        self._left_out: list[LeftOut] = []
        self._text = 0

    def say(self, kind: Kind, body: bytes = b"") -> None:
        """One frame, all of it."""
        left = memoryview(frames.HEADER.pack(kind, len(body)) + body)
        while left:
            left = left[os.write(OUT, left) :]

    def people(self, found: Iterable[Patient]) -> None:
        """Everyone, each once, with all that is said of them."""
        for patient in found:
            before = self._people.get(patient.key)
            described = Described(patient=patient) if before is None else joined(before, patient)
            self._people[patient.key] = described
        self._introduce()

    def everything(self, found: Iterator[Found]) -> None:
        """All there is, in the order of the file."""
        for one in found:
            match one:
                case Patient():
                    if one.key not in self._told:
                        self._people.setdefault(one.key, Described(patient=one))
                case Document():
                    self.flush()
                    self._document(one)
                case Result():
                    self._results.append(one)
                    self._text += len(one.value.text) + len(one.comment)
                case LeftOut():
                    self._left_out.append(one)
            if (
                len(self._results) + len(self._left_out) >= frames.BATCH
                or self._text > frames.BATCH_TEXT
            ):
                self.flush()
        self.flush()

    def flush(self) -> None:
        """What has been gathered so far."""
        self._introduce()
        if self._results or self._left_out:
            batch = frames.Batch(results=tuple(self._results), left_out=tuple(self._left_out))
            self.say(Kind.BATCH, frames.BATCHES.dump_json(batch))
            self._results, self._left_out, self._text = [], [], 0

    def _introduce(self) -> None:
        everyone = list(self._people.values())
        for start in range(0, len(everyone), frames.BATCH):
            some = tuple(everyone[start : start + frames.BATCH])
            self.say(Kind.PEOPLE, frames.PEOPLE.dump_json(some))
        self._told.update(self._people)
        self._people.clear()

    def _document(self, document: Document) -> None:
        content = document.content
        incoming = frames.Incoming(
            document=replace(document, content=b""),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            media=examined(content, declared=document.media_type),
        )
        self.say(Kind.DOCUMENT, frames.INCOMING.dump_json(incoming))
        for start in range(0, len(content), CHUNK_SIZE):
            self.say(Kind.PIECE, content[start : start + CHUNK_SIZE])


def examined(content: bytes, *, declared: str) -> Media:
    """What a document inside a file is; a C-CDA can be viewed only if a page can be made of it."""
    examination = Examination(declared=declared)
    for start in range(0, len(content), CHUNK_SIZE):
        examination.add(content[start : start + CHUNK_SIZE])
    media = examination.media()
    if media.media_type == CDA:
        viewable = False
        with suppress(Unreadable):
            viewable = bool(render(content))
        return replace(media, viewable=viewable)
    return media
