"""What HL7's schema of CDA says, out of a package that was made from it by somebody else.

malac-models-cda holds a class for each type of that schema, written by generateDS: its elements in
their order and which may come again, its attributes, and the words that one may hold. The text is
read, and only what a document needs of it: as code it takes seconds to load. What Austria and the
US add passes for HL7's own. It does not tell what has to be there, that only one of a choice may
be, and which words a union of vocabularies has. cda.xsd knows all of that.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from lxml import etree

_V3 = "{urn:hl7-org:v3}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(frozen=True)
class Part:
    """An element or an attribute: its type, and whether it may come again."""

    kind: str
    many: bool


@dataclass(frozen=True)
class Kind:
    """A type of the schema, with what it has from those that it builds on."""

    base: str
    elements: dict[str, Part]
    attributes: dict[str, Part]
    words: dict[str, list[str]]
    patterns: dict[str, list[list[str]]]
    mixed: bool


def faults(root: etree._Element) -> Iterator[str]:
    """What a document has that HL7's schema does not allow."""
    if root.tag != f"{_V3}ClinicalDocument":
        yield f"{root.tag} is no document"
        return
    yield from _within(root, "POCD_MT000040_ClinicalDocument")


def _within(element: etree._Element, declared: str) -> Iterator[str]:
    name = element.get(f"{_XSI}type", declared)
    if name not in _texts() or not _is(name, declared):
        yield f"{element.tag}: {name} is no {declared}"
        return
    kind = _kind(name)
    yield from _attributes(element, kind)
    if not kind.mixed and any(one and one.strip() for one in _between(element)):
        yield f"{element.tag}: {name} holds no text"
    order = list(kind.elements)
    last = ""
    for child in element.iterchildren(tag=etree.Element):
        part = child.tag.removeprefix(_V3)
        if part not in kind.elements:
            yield f"{element.tag}: {name} has no {child.tag}"
            continue
        again = kind.elements[part].many
        if part == last and not again:
            yield f"{element.tag}: {part} comes again"
        any_order = kind.mixed and again and last and kind.elements[last].many
        if last and order.index(part) < order.index(last) and not any_order:
            yield f"{element.tag}: {part} comes before {last}"
        last = part
        yield from _within(child, kind.elements[part].kind)


def _attributes(element: etree._Element, kind: Kind) -> Iterator[str]:
    for name, value in ((str(one), str(element.get(one))) for one in element.attrib):
        if name.startswith(_XSI):
            continue
        part = kind.attributes.get(name)
        if part is None:
            yield f"{element.tag}: no attribute {name}"
        elif not _fits(value, part.kind, kind):
            yield f"{element.tag}: {name} is no {part.kind}: {value}"


def _fits(value: str, simple: str, kind: Kind) -> bool:
    # All that are spelled in some way are tokens, which have no outer spaces, but for a time.
    bare = value if simple == "ts" else value.strip()
    return bare in kind.words.get(simple, [bare]) and all(
        any(re.search(one, bare) for one in either) for either in kind.patterns.get(simple, [])
    )


def _between(element: etree._Element) -> Iterator[str | None]:
    yield element.text
    yield from (child.tail for child in element)


def _is(name: str, declared: str) -> bool:
    while name in _texts():
        if name == declared:
            return True
        name = _kind(name).base
    return False


@cache
def _texts() -> dict[str, str]:
    """The text of each class, by its name."""
    path = Path(str(distribution("malac-models-cda").locate_file("malac/models/cda/at_ext.py")))
    parts = re.split(r"^(?=class )", path.read_text("utf-8"), flags=re.MULTILINE)
    return {re.split(r"\W", part.removeprefix("class "), maxsplit=1)[0]: part for part in parts[1:]}


@cache
def _kind(name: str) -> Kind:
    [made] = [one for one in ast.parse(_texts()[name]).body if isinstance(one, ast.ClassDef)][:1]
    base = ast.unparse(made.bases[0])
    above = _kind(base) if base in _texts() and base != "GeneratedsSuper" else None
    known = set(above.elements) if above else set()
    methods = {one.name: one for one in made.body if isinstance(one, ast.FunctionDef)}
    known |= {
        str(ast.literal_eval(one.comparators[0]))
        for one in ast.walk(methods["_buildChildren"])
        if isinstance(one, ast.Compare) and ast.unparse(one.left) == "nodeName_"
    }
    told = methods["__init__"].args.args
    parts = {one.arg: _part(one.annotation) for one in told if one.annotation}
    return Kind(
        base=base,
        elements={key: part for key, part in parts.items() if key in known},
        attributes={key: part for key, part in parts.items() if key not in known},
        words=(above.words if above else {}) | _words(methods),
        patterns=(above.patterns if above else {}) | _patterns(made),
        mixed=any(one.arg == "content_" for one in told),
    )


def _part(annotation: ast.expr) -> Part:
    many = isinstance(annotation, ast.Subscript)
    named = annotation.slice if isinstance(annotation, ast.Subscript) else annotation
    return Part(str(ast.literal_eval(named)).replace(".", "_"), many)


def _words(methods: dict[str, ast.FunctionDef]) -> dict[str, list[str]]:
    """The words that a vocabulary has."""
    return {
        name.removeprefix("validate_"): ast.literal_eval(one.value)
        for name, method in methods.items()
        if name.startswith("validate_")
        for one in ast.walk(method)
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "enumerations"
    }


def _patterns(made: ast.ClassDef) -> dict[str, list[list[str]]]:
    """How a simple type is spelled: of each list, one has to fit."""
    return {
        name.group(1): ast.literal_eval(one.value)
        for one in made.body
        if isinstance(one, ast.Assign)
        and (name := re.fullmatch(r"validate_(\w+)_patterns_", ast.unparse(one.targets[0])))
    }
