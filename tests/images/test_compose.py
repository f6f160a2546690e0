"""The image and the compose file on a real engine, two of each service, through TLS."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from deploy.demo.people import LAKESIDE, PASSWORD
from tests.images import compose
from tests.images.compose import PARTS, Composed
from tests.journeys import test_messages, test_registration
from tests.journeys.conftest import LOOKS, Look, Visit, browser
from tests.journeys.nurse import NURSE
from tests.waiting import until_now

pytestmark = pytest.mark.skipif(bool(compose.missing()), reason=compose.missing())
Open = Callable[[], Visit]
DESK = LOOKS[0]
LOOK = Look(name="compose", width=DESK.width, height=DESK.height, script=True)
PATIENT = test_registration.new_person(LOOK).email
__all__ = ["browser"]


@pytest.fixture(autouse=True)
def trust(here: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks without a browser believes this installation's certificate, and no other."""
    monkeypatch.setenv("SSL_CERT_FILE", str(here.folder / "secrets" / "certificate.pem"))


@pytest.fixture
def visit(browser: Browser, here: Composed) -> Iterator[Open]:
    """A window of its own, which takes the certificate unseen."""
    contexts = []

    def opened() -> Visit:
        context = browser.new_context(base_url=here.url, ignore_https_errors=True)
        contexts.append(context)
        return Visit(page=context.new_page(), portal=here)

    yield opened
    for context in contexts:
        context.close()


def practice_opens(here: Composed, nurse: Visit) -> None:
    """By the operator's commands, until its nurse has an account and a one-time code."""
    told = here.operator(
        *("practice", "add", "--name", "Lakeside Oncology", "--phone", "(720) 555-0142"),
        *("--address", "1840 Cottonwood Avenue, Denver", "--hours", "Monday to Friday, 8 to 5"),
        *("--emergency", "Call 911.", "--time-zone", "America/Denver"),
        *("--contact-email", "frontdesk@lakeside.example.com"),
    )
    here.operator(
        *("staff", "invite", "--practice", "Lakeside Oncology", "--name", "Nora Lindqvist, RN"),
        *("--email", NURSE, "--born", "1984-02-29"),
    )
    nurse.goes_to(here.link(NURSE))
    nurse.types_date(1984, 2, 29)
    nurse.types("Password", PASSWORD)
    nurse.types("Confirm password", PASSWORD)
    nurse.page.get_by_label("I have read and accept").check()
    nurse.presses("Complete registration")
    key = re.search(r"\b(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}\b", nurse.page.locator("main").inner_text())
    assert key
    here.remember(
        import_keys={str(LAKESIDE): compose.import_key(told)},
        code_secrets={NURSE: key[0].replace(" ", "")},
    )


def test_a_practice_works_from_its_first_command_to_a_patients_message(
    here: Composed, visit: Open
) -> None:
    practice_opens(here, visit())
    test_registration.test_a_new_patient_gets_from_the_invitation_to_their_results(visit, LOOK)
    patient, nurse = visit(), visit()
    patient.goes_to("/login")
    patient.types("Email", PATIENT)
    patient.types("Password", "Quiet-Harbor-72")
    patient.types_date(1972, 7, 9)
    patient.presses("Log in")
    test_messages.rosa_asks(patient, "Out of Zofran")
    test_messages.nurse_answers(nurse, "Out of Zofran")
    patient.page.get_by_text("It is at your pharmacy.").wait_for()


def test_no_container_can_do_more_than_its_part_needs(here: Composed) -> None:
    for part in (*PARTS, "postgres", "nats", "proxy"):
        for container in here.containers(part):
            may = container["HostConfig"]
            assert container["Config"]["User"] == "10001:10001", part
            assert may["ReadonlyRootfs"], part
            assert may["CapDrop"] == ["ALL"], part
            assert not may["CapAdd"], part
            assert "no-new-privileges:true" in may["SecurityOpt"], part
            assert may["Memory"], part
            assert may["NanoCpus"], part
            assert bool(may["PortBindings"]) == (part == "proxy"), part


def test_a_part_is_given_its_own_secrets_only(here: Composed) -> None:
    of_parts = {f"{part}{kind}" for part in PARTS for kind in (".nk", "-database-url")}
    for part in PARTS:
        mounted = {mount["Destination"] for mount in here.containers(part)[0]["Mounts"]}
        names = {place.removeprefix("/run/secrets/") for place in mounted}
        others = {name for name in of_parts if not name.startswith(part)}
        assert names, part
        assert not names & (others | {"keys.json", "admin-database-url", "provisioner.nk"}), part


