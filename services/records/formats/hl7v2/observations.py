"""One OBX read, and the lines of one text, sent an OBX each, put together again."""

from dataclasses import dataclass, field

from services.records.formats.hl7v2.codes import Named, named
from services.records.formats.hl7v2.embedded import is_document
from services.records.formats.hl7v2.segments import LONGEST_LABEL, Fields, Segment
from services.records.formats.hl7v2.standing import flags_of, status_letter
from services.records.formats.hl7v2.values import quantity, text_lines

LONGEST_TEXT = 200_000
"""Characters of a value or of the comments on it."""

_LINE_TYPES = frozenset({"TX", "FT"})
_SHORT_LINE_TYPE = "ST"


@dataclass(kw_only=True, slots=True)
class Observation:
    """An OBX, or several that are the lines of one text."""

    first: int
    """Its place among the message's OBX, counted from 1."""
    last: int
    value_type: str
    test: Named | None
    sub_id: str
    unit: str
    range_text: str
    flags: tuple[str, ...]
    status: str
    time: str
    fields: Fields
    lines: list[str] = field(default_factory=list)
    """The lines of a text; none where the value is of another type, or carries a document."""
    comments: list[str] = field(default_factory=list)
    size: int = 0
    comments_size: int = 0

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def too_large(self) -> bool:
        return self.size > LONGEST_TEXT

    def add_comment(self, text: str) -> None:
        self.comments_size += len(text) + 1
        if self.comments_size <= LONGEST_TEXT:
            self.comments.append(text)


def observation(segment: Segment, place: int, asked: Named | None) -> Observation:
    """Read an OBX. One that names no test is about what was asked for."""
    fields = segment.fields()
    value_type = fields.component(2).upper()[:LONGEST_LABEL]
    size = len(fields.raw(5))
    read = Observation(
        first=place,
        last=place,
        value_type=value_type,
        test=named(fields, 3) or asked,
        sub_id=fields.component(4),
        unit=_unit(fields),
        range_text=" ".join(fields.text(fields.raw(7)).split()),
        flags=flags_of(fields),
        status=status_letter(fields),
        time=fields.component(14),
        fields=fields,
        size=0 if is_document(value_type, fields) else size,
    )
    is_text = value_type in _LINE_TYPES or value_type == _SHORT_LINE_TYPE
    if is_text and not read.too_large and not is_document(value_type, fields):
        read.lines = text_lines(fields)
    return read


def goes_on(text: Observation, line: Observation) -> bool:
    """Whether an OBX is the next line of a text: the same test, and nothing of its own to say.

    TX and FT are lines by their nature. ST is one where sub-ids count the lines; numbers never are.
    """
    types = {text.value_type, line.value_type}
    same = (
        text.test is not None
        and line.test is not None
        and text.test.identity == line.test.identity
        and text.test.code.key == line.test.code.key
        and (line.time in {"", text.time})
        and (line.status in {"", text.status})
        and line.unit in {"", text.unit}
        and line.range_text in {"", text.range_text}
        and line.flags in {(), text.flags}
    )
    if not same or not text.lines or not line.lines:
        return False
    if types <= _LINE_TYPES:
        return True
    counted = bool(text.sub_id and line.sub_id and text.sub_id != line.sub_id)
    return counted and not any(
        quantity(each.strip()) for each in (*text.lines[:1], *line.lines[:1])
    )


def join(text: Observation, line: Observation) -> None:
    """Put the next line to its text."""
    text.last = line.last
    text.size += line.size + 1
    if text.too_large:
        text.lines = text.lines[:1]
    else:
        text.lines += line.lines


def _unit(fields: Fields) -> str:
    parts = [*fields.components(6), "", "", "", "", ""]
    return parts[0] or parts[1] or parts[3] or parts[4]
