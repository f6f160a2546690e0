"""What the letters say, and that nothing else gets into them."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from lxml import html

from libs.contracts.identity.letters import Letter, LetterKind
from libs.contracts.identity.practices import Practice
from services.notifier.writing import write
from tests.notifier.test_sending_rules import JOB
from tests.readability import reading_age

PRACTICE = Practice(
    practice_id=uuid4(),
    name="Lakeside Oncology",
    phone="(720) 555-0142",
    address="1840 Cottonwood Avenue, Denver",
    hours="Monday to Friday, 8 am to 5 pm",
    emergency="Call 911.",
    time_zone="America/Denver",
)
LETTER = Letter(
    email="rosa.alvarez@example.com",
    greeting_name="Rosa",
    practice=PRACTICE,
    path="/register/abc.def",
    link_expires_at=datetime(2026, 11, 26, 16, 30, tzinfo=UTC),
    happened_at=datetime(2026, 11, 22, 16, 30, tzinfo=UTC),
    time_zone="America/Denver",
)

WITHOUT_LINK = (LetterKind.EMAIL_CHANGED, LetterKind.ACCESS_ENDED)


def written(kind: LetterKind, letter: Letter = LETTER) -> EmailMessage:
    job = replace(JOB, kind=kind)
    if kind in WITHOUT_LINK:
        letter = letter.model_copy(update={"path": ""})
    message = write(
        job, letter, public_url="https://portal.example.com/", mail_from="no-reply@example.com"
    )
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def words(kind: LetterKind, letter: Letter = LETTER) -> tuple[str, str]:
    message = written(kind, letter)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain
    assert rich
    page: Any = html.fromstring(rich.get_content())
    for unseen in page.xpath("//style"):
        unseen.drop_tree()
    return " ".join(plain.get_content().split()), " ".join(" ".join(page.itertext()).split())


@pytest.mark.parametrize("kind", list(LetterKind))
def test_every_letter_says_the_same_in_text_and_html(kind: LetterKind) -> None:
    plain, rich = words(kind)
    said = {word.strip(".,:?") for word in plain.lower().split()}
    assert said - {word.strip(".,:?") for word in rich.lower().split()} == set()


@pytest.mark.parametrize("kind", list(LetterKind))
def test_every_letter_has_its_link_written_out_or_none_at_all(kind: LetterKind) -> None:
    link = "https://portal.example.com/register/abc.def"
    for text in words(kind):
        assert (link in text) == (kind not in WITHOUT_LINK)


@pytest.mark.parametrize("kind", list(LetterKind))
def test_no_letter_brings_images_trackers_or_health_words(kind: LetterKind) -> None:
    message = written(kind)
    raw = message.as_string().lower()
    assert "<img" not in raw
    assert "<script" not in raw
    for word in ("result", "cancer", "diagnos", "medication", "treatment", "alvarez,"):
        assert word not in " ".join(words(kind)).lower()
    assert "rosa" not in str(message["Subject"]).lower()


def test_the_invitation_says_what_it_is_and_until_when() -> None:
    message = written(LetterKind.INVITATION)
    plain, rich = words(LetterKind.INVITATION)
    assert message["Subject"] == "Lakeside Oncology: finish your registration"
    assert message["From"] == "Lakeside Oncology <no-reply@example.com>"
    assert "Complete Your Registration" in rich
    assert "COMPLETE YOUR REGISTRATION" in plain
    assert "until Thursday, 26 November 2026, 9:30 am (MST)." in plain


def test_whose_record_it_was_is_told_as_far_as_the_invitation_told_it() -> None:
    letter = LETTER.model_copy(update={"greeting_name": "Ana", "from_name": "Rosa"})
    for kind in (LetterKind.DELEGATE_INVITATION, LetterKind.ACCESS_ENDED):
        for text in words(kind, letter):
            assert "Rosa" in text
            assert "Alvarez" not in text
    message = written(LetterKind.ACCESS_ENDED, letter)
    assert message["Subject"] == "Lakeside Oncology: your access to a record has ended"
    assert message["From"] == "Lakeside Oncology <no-reply@example.com>"


def test_the_same_letter_has_the_same_id_however_often_it_is_written() -> None:
    assert (
        written(LetterKind.INVITATION)["Message-ID"] == written(LetterKind.INVITATION)["Message-ID"]
    )


def test_names_cannot_add_a_recipient_or_a_header() -> None:
    hostile = PRACTICE.model_copy(update={"name": 'A"\r\nBcc: evil@example.com, "<b>x'})
    message = written(LetterKind.INVITATION, LETTER.model_copy(update={"practice": hostile}))
    assert message["Bcc"] is None
    assert message["To"].addresses[0].addr_spec == "rosa.alvarez@example.com"
    assert len(message["To"].addresses) == 1
    rich = message.get_body(("html",))
    assert rich
    assert "<b>" not in rich.get_content()


@pytest.mark.parametrize("kind", list(LetterKind))
def test_letters_can_be_read_at_twelve(kind: LetterKind) -> None:
    plain, _ = words(kind)
    assert reading_age(re.sub(r"https\S+", "", plain)) <= 12