def test_only_what_must_talk_is_on_one_network(here: Composed) -> None:
    def networks(part: str) -> set[str]:
        joined = here.containers(part)[0]["NetworkSettings"]["Networks"]
        return {name.removeprefix(f"{here.project}_") for name in joined}

    assert networks("postgres") == {"data"}
    assert networks("nats") == {"bus"}
    assert networks("gateway") == {"bus", "edge"}
    assert networks("proxy") == {"front", "edge"}
    assert networks("notifier") == {"bus", "data", "mail"}
    for part in ("identity", "records", "messaging", "delegation"):
        assert networks(part) == {"bus", "data"}


def test_nothing_was_left_undone(here: Composed) -> None:
    told = here.compose("run", "--rm", "migrate", "dead-letters", "list")
    assert "There are no dead letters." in told


def test_the_doctor_finds_nothing_wrong(here: Composed) -> None:
    assert "Nothing is wrong." in here.compose("run", "--rm", "admin", "doctor")


def test_it_is_backed_up_and_the_backup_reads_through(here: Composed) -> None:
    backups = here.folder / "backups"
    backups.mkdir()
    os.chown(backups, 10001, 10001)
    admin = ("run", "--rm", "-v", f"{backups}:/backups", "admin")
    assert "Written: " in here.compose(*admin, "backup", "/backups/one")
    assert "Read: " in here.compose(*admin, "restore", "--check", "/backups/one")


def test_postgres_ends_in_order_while_everybody_is_connected(here: Composed) -> None:
    """Not killed after half a minute, which it would have to mend as it starts."""
    here.compose("stop", "postgres")
    here.compose("start", "postgres")
    told = until_now(lambda: _ready_again(here))
    assert "was interrupted" not in told
    assert "not properly shut down" not in told


def _ready_again(here: Composed) -> str:
    """What Postgres has said from its last start until it was ready."""
    told = here.compose("logs", "--no-color", "postgres").rpartition("starting PostgreSQL")[2]
    stopped = re.search(r"received \w+ shutdown request", told)
    return told if "ready to accept connections" in told and not stopped else ""


def test_no_log_holds_an_address_or_a_link(here: Composed) -> None:
    tokens = [here.link(to).rpartition("/")[2] for to in (NURSE, PATIENT)]
    logs = here.compose("logs", "--no-color")
    assert '"event": "ready"' in logs
    for secret in (*tokens, NURSE, PATIENT, "example.com"):
        assert secret not in logs


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Message
    text: str


def asked(
    here: Composed,
    path: str = "/login",
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    tls: bool = True,
) -> Answer:
    address = urlsplit(here.url).netloc
    line = (
        HTTPSConnection(address, context=compose.trust(here), timeout=10)
        if tls
        else HTTPConnection(address, timeout=10)
    )
    with closing(line):
        line.request(method, path, headers=headers or {})
        answer = line.getresponse()
        return Answer(
            status=answer.status,
            headers=answer.headers,
            text=answer.read().decode(errors="replace"),
        )


def is_plain_and_guarded(answer: Answer, *, says: str) -> None:
    assert f"<h1>{says}</h1>" in answer.text
    assert "nginx" not in answer.text
    assert answer.headers["Server"] == "nginx"  # and no version
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


def test_where_no_gateway_is_the_proxy_says_so_in_our_words(here: Composed) -> None:
    here.compose("stop", "gateway")
    try:
        away = asked(here)
    finally:
        here.compose("start", "gateway")
    assert (away.status, away.headers["Retry-After"]) == (503, "10")
    is_plain_and_guarded(away, says="Away for a moment")
    until_now(lambda: asked(here).status == 200, within=60)


def test_what_nobody_can_read_is_answered_in_our_words(here: Composed) -> None:
    for unread in (
        asked(here, headers={"Cookie": "a" * 40_000}),
        asked(here, "/" + "a" * 40_000),
        asked(here, method="TRACE"),
        asked(here, headers={"Transfer-Encoding": "foo"}, method="POST"),
    ):
        assert unread.status == 400
        is_plain_and_guarded(unread, says="This could not be read")


def test_whoever_leaves_out_tls_is_led_to_it(here: Composed) -> None:
    plain = asked(here, tls=False)
    assert (plain.status, plain.headers["Location"]) == (308, f"{here.url}/login")
