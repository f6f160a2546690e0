"""Whether what one release writes can be read by another.

A part writes every field of a contract, those with a default too. A part that reads ignores what
it doesn't know, gives what is missing its default, and refuses all else that does not fit its
schema. So two schemas are compared in both directions: what the one may write, the other reads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

SAYS_NOTHING = {"title", "description", "default", "deprecated", "$defs", "uniqueItems"}
"""What changes nothing of what is read. A repeated member of a set is read as one."""
UNDERSTOOD = {
    "$ref", "type", "format", "pattern", "enum", "const", "anyOf", "items", "properties", "required",
    "additionalProperties", "maxLength", "minLength", "maxItems", "minItems", "maximum", "minimum",
    "exclusiveMaximum", "exclusiveMinimum",
}  # fmt: skip
AT_MOST = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
AT_LEAST = ("minLength", "minItems", "minimum", "exclusiveMinimum")


@dataclass(frozen=True)
class Said:
    """A schema, with the definitions that it refers to."""

    schema: Schema
    definitions: Mapping[str, Schema]

    @classmethod
    def of(cls, whole: Schema) -> "Said":
        return cls(whole, whole.get("$defs", {}))

    def part(self, schema: Schema | bool) -> "Said":
        """Something inside it, with what it refers to looked up."""
        if isinstance(schema, bool):
            return Said({} if schema else {"enum": []}, self.definitions)
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].removeprefix("#/$defs/")]
        return Said(schema, self.definitions)

    @property
    def choices(self) -> list["Said"]:
        """What it may be: one thing, or any of several."""
        return [self.part(one) for one in self.schema.get("anyOf", [self.schema])]

    @property
    def fields(self) -> dict[str, "Said"]:
        return {name: self.part(one) for name, one in self.schema.get("properties", {}).items()}


Pairs: TypeAlias = frozenset[tuple[int, int]]


def unread(writes: Said, reads: Said, where: str, within: Pairs = frozenset()) -> Iterator[str]:
    """What the one may write and the other not read, a sentence each."""
    pair = (id(writes.schema), id(reads.schema))
    if pair in within:
        return
    for choice in writes.choices:
        found = [list(_differs(choice, one, where, within | {pair})) for one in reads.choices]
        if all(found):
            yield from min(found, key=len)


def _differs(writes: Said, reads: Said, where: str, within: Pairs) -> Iterator[str]:
    wrote, read = writes.schema, reads.schema
    if strange := (wrote.keys() | read.keys()) - UNDERSTOOD - SAYS_NOTHING:
        yield f"{where}: no rule for {', '.join(sorted(strange))}"
        return
    kinds = (wrote.get("type"), read.get("type"))
    if read and kinds[0] != kinds[1] and kinds != ("integer", "number"):
        yield f"{where} is written as {kinds[0]} and read as {kinds[1]}"
        return
    yield from _other_values(wrote, read, where)
    yield from _out_of_bounds(wrote, read, where)
    theirs = writes.fields
    for name, field in reads.fields.items():
        if name in theirs:
            yield from unread(theirs[name], field, f"{where}.{name}", within)
        elif name in read.get("required", ()):
            yield f"{where}.{name} is required and not written"
    if read.get("additionalProperties") is False:
        for name in theirs.keys() - reads.fields.keys():
            yield f"{where}.{name} is not known, and nothing unknown is read"
        return
    for inside in ("items", "additionalProperties"):
        if inside in read:
            within_it = writes.part(wrote.get(inside, {})), reads.part(read[inside])
            yield from unread(*within_it, f"{where}[]", within)


def _other_values(wrote: Schema, read: Schema, where: str) -> Iterator[str]:
    for name in ("format", "pattern"):
        if name in read and wrote.get(name) != read[name]:
            yield f"{where} is read with the {name} {read[name]}"
    values = wrote.get("enum", [wrote["const"]] if "const" in wrote else None)
    known = read.get("enum", [read["const"]] if "const" in read else None)
    if known is not None:
        if values is None:
            yield f"{where} is read as one of a few, and written as any"
        for value in values or ():
            if value not in known:
                yield f"{where} may be {value!r}, which is not read"


def _out_of_bounds(wrote: Schema, read: Schema, where: str) -> Iterator[str]:
    for name in (*AT_MOST, *AT_LEAST):
        if name not in read:
            continue
        bound, given = read[name], wrote.get(name)
        if given is None or (given > bound if name in AT_MOST else given < bound):
            yield f"{where} is read with {name} {bound}, and written with {given}"


def unheard(released: Said, today: Said, where: str, within: Pairs = frozenset()) -> Iterator[str]:
    """Fields that a release had, and that are gone without a release in which they were deprecated.

    What is read as if it had not been said is worse than what is refused.
    """
    pair = (id(released.schema), id(today.schema))
    if pair in within:
        return
    within |= {pair}
    now = {name: one for choice in today.choices for name, one in choice.fields.items()}
    inside = [one for choice in today.choices for one in _inside(choice)]
    for choice in released.choices:
        properties = choice.schema.get("properties", {})
        for name, field in choice.fields.items():
            if name in now:
                yield from unheard(field, now[name], f"{where}.{name}", within)
            elif not properties[name].get("deprecated"):
                yield f"{where}.{name} is gone, and was not deprecated"
        for one in _inside(choice):
            for other in inside:
                yield from unheard(one, other, f"{where}[]", within)


def _inside(said: Said) -> list[Said]:
    return [
        said.part(said.schema[name])
        for name in ("items", "additionalProperties")
        if isinstance(said.schema.get(name), dict)
    ]


def between(released: Schema, today: Schema, where: str) -> Iterator[str]:
    """What keeps two releases of one schema from running side by side, both ways."""
    before, now = Said.of(released), Said.of(today)
    for said in unread(before, now, where):
        yield f"The release to come can't read: {said}."
    for said in unread(now, before, where):
        yield f"The running release can't read: {said}."
    for said in unheard(before, now, where):
        yield f"The release to come would not hear: {said}."


def across(released: Mapping[str, Any], today: Mapping[str, Any]) -> Iterator[str]:
    """What keeps the contracts of two releases from running side by side.

    A new contract is none of it: whoever asks for what the running release does not answer is told
    so (`Unavailable`), and events wait for their followers.
    """
    for service, contracts in released.items():
        for name, before in contracts.items():
            now = today.get(service, {}).get(name)
            if now is None:
                yield f"{name} is gone."
            else:
                yield from _contract(name, before, now)


def _contract(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if before.get("subject") != now.get("subject"):
        yield f"{name} has another subject."
    for parts in ("askers", "followers", "listeners"):
        for part in before.get(parts, ()):
            if part not in now.get(parts, ()):
                yield f"{part} is no longer among the {parts} of {name}."
    yield from between(before["schema"], now["schema"], name)
    if "reply" in before:
        yield from between(before["reply"], now["reply"], f"{name} → reply")


def refusals(released: Mapping[str, list[str]], today: Mapping[str, list[str]]) -> Iterator[str]:
    """Codes that only one of the two releases has words for."""
    for service, before in released.items():
        now = today.get(service, [])
        for code in now:
            if code not in before:
                yield f"The running release has no words for {service}'s refusal {code}."
        for code in before:
            if code not in now:
                yield f"The release to come has no words for {service}'s refusal {code}."
