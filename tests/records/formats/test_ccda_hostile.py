"""What no record system sends on purpose: refused soon, in little memory, with nothing fetched."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.records.domain.found import LeftOut, Reason, Unreadable
from services.records.domain.result import Result
from services.records.formats.ccda import charset, tree
from services.records.formats.ccda.narrative import MAX_LINE, MAX_RESOLVED
from tests.corpus import CORPUS, content, files, needs_corpus
from tests.records.formats.cda_documents import (
    document,
    every,
    found_in,
    observation,
    only,
    results_document,
)

SOON = 1.0
"""Seconds within which what is hostile is refused."""
LITTLE = 64
"""Megabytes that a process may grow by while it refuses everything here, one after another."""

READ_THEM_ALL = """
import io, json, re, sys, time
from services.records.domain.found import Unreadable
from services.records.formats import cda_page, ccda

def grown():  # the peak of this very process; ru_maxrss would begin with its parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

list(ccda.read(io.BytesIO(open(sys.argv[1], "rb").read())))
before, told = grown(), {}
for path in sys.argv[2:]:
    data = open(path, "rb").read()
    started = time.perf_counter()
    try:
        list(ccda.read(io.BytesIO(data)))
        cda_page.render(data)
        said = "read"
    except Unreadable as error:
        said = str(error)
    told[path.rpartition("/")[2]] = (said, time.perf_counter() - started)
    del data
print(json.dumps({"told": told, "grown": grown() - before}))
"""


class _Listener(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"FETCHED")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A web server of the attacker's, and what was asked of it."""
    asked: list[str] = []
    handler = type("Listener", (_Listener,), {"asked": asked})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def refused(at: str, secret: Path) -> dict[str, bytes]:
    """Documents that must not be read, each by the name of its attack."""
    laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    body = "<ClinicalDocument xmlns='urn:hl7-org:v3'>{}</ClinicalDocument>"
    entity = body.format("<title>&x;</title>")
    doctype = "<!DOCTYPE ClinicalDocument [{}]>"
    attributes = " ".join(f"a{n}='1'" for n in range(100_000))
    return {
        "laughs": (doctype.format(f"<!ENTITY l0 'ha'>{laughs}") + body.format("&l11;")).encode(),
        "quadratic": (
            doctype.format(f"<!ENTITY x '{'x' * 100_000}'>") + body.format("&x;" * 10_000)
        ).encode(),
        "external-file": (
            doctype.format(f"<!ENTITY x SYSTEM '{secret.as_uri()}'>") + entity
        ).encode(),
        "external-http": (doctype.format(f"<!ENTITY x SYSTEM '{at}/e'>") + entity).encode(),
        "parameter": (doctype.format(f"<!ENTITY % p SYSTEM '{at}/p'>%p;") + entity).encode(),
        "external-dtd": (f"<!DOCTYPE ClinicalDocument SYSTEM '{at}/dtd'>" + entity).encode(),
        "dtd-in-utf-16": (doctype.format("") + body.format("")).encode("utf-16"),
        "dtd-after-comment": ("<!-- a -->" * 900 + doctype.format("") + body.format("")).encode(),
        "long-opening": ("<!--" + "x" * charset.MAX_PROLOG + "-->" + body.format("")).encode(),
        "endless-opening": b"<!--" + b"x" * 1_000_000,
        "damaged-utf-16": document().decode().encode("utf-16")[:-1],
        "utf-7": (
            b"<?xml version='1.0' encoding='UTF-7'?>+ADw-ClinicalDocument xmlns+AD0-'x'+AD4-"
        ),
        "utf-32": body.format("").encode("utf-32"),
        "other-charset": b"<?xml version='1.0' encoding='unicode_escape'?><ClinicalDocument/>",
        "depth": b"<ClinicalDocument xmlns='urn:hl7-org:v3'>" + b"<a>" * 1_000_000,
        "attributes": body.format(f"<title {attributes}/>").encode(),
        "elements": body.format("<a/>" * 1_000_000).encode(),
        "truncated": results_document(observation())[:-20],
        "twice": results_document(observation()) * 2,
        "not-clinical": b"<html><body/></html>",
        "zeros": bytes(1_000_000),
        "empty": b"",
    }


def harmless(at: str) -> dict[str, bytes]:
    """Documents that are read, and that lead nobody anywhere."""
    ordinary = results_document(observation()).decode()
    include = f"<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='{at}/include'/>"
    return {
        "stylesheet": ordinary.replace(
            "?>", f"?><?xml-stylesheet type='text/xsl' href='{at}/cda.xsl'?>", 1
        ).encode(),
        "xinclude": ordinary.replace("<text>", f"<text>{include}").encode(),
        "base": ordinary.replace("<title>", f"<title xml:base='{at}/base'>").encode(),
        "schema": ordinary.replace(
            "<ClinicalDocument ", f"<ClinicalDocument xsi:schemaLocation='urn:hl7-org:v3 {at}/s' "
        ).encode(),
    }


