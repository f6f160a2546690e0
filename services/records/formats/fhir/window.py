"""The part of a FHIR file that is in memory, and the JSON that is parsed out of it.

Python's own parser reads value after value from the window, which grows only as far as one value
needs. That is as fast as parsing the whole file at once, and it bounds what one value may cost.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, TypeAlias

from services.records.domain.found import Reason
from services.records.formats.fhir.layout import Layout
from services.records.formats.fhir.limits import CHUNK, MAX_ENTRY, MAX_PARTS, MAX_SKIPPED

Json: TypeAlias = dict[str, Any]


class Written(str):
    """A JSON number with the digits it was written with: 1.00 stays 1.00."""

    __slots__ = ()


class Unusable(Exception):
    """What stands here can't be taken; `broken` when its end can't be relied on either."""

    def __init__(
        self,
        reason: Reason,
        *,
        broken: bool = False,
        path: tuple[int, ...] = (),
        is_told: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.broken = broken
        self.path = path
        self.is_told = is_told


class _SameKeyTwice(Exception):
    """An object says one thing twice; nobody can know which of the two was meant."""


def _object(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _SameKeyTwice
    return made


def _parser(*, lines: bool) -> json.JSONDecoder:
    """Where each line is a resource, no text may run over the line's end."""
    return json.JSONDecoder(
        parse_float=Written,
        parse_int=Written,
        parse_constant=Written,
        object_pairs_hook=_object,
        strict=lines,
    )


_BLANK: Final = re.compile(r"[\s\x1e\ufeff]*")
_BLANK_IN_LINE: Final = re.compile(r"[^\S\n]*")
_MARK: Final = re.compile(r'["\[\]{}]')
_MARK_IN_LINE: Final = re.compile(r'["\[\]{}\n]')
_STRING_END: Final = re.compile(r'(?:[^"\\]++|\\.)*+("?)', re.DOTALL)
_STRING_END_IN_LINE: Final = re.compile(r'(?:[^"\\\n]++|\\.)*+("?)')
_SCALAR_END: Final = re.compile(r"[,\]}\n]")
_NO_VALUE: Final = ("", ",", ":", "]", "}", "\n")
_COMPOUND: Final = ("{", "[", '"')
_NEAR_THE_CUT: Final = 16
"""A mistake this close to the end of what was read may be nothing but the cut."""


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Write what is beyond ASCII as JSON escapes, so that one emoji can't quadruple the text."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("as_json_escapes", _escape)


class Budget:
    """What is left of the room that one entry may take."""

    __slots__ = ("characters", "parts")

    def __init__(self) -> None:
        self.characters = MAX_ENTRY
        self.parts = MAX_PARTS


