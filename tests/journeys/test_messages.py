"""A question, its answer and all that comes of it: both sides, in the browser."""

import io
import json
import re
import urllib.request
import zipfile
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import FilePayload

from deploy.demo.people import PASSWORD
from tests.journeys.conftest import Look, Visit
from tests.journeys.nurse import nurse_is_in
from tests.journeys.test_staff import file
from tests.messaging.ward import PDF
from tests.waiting import until_now

Open = Callable[[], Visit]
PHOTO = b"\x89PNG\r\n\x1a\n" + b"0" * 2000
ROSA = "rosa.alvarez@example.com"


def rosa_logs_in(visit: Visit) -> None:
    visit.types("Email", ROSA)
    visit.types("Password", PASSWORD)
    visit.types_date(1961, 4, 12)
    visit.presses("Log in")


def unread(visit: Visit) -> int:
    """The count in the navigation, as a screen reader says it."""
    count = visit.page.locator("nav[aria-label=Main] [data-count]")
    said = count.locator(".vh").inner_text() if count.is_visible() else "0 unread"
    return int(said.split()[0])


def announcements(visit: Visit) -> list[str]:
    """The links of every e-mail that told Rosa of a message."""
    with urllib.request.urlopen(f"{visit.portal.url}/mailbox.json", timeout=5) as answer:
        letters = json.load(answer)
    told = [one for one in letters if one["to"] == ROSA and "message is waiting" in one["subject"]]
    for one in told:
        assert not {"Zofran", "pharmacy", "Rosa Alvarez"} & set(one["text"].split())
    return [re.findall(r"http://\S+/messages\S*", one["text"])[0] for one in told]


def announced(visit: Visit, *, known: list[str]) -> str:
    """The link of the one e-mail that came since."""
    [link] = until_now(lambda: [one for one in announcements(visit) if one not in known])
    return str(link)


def test_a_question_is_answered_read_and_replied_to_once(visit: Open, look: Look) -> None:
    rosa, nurse = visit(), visit()
    subject = f"Out of Zofran {uuid4().hex[:6]}"
    rosa.goes_to("/")
    rosa_logs_in(rosa)
    before, told = unread(rosa), announcements(rosa)
    rosa_asks(rosa, subject)
    nurse_answers(nurse, subject)

    if look.script:
        rosa.page.get_by_text("It is at your pharmacy.").wait_for()
        until_now(lambda: unread(rosa) == before + 1)
    rosa.goes_to("/")
    assert unread(rosa) == before + 1
    second = Visit(page=rosa.page.context.new_page(), portal=rosa.portal)
    second.page.goto("/")
    assert unread(second) == before + 1
    elsewhere = visit()
    elsewhere.goes_to(announced(rosa, known=told))
    rosa_logs_in(elsewhere)
    elsewhere.sees(subject, "It is at your pharmacy.", "Seen by the care team")
    assert unread(elsewhere) == before
    rosa.page.get_by_role("link", name="Messages").first.click()
    rosa.page.get_by_role("link", name=subject).first.click()
    rosa.sees_nothing_of("Ring the pharmacy first.")
    assert unread(rosa) == before
    if not look.script:
        second.page.goto("/")
    until_now(lambda: unread(second) == before)

    rosa_replies_once(rosa)
    rosa.follows("Start a new message about this")
    rosa.sees("This goes with")
    rosa.types("Message", "One more thing about this.")
    rosa.presses("Send message")
    rosa.sees("It is at your pharmacy.", "One more thing about this.")

    nurse.goes_to("/staff/messages?show=mine")
    nurse.page.get_by_role("link", name=subject).first.click()
    nurse.sees("Can I have <b>more</b>?", "Thank you.", "One more thing about this.")
    nurse.page.get_by_role("button", name="Keep in documents").first.click()
    nurse.sees("The file is among the patient's documents.")
    nurse.presses("Close")
    nurse.sees("The conversation is closed.", "closed it")


def rosa_asks(rosa: Visit, subject: str) -> None:
    rosa.page.get_by_role("link", name="Messages").first.click()
    rosa.follows("Compose")
    rosa.sees("Not for emergencies")
    rosa.presses("Send message")
    rosa.sees("Choose what your message is about.", "Enter a subject.", "Write your message.")
    rosa.page.get_by_label("Prescription (Rx)").check()
    rosa.types("Subject", subject)
    rosa.types("Message", "I took the last one.\n\nCan I have <b>more</b>?")
    files = [file("photo.png", PHOTO), file("letter.pdf", PDF)]
    rosa.page.locator("#attachments").set_input_files(files)
    rosa.presses("Send message")
    rosa.sees("Your message is with your care team.", "Can I have <b>more</b>?", "photo.png")


def nurse_answers(nurse: Visit, subject: str) -> None:
    nurse_is_in(nurse)
    nurse.goes_to("/staff/messages")
    nurse.page.get_by_role("link", name=subject).click()
    nurse.sees_a_sound_page()
    nurse.presses("Claim")
    nurse.sees("It is yours to answer.", "Yours")
    nurse.types("New note", "Ring the pharmacy first.")
    nurse.presses("Keep the note")
    nurse.types("Your answer", "It is at your pharmacy.")
    nurse.presses("Send answer")
    nurse.sees("Your answer is sent.", "Ring the pharmacy first.")


