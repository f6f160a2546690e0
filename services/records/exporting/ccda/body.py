"""The sections that hold nothing, and the one that is there to be read: messages."""

from typing import NamedTuple

from services.records.domain.chart import Chart
from services.records.exporting import words
from services.records.exporting.ccda.terms import loinc, template
from services.records.exporting.xml_writing import element, text


class Section(NamedTuple):
    """A section that a Continuity of Care Document has to have."""

    template: str
    extension: str
    code: str
    title: str


NOT_KEPT = (
    Section("2.16.840.1.113883.10.20.22.2.6.1", "2015-08-01", "48765-2", "Allergies"),
    Section("2.16.840.1.113883.10.20.22.2.1.1", "2014-06-09", "10160-0", "Medications"),
    Section("2.16.840.1.113883.10.20.22.2.5.1", "2015-08-01", "11450-4", "Problems"),
    Section("2.16.840.1.113883.10.20.22.2.17", "2015-08-01", "29762-2", "Social history"),
    Section("2.16.840.1.113883.10.20.22.2.4.1", "2015-08-01", "8716-3", "Vital signs"),
)
"""What the portal keeps only inside documents."""


def empty(section: Section) -> str:
    """It is said that nothing is known here, so that nobody reads it as "none"."""
    told = "This portal keeps no such list. It may be in the documents."
    return element(
        "component",
        element(
            "section",
            template(section.template, section.extension),
            loinc(section.code, section.title),
            element("title", section.title),
            element("text", element("paragraph", told)),
            nullFlavor="NI",
        ),
    )


def paragraphs(written: str) -> str:
    """A text with its lines, as narrative."""
    return "<br/>".join(text(line) for line in written.split("\n"))


def messages(chart: Chart) -> str:
    """Every message in full, in the order in which they were sent."""
    items = [
        element(
            "item",
            element(
                "content",
                text(
                    f"{words.moment(letter.sent_at, chart.zone)}, "
                    f"{words.sender(letter, chart)}: {letter.subject}"
                ),
                styleCode="Bold",
            ),
            "<br/>",
            paragraphs(letter.body or "(not readable)"),
            *(f"<br/>{text(f'File: {file.file_name}')}" for file in letter.files),
            ID=f"message-{letter.message_id}",
        )
        for letter in chart.messages
    ]
    return element(
        "component",
        element(
            "section",
            element("title", "Messages"),
            element("text", element("list", *items)),
        ),
    )