class Window:
    """A moving view of the file: `at` is the place, `open` how many brackets are open there."""

    def __init__(self, source: BinaryIO, layout: Layout) -> None:
        source.seek(0)
        self._source = source
        lines = layout.lines
        self._parse = _parser(lines=lines).raw_decode
        self._blank = _BLANK_IN_LINE if lines else _BLANK
        self._mark = _MARK_IN_LINE if lines else _MARK
        self._string_end = _STRING_END_IN_LINE if lines else _STRING_END
        self._decoder = codecs.getincrementaldecoder(layout.encoding)(layout.errors)
        self._text = ""
        self._ended = False
        self._skipped = 0
        self.at = 0
        self.open = 0

    def _more(self, most: int | None = None) -> bool:
        """Read on, as much again as is there already; False when that is all there is."""
        self._forget()
        kept, limit = len(self._text), MAX_ENTRY if most is None else most
        if self._ended or kept > limit:
            return False
        wanted = max(CHUNK, min(kept, limit + CHUNK - kept))
        pieces = [self._text]
        while wanted > 0 and not self._ended:
            pieces.append(self._read())
            wanted -= CHUNK
        self._text = "".join(pieces)
        return len(self._text) > kept or not self._ended

    def _read(self) -> str:
        raw = self._source.read(CHUNK)
        self._ended = not raw
        text = self._decoder.decode(raw, final=self._ended)
        return text if text.isascii() else text.encode("ascii", "as_json_escapes").decode("ascii")

    def _forget(self) -> None:
        """Let go of what was read already."""
        self._text = self._text[self.at :]
        self.at = 0

    def peek(self) -> str:
        """The next visible character, or the end of the line where that counts; "" at the end."""
        return self._next(self._blank)

    def next_value(self) -> str:
        """The first character of the next value of the file; "" where there is none."""
        return self._next(_BLANK)

    def _next(self, blank: re.Pattern[str]) -> str:
        while True:
            found = blank.match(self._text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self._text):
                return self._text[self.at]
            if not self._more():
                return ""

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        return not self._ended and (
            error.pos >= len(self._text) - _NEAR_THE_CUT
            or error.msg.startswith("Unterminated string")
        )

    def whole(self) -> Json | None:
        """The object here, if it is in order and small enough to be taken at once."""
        while True:
            try:
                value, end = self._parse(self._text, self.at)
            except json.JSONDecodeError as error:
                if not (self._is_cut(error) and self._more(CHUNK)):
                    return None
            except (RecursionError, _SameKeyTwice):
                return None
            else:
                self.at = end
                return value if isinstance(value, dict) else None

    def value(self, budget: Budget) -> Any:
        """The value here, whatever it is, as far as the budget reaches."""
        while True:
            try:
                value, end = self._parse(self._text, self.at)
            except json.JSONDecodeError as error:
                if self._is_cut(error):
                    self._check(budget, len(self._text))
                    if self._more():
                        continue
                raise Unusable(Reason.UNREADABLE_PART, broken=True)
            except (RecursionError, _SameKeyTwice):
                raise Unusable(Reason.UNREADABLE_PART)
            else:
                if end < len(self._text) or self._text[end - 1] in '"]}' or not self._more():
                    self._check(budget, end)
                    budget.characters -= end - self.at
                    budget.parts -= self._parts(end)
                    is_large, self.at = end - self.at > CHUNK, end
                    if is_large:
                        self._forget()
                    return value

    def _parts(self, end: int) -> int:
        return 1 + sum(self._text.count(mark, self.at, end) for mark in "{[,")

    def _check(self, budget: Budget, end: int) -> None:
        if end - self.at > budget.characters or self._parts(end) > budget.parts:
            raise Unusable(Reason.TOO_LARGE)

    def members(self, budget: Budget) -> Iterator[str]:
        """The names in the object here, each with the window at its value, to be read in turn."""
        for _ in self._parts_until("}"):
            name = self.value(budget) if self.peek() == '"' else None
            if name is None or self.peek() != ":":
                raise Unusable(Reason.UNREADABLE_PART, broken=True)
            self.at += 1
            self.peek()
            yield name

    def elements(self) -> Iterator[int]:
        """Each place in the list here where an element begins, with the brackets open there."""
        return self._parts_until("]")

    def _parts_until(self, end: str) -> Iterator[int]:
        """Each place after the bracket here, or after a comma, until the bracket that closes it."""
        self.at += 1
        self.open += 1
        while (mark := self.peek()) != end:
            if mark in _NO_VALUE:
                raise Unusable(Reason.UNREADABLE_PART, broken=True)
            yield self.open
            if (mark := self.peek()) == ",":
                self.at += 1
            elif mark != end:
                raise Unusable(Reason.UNREADABLE_PART, broken=True)
        self.at += 1
        self.open -= 1

    def skip_to(self, depth: int) -> None:
        """Pass over what is here, to where only `depth` brackets are open again."""
        if self.open == depth and self.peek() not in _COMPOUND:
            self._search(_SCALAR_END)
            return
        while True:
            mark = self._search(self._mark)[0]
            self.at += 1
            self._skipped += 1
            if mark == "\n" or self._skipped > MAX_SKIPPED:
                raise Unusable(Reason.UNREADABLE_PART, broken=True)
            if mark == '"':
                self._skip_text()
            else:
                self.open += 1 if mark in "{[" else -1
            if self.open == depth:
                return

    def _search(self, pattern: re.Pattern[str]) -> re.Match[str]:
        while (found := pattern.search(self._text, self.at)) is None:
            self.at = len(self._text)
            if not self._more():
                raise Unusable(Reason.UNREADABLE_PART, broken=True)
        self.at = found.start()
        return found

    def _skip_text(self) -> None:
        """Go behind the quotation mark that ends the text here."""
        while True:
            rest = self._string_end.match(self._text, self.at)
            self.at = rest.end() if rest else self.at
            if rest and rest[1]:
                return
            if self._text[self.at : self.at + 1] == "\n" or not self._more():
                raise Unusable(Reason.UNREADABLE_PART, broken=True)

    def next_line(self) -> bool:
        """Go to the start of the next line; False when there is none."""
        while (end := self._text.find("\n", self.at)) < 0:
            self.at = len(self._text)
            if not self._more():
                return False
        self.at = end + 1
        return True
