"""`carespace up`: what it says when it can't, and what it keeps from one start to the next."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pyotp
import pytest

from deploy import processes, waiting
from deploy.demo import chart
from deploy.demo.browser import Browser
from deploy.demo.family import RECORD, logs_in
from deploy.demo.messages import ANSWERS
from deploy.demo.people import PATIENTS
from tests.deploy.test_postgres import AS_SOMEBODY
from tests.waiting import until_now

ROOT = Path(__file__).parents[2]
PRACTICE = {
    "--name": "Harbor Clinic",
    "--phone": "(207) 555-0188",
    "--address": "12 Wharf Street",
    "--hours": "Monday to Friday",
    "--emergency": "Call 911.",
    "--time-zone": "America/New_York",
    "--contact-email": "office@harbor.example.com",
}


def carespace(*words: str, become: list[str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*(become or []), sys.executable, "-m", "deploy", *words],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def told(*words: str) -> Any:
    """What a command that found something to say no to has told in JSON."""
    done = carespace(*words)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)


@dataclass(frozen=True, kw_only=True)
class Portal:
    """One that is up."""

    folder: Path
    url: str
    process: "subprocess.Popen[bytes]"

    def get(self, address: str) -> str:
        with urllib.request.urlopen(self.url + address, timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def takes(self, key: str) -> bool:
        """A machine with this import key is let in; what it sends is of no kind that is taken."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/plain"}
        asked = urllib.request.Request(f"{self.url}/api/v1/import", data=b"x", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(asked, timeout=10)
        assert answer.value.code in (401, 415)
        return answer.value.code == 415

    def carespace(self, *words: str) -> Any:
        done = carespace(*words, "--data-dir", str(self.folder))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout


def children(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextmanager
def up(folder: Path, *more: str) -> Iterator[Portal]:
    port = waiting.free_port()
    words = ["up", "--port", str(port), "--data-dir", str(folder), *more]
    with (folder.parent / "said").open("ab") as said:
        process = subprocess.Popen([sys.executable, "-m", "deploy", *words], cwd=ROOT, stdout=said)
    try:
        said_so = (folder.parent / "said").read_text
        until_now(lambda: f"127.0.0.1:{port}" in said_so() or process.poll(), within=60)
        assert process.poll() is None, said_so()
        yield Portal(folder=folder, url=f"http://127.0.0.1:{port}", process=process)
    finally:
        everyone = children(process)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert time.monotonic() - began < 15
        assert not any(processes.alive(each.pid) for each in everyone)


def test_it_comes_up_works_and_finds_its_data_again(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    with up(folder) as portal:
        assert "Log in" in portal.get("/login")
        assert json.loads(portal.get("/mailbox.json")) == []
        assert portal.carespace("migrate", "--check") == "All is as it should be.\n"
        assert portal.carespace("doctor") == "Nothing is wrong.\n"
        words = [word for pair in PRACTICE.items() for word in pair]
        added = portal.carespace("practice", "add", *words, "--json")
        assert added["import_key"]
        renewed = portal.carespace(
            "practice", "renew-key", "--practice", "harbor clinic", "--at-once", "--json"
        )
        assert portal.takes(renewed["import_key"])
        assert not portal.takes(added["import_key"])
        invitation = {"--name": "Kim Lee", "--email": "kim@harbor.example.com"}
        words = [word for pair in invitation.items() for word in pair]
        portal.carespace(
            "staff", "invite", "--practice", "harbor clinic", *words, "--born", "1980-02-29"
        )
        until_now(lambda: "kim@harbor.example.com" in portal.get("/mailbox.json"))

        again = carespace("up", "--data-dir", str(folder), "--port", str(waiting.free_port()))
        assert (again.returncode, again.stderr) == (
            2,
            f"CareSpace is running in {folder} already.\n",
        )
    with up(folder) as portal:
        (practice,) = portal.carespace("practice", "list", "--json")
        assert practice["practice_id"] == added["practice_id"]
        (letter,) = json.loads(portal.get("/mailbox.json"))
        assert letter["to"] == "kim@harbor.example.com"


def test_lists_and_files_come_in_by_the_command_and_again_change_nothing(tmp_path: Path) -> None:
    ana = next(person for person in PATIENTS if person.given == "Ana")
    results = tmp_path / "results.json"
    results.write_bytes(chart.bundle(ana, now=datetime(2026, 11, 1, tzinfo=UTC)))
    people = tmp_path / "people.csv"
    people.write_text(
        "given name,family name,birth date,e-mail,mrn\n"
        f"{ana.given},{ana.family},{ana.birth_date},{ana.email},{ana.mrn}\n"
        "Sam,Impossible,1990-02-31,sam@example.com,X-1\n"
    )
    with up(tmp_path / "here") as portal:
        words = [word for pair in PRACTICE.items() for word in pair]
        portal.carespace("practice", "add", *words)
        at = ("--practice", "Harbor Clinic", "--json", "--data-dir", str(portal.folder))

        assert told("patients", "import", str(people), "--preview", *at)["added"] == 1
        (waits,) = told("import", str(results), *at)
        assert waits["state"] == "waiting"
        first = told("patients", "import", str(people), *at)
        assert [line["outcome"] for line in first["lines"]] == ["added", "birth_date_impossible"]
        assert told("patients", "import", str(people), *at)["unchanged"] == 1


def all_told(portal: Portal) -> list[dict[str, str]]:
    """Every letter, once the last have come: of each answer, and of what the nurse began."""
    letters: list[dict[str, str]] = json.loads(portal.get("/mailbox.json"))
    told = [letter for letter in letters if "message is waiting" in letter["subject"]]
    return letters if len(told) == len(ANSWERS) + 1 else []


def test_an_interrupted_demo_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    with up(folder, "--demo") as portal:
        letters = until_now(lambda: all_told(portal))
    known = json.loads((folder / "demo.json").read_text())
    known["done"] = [step for step in known["done"] if step.startswith(("invited", "registered n"))]
    for practice in ("desk@harbor", "manager@lakeside"):
        known["done"].append(f"registered {practice}.example.com")
    (folder / "demo.begun.json").write_text(json.dumps(known))
    (folder / "demo.json").unlink()
    with up(folder, "--demo") as portal:
        assert json.loads(portal.get("/mailbox.json")) == letters
        nurse = pyotp.TOTP(known["code_secrets"]["nurse@lakeside.example.com"])
        before = nurse.now()
        code = portal.carespace("demo-code", "nurse@lakeside.example.com").strip()
        assert code in (before, nurse.now())  # half a minute may end in between
    assert (folder / "demo.json").exists()


def test_a_backup_restored_elsewhere_is_the_same_portal(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    with up(before, "--demo") as portal:
        until_now(lambda: all_told(portal))
        seen = asyncio.run(rosas_pages(portal.url))
        told = portal.carespace("backup", str(tmp_path / "backup"))
        assert told.startswith("Written: ")
    after.mkdir()
    shutil.copytree(before / "keys", after / "keys")
    shutil.rmtree(before)
    with up(after, "--restore", str(tmp_path / "backup")) as portal:
        assert asyncio.run(rosas_pages(portal.url)) == seen
        logs = portal.carespace("activity", "verify", "--json")
        assert logs["bad"] == 0
        assert len(logs["logs"]) >= 2
        assert portal.carespace("doctor") == "Nothing is wrong.\n"
        assert json.loads(portal.get("/mailbox.json")) == []


async def rosas_pages(url: str) -> list[list[str]]:
    """What Rosa reads on her pages, word by word."""
    rosa = next(person for person in PATIENTS if person.given == "Rosa")
    async with Browser(url) as browser:
        await logs_in(browser, rosa)
        record = RECORD.search(await browser.see("/"))
        assert record
        pages = [
            f"{record[0]}/{page}" for page in ("health", "health/documents", "messages", "users")
        ]
        return [read(await browser.see(page)) for page in pages]


def read(page: str) -> list[str]:
    main = re.search(r"<main.*</main>", page, re.DOTALL)
    assert main
    return re.sub(r"<[^>]+>", " ", main[0]).split()


def test_a_nats_that_lost_its_disk_gets_its_streams_back(tmp_path: Path) -> None:
    with up(tmp_path / "here") as portal:
        noted = portal.folder / "run" / "nats.pid"
        os.kill(int(noted.read_text()), signal.SIGSTOP)
        shutil.rmtree(portal.folder / "nats" / "store")
        os.kill(int(noted.read_text()), signal.SIGKILL)
        check = ("migrate", "--check", "--data-dir", str(portal.folder))
        until_now(lambda: carespace(*check).stdout == "All is as it should be.\n", within=30)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = carespace("up", "--port", str(port), "--data-dir", str(tmp_path / "here"))
    assert done.returncode == 2
    assert done.stderr == f"Port {port} is in use. Choose another one with --port.\n"


@pytest.mark.parametrize("inner", ["", "new"])
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, inner: str) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    folder = locked / inner
    become = AS_SOMEBODY if os.geteuid() == 0 else []
    port = str(waiting.free_port())
    done = carespace("up", "--port", port, "--data-dir", str(folder), become=become)
    assert done.returncode == 2
    assert done.stderr == (
        f"The folder {folder} cannot be written to: Permission denied. "
        "Choose another one with --data-dir.\n"
    )


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("")
    port = str(waiting.free_port())
    done = carespace("up", "--port", port, "--data-dir", str(tmp_path / "here"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_without_the_mailbox_it_wants_to_know_where_letters_go(tmp_path: Path) -> None:
    port = str(waiting.free_port())
    done = carespace("up", "--no-mailbox", "--port", port, "--data-dir", str(tmp_path / "here"))
    assert done.returncode == 2
    assert done.stderr == "Without the mailbox, CARESPACE_SMTP_URL has to be set.\n"


def test_a_command_for_a_portal_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = carespace("practice", "list", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith(f"No CareSpace runs in {tmp_path}")
    assert done.stderr.count("\n") == 1


def test_a_service_with_a_setting_missing_names_it() -> None:
    done = carespace("run", "records")
    assert done.returncode == 2
    assert done.stderr == "CARESPACE_DATABASE_URL is not set.\n"


def test_a_service_that_is_not_there_is_a_wrong_use() -> None:
    done = carespace("run", "nobody")
    assert done.returncode == 2
    assert "There is no nobody: identity, records" in done.stderr