def test_every_attack_is_refused_soon_in_little_memory_and_nothing_is_fetched(
    listener: tuple[str, list[str]], tmp_path: Path
) -> None:
    at, asked = listener
    secret = tmp_path / "secret"
    secret.write_text("a secret of this machine")
    bad, good = refused(at, secret), harmless(at)
    paths = []
    for name, data in {"warm": results_document(observation()), **bad, **good}.items():
        path = tmp_path / name
        path.write_bytes(data)
        paths.append(str(path))
    if CORPUS.is_dir():
        paths += [str(path) for path in files("files") if path.name.startswith("defusedxml")]

    answer = subprocess.run(
        [sys.executable, "-c", READ_THEM_ALL, *paths], capture_output=True, check=True, timeout=60
    )

    said = json.loads(answer.stdout)
    read_anyway = {name for name, (words, _) in said["told"].items() if words == "read"}
    slow = {name: took for name, (_, took) in said["told"].items() if took >= SOON}
    assert read_anyway == set(good)
    assert slow == {}
    assert said["grown"] < LITTLE
    assert asked == []
    assert b"secret of this machine" not in answer.stdout


@pytest.mark.parametrize(
    "name",
    ["laughs", "dtd-in-utf-16", "utf-7", "depth", "truncated", "endless-opening", "damaged-utf-16"],
)
def test_a_refusal_is_a_plain_sentence_without_anything_of_the_file(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(Unreadable, match=r"^The (file|document) [\w\s,()'.-]+\.$"):
        found_in(refused("http://127.0.0.1", tmp_path / "none")[name])


def nested(depth: int) -> bytes:
    """A document whose innermost element is inside that many."""
    inner = depth - 1
    return (
        "<ClinicalDocument xmlns='urn:hl7-org:v3'>" + "<a>" * inner + "</a>" * inner
        + "</ClinicalDocument>"
    ).encode()  # fmt: skip


def attributed(count: int) -> bytes:
    said = " ".join(f"a{number}=''" for number in range(count))
    return f"<ClinicalDocument xmlns='urn:hl7-org:v3'><a {said}/></ClinicalDocument>".encode()


def marked(count: int) -> bytes:
    """A document with that many `<` and `=`."""
    return (
        b"<ClinicalDocument xmlns='urn:hl7-org:v3'>" + b"<a/>" * (count - 3)
        + b"</ClinicalDocument>"
    )  # fmt: skip


def sized(count: int) -> bytes:
    bare = b"<ClinicalDocument xmlns='urn:hl7-org:v3'></ClinicalDocument>"
    return bare.replace(b"><", b">" + b" " * (count - len(bare)) + b"<")


def opened(count: int) -> bytes:
    """A document after a comment of that many characters."""
    comment = f"<!--{'x' * (count - len('<!---->'))}-->"
    return f"{comment}<ClinicalDocument xmlns='urn:hl7-org:v3'/>".encode()


@pytest.mark.parametrize(
    ("made", "most"),
    [
        (nested, tree.MAX_DEPTH),
        (attributed, tree.MAX_ATTRIBUTES),
        (marked, tree.MAX_MARKS),
        (sized, tree.MAX_BYTES),
        (opened, charset.MAX_PROLOG),
    ],
    ids=["depth", "attributes", "marks", "bytes", "opening"],
)
def test_a_limit_is_where_it_says_it_is(made: Callable[[int], bytes], most: int) -> None:
    assert tree.parse(made(most)).tag.endswith("}ClinicalDocument")
    with pytest.raises(Unreadable):
        tree.parse(made(most + 1))


def test_a_name_that_is_a_novel_is_cut() -> None:
    named = "<code><originalText>{}</originalText></code>"
    longest = results_document(observation(code=named.format("x" * MAX_LINE)))
    longer = results_document(observation(code=named.format("x" * (MAX_LINE + 1))))
    assert only(Result, longest).name == "x" * MAX_LINE
    endless = results_document(observation(code=named.format("<b>x</b>" * 40_000)))
    assert only(Result, longer).name == "x" * (MAX_LINE - 1) + "…"
    assert only(Result, endless).name == only(Result, longer).name


def test_references_to_one_long_text_run_out() -> None:
    """A small file can't be made into a large one by pointing at the same text again and again."""
    long = "x" * 150_000
    texts = "".join(f'<content ID="t{n}">{long}</content>' for n in range(40))
    entries = [
        observation(
            f'<value xsi:type="ED"><reference value="#t{n % 40}"/></value>',
            identity=f'<id root="1.2" extension="{n}"/>',
        )
        for n in range(400)
    ]
    data = results_document(*entries, text=texts)
    taken = every(Result, data)

    assert len(taken) + len(every(LeftOut, data)) == 400
    assert sum(len(one.value.text) for one in taken) <= MAX_RESOLVED + len(long)
    assert {one.reason for one in every(LeftOut, data)} == {Reason.NO_VALUE}


@needs_corpus
@pytest.mark.parametrize("path", files("files") + files("misc"), ids=lambda path: path.name[:50])
def test_files_of_other_kinds_are_unreadable(path: Path) -> None:
    with pytest.raises(Unreadable):
        found_in(content(path))
