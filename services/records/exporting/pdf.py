"""A chart as a tagged PDF (PDF/UA-1), set by Typst in a process of its own."""

import asyncio
import json
import os
import sys
from typing import Any

from services.records.domain.chart import Chart
from services.records.exporting import words

SECONDS = 180
"""After which setting is given up."""


class NotSet(Exception):
    """The setter ended without a PDF."""


async def pdf(chart: Chart) -> bytes:
    """The PDF. If whoever wants it goes away, the setter goes with them."""
    setter = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.records.exporting.setting",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(SECONDS):
            made, _ = await setter.communicate(json.dumps(said(chart)).encode())
    except TimeoutError:
        raise NotSet from None
    finally:
        if setter.returncode is None:
            setter.kill()
            await setter.wait()
    if setter.returncode or not made.startswith(b"%PDF-"):
        raise NotSet
    return made


def said(chart: Chart) -> dict[str, Any]:
    """All that the PDF says, in the order in which it says it."""
    person, practice, zone = chart.person, chart.practice, chart.zone
    facts = [
        ("Born", words.day(person.birth_date)),
        ("Record number", person.mrn),
        ("From", ", ".join(filter(None, (practice.name, practice.phone)))),
        ("Dates", words.period(chart.selection)),
        ("Holds", words.counts(chart)),
        ("Made", words.moment(chart.made_at, zone)),
    ]
    return {
        "title": f"Health record of {words.person(chart)}",
        "author": practice.name,
        "footer": f"{words.person(chart)}, born {words.day(person.birth_date)}",
        "facts": [fact for fact in facts if fact[1]],
        "results": [
            {
                "id": str(one.id),
                "name": one.name,
                "notes": [note for note in (one.specimen, one.performer) if note],
                "value": words.value(one),
                "before": words.before(one, zone),
                "comment": one.comment,
                "range": one.range_text,
                "flag": ", ".join(filter(None, (words.flag(one), words.standing(one)))),
                "collected": words.collected(one, zone),
            }
            for one in chart.results
        ],
        "documents": [
            {
                "id": str(one.id),
                "title": one.title,
                "kind": one.kind,
                "author": one.author,
                "dated": words.dated(one, zone),
                "size": words.size(one.size),
            }
            for one in chart.documents
        ],
        "messages": [
            {
                "id": str(one.message_id),
                "subject": one.subject or "Message",
                "sender": words.sender(one, chart),
                "sent": words.moment(one.sent_at, zone),
                "body": one.body or "This message can’t be read.",
                "files": f"With it: {', '.join(file.file_name for file in one.files)}"
                if one.files
                else "",
            }
            for one in chart.messages
        ],
    }