def rosa_replies_once(rosa: Visit) -> None:
    """The second reply comes from a page that was open before the first one went."""
    rosa.types("Your message", "Thank you.")
    late = Visit(page=rosa.page.context.new_page(), portal=rosa.portal)
    late.page.goto(rosa.page.url)
    rosa.presses("Send reply")
    rosa.sees("You replied on", "Start a new message about this")
    late.types("Your message", "And one more thing.")
    late.page.get_by_role("button", name="Send reply").click()
    late.sees("This message was answered before", "kept as a draft")
    late.page.close()


def bomb() -> bytes:
    """A small archive that would be a hundred megabytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results.txt", bytes(100 * 1024 * 1024))
    return made.getvalue()


FIVE = [file(f"{name}.txt", b"One page.") for name in ("one", "two", "three", "four", "five")]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([file("scan.pdf", PDF + b" " * 6 * 1024 * 1024)], "A file can have up to 6 MB."),
        ([file("photo.jpg", b"PK\x03\x04" + b"\0" * 100)], "Files of this kind can't be sent."),
        ([file("empty.txt", b"")], "empty.txt has nothing in it"),
        ([file("results.zip", bomb())], "Files of this kind can't be sent. results.zip was not"),
        ([file("letter.docx", bomb())], "Files of this kind can't be sent. letter.docx was not"),
        (FIVE, "A message can have up to 4 files. five.txt was not added."),
    ],
    ids=["too large", "not what it says", "empty", "zip bomb", "zip bomb as a letter", "fifth"],
)
def test_a_file_that_may_not_go_is_refused_in_words_and_nothing_typed_is_lost(
    visit: Open, files: list[FilePayload], sentence: str
) -> None:
    rosa = visit()
    rosa.goes_to("/login")
    rosa_logs_in(rosa)
    rosa.page.get_by_role("link", name="Messages").first.click()
    rosa.follows("Compose")
    rosa.page.get_by_label("Health question").check()
    rosa.types("Subject", "With a file")
    rosa.types("Message", "See the file.")
    rosa.page.locator("#attachments").set_input_files(files)
    rosa.presses("Send message")
    rosa.sees("There is a problem", sentence)
    assert rosa.page.get_by_label("Subject", exact=True).input_value() == "With a file"
    assert rosa.page.get_by_label("Message", exact=True).input_value() == "See the file."
    assert rosa.page.get_by_label("Health question").is_checked()


def test_a_draft_is_there_again_wherever_one_comes_back(visit: Open, look: Look) -> None:
    rosa, elsewhere = visit(), visit()
    words = f"I was about to say {uuid4().hex[:6]}"
    rosa.goes_to("/login")
    rosa_logs_in(rosa)
    rosa.page.get_by_role("link", name="Messages").first.click()
    rosa.follows("Compose")
    rosa.types("Subject", words)
    rosa.types("Message", "…")
    if look.script:
        rosa.page.get_by_text("Your draft is saved.").wait_for()
    else:
        rosa.presses("Save draft")
        rosa.sees("Your draft is saved.")
    elsewhere.goes_to("/login")
    rosa_logs_in(elsewhere)
    elsewhere.page.get_by_role("link", name="Messages").first.click()
    elsewhere.page.get_by_role("link", name="Drafts").click()
    elsewhere.follows(words)
    assert elsewhere.page.get_by_label("Message", exact=True).input_value() == "…"
    elsewhere.page.get_by_role("link", name="Messages").first.click()
    elsewhere.page.get_by_role("link", name="Drafts").click()
    elsewhere.presses(f"Delete the draft {words}")
    elsewhere.sees("The draft is deleted.")


def test_what_was_written_when_the_session_had_ended_goes_through_the_log_in(visit: Open) -> None:
    rosa, elsewhere = visit(), visit()
    words = f"Nothing is lost {uuid4().hex[:6]}"
    for one in (rosa, elsewhere):
        one.goes_to("/login")
        rosa_logs_in(one)
    rosa.page.get_by_role("link", name="Messages").first.click()
    rosa.follows("Compose")
    rosa.page.get_by_label("Health question").check()
    rosa.types("Subject", words)
    rosa.types("Message", "A long story.\n\nWith two parts.")
    rosa.page.locator("#attachments").set_input_files([file("letter.pdf", PDF)])
    elsewhere.goes_to("/account")
    elsewhere.presses("End all other sessions")
    elsewhere.sees("Done.")

    rosa.presses("Send message")
    rosa.sees("You were logged out before your message was sent.")
    rosa.types("Email", ROSA)
    rosa.types("Password", "not mine")
    rosa.types_date(1961, 4, 12)
    rosa.presses("Log in")
    rosa.sees("We could not log you in with these details.")
    rosa.types("Password", PASSWORD)
    rosa.presses("Log in")
    rosa.sees(
        "What you wrote is still here. It was not sent.", "A long story.", "Choose them again"
    )
    rosa.presses("Go on with your message")
    rosa.sees("Your draft is saved.")
    assert rosa.page.get_by_label("Subject", exact=True).input_value() == words
    written = rosa.page.get_by_label("Message", exact=True).input_value()
    assert written == "A long story.\n\nWith two parts."
    assert rosa.page.get_by_label("Health question").is_checked()
    rosa.presses("Send message")
    rosa.sees("Your message is with your care team.", "With two parts.")
