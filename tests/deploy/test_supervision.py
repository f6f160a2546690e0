"""Processes that are looked after: started again, stopped in order, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from deploy import keys, processes, waiting
from deploy.supervisor import PAUSES, Part, Supervisor
from tests.waiting import until_now

ROOT = Path(__file__).parents[2]


class Run:
    """A supervisor in a process of its own, with what it has said."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.said: list[str] = []

    def reads(self, wanted: str) -> None:
        """Read on until a line has this in it."""
        out: IO[str] | None = self.process.stdout
        assert out
        for line in out:
            self.said.append(line.rstrip())
            if wanted in line:
                return
        raise AssertionError("\n".join(self.said))

    def pid(self, part: str) -> int:
        return int((self.folder / "run" / f"{part}.pid").read_text())

    def everyone(self) -> list[psutil.Process]:
        """Every process under it, down to Postgres's own."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def started(folder: Path) -> Iterator[Run]:
    ports = [str(port) for port in waiting.free_ports(2)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.deploy.two_servers", str(folder), *ports],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    run = Run(process, folder)
    try:
        run.reads("up")
        yield run
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        if process.stdout:
            process.stdout.close()


def gone(those: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not any(processes.alive(each.pid) for each in those)


def test_what_was_killed_is_started_again_and_said_so(tmp_path: Path) -> None:
    with started(tmp_path) as run:
        for part in ("worker", "nats", "postgres"):
            before = run.pid(part)
            os.kill(before, signal.SIGKILL)
            run.reads(f"{part} was killed by signal 9; starting it again in 0.5 s")
            until_now(another(run, part, than=before))


def another(run: Run, part: str, *, than: int) -> Callable[[], bool]:
    noted = run.folder / "run" / f"{part}.pid"
    return lambda: noted.exists() and noted.read_text() not in ("", f"{than}\n")


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_it_leaves_nothing_running(tmp_path: Path, told: signal.Signals) -> None:
    with started(tmp_path) as run:
        until_now(lambda: len(run.everyone()) > 3)
        everyone = run.everyone()
        began = time.monotonic()
        run.process.send_signal(told)
        run.reads("stopped")
        assert time.monotonic() - began < 10
        assert gone(everyone)()
        assert list((tmp_path / "run").glob("*.pid")) == []


def test_a_killed_supervisor_takes_everyone_with_it(tmp_path: Path) -> None:
    with started(tmp_path) as run:
        everyone = run.everyone()
        run.process.kill()
        run.process.wait()
        until_now(gone(everyone))


def test_the_next_run_ends_what_the_last_one_left_and_finds_its_data(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        made = keys.kept(tmp_path / "keys")
        everyone = first.everyone()
        stubborn = first.pid("nats")
        os.kill(stubborn, signal.SIGSTOP)
        first.process.kill()
        first.process.wait()
        with started(tmp_path) as second:
            assert second.pid("nats") != stubborn
            assert gone(everyone)()
        assert keys.kept(tmp_path / "keys") == made


def test_somebody_elses_process_with_an_old_number_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        processes.note(tmp_path, "nats", other.pid, signal.SIGTERM)
        noted = (tmp_path / "nats.process").read_text().split()
        later = [noted[0], str(int(noted[1]) - 1), noted[2]]
        (tmp_path / "nats.process").write_text(" ".join(later))
        assert processes.end_noted(tmp_path, within=5) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_pauses_grow_while_it_goes_on_failing(tmp_path: Path) -> None:
    said: list[str] = []

    def fail() -> None:
        raise SystemExit(3)

    def start() -> int:
        return processes.forked("broken", fail, {}, tmp_path / "broken.log")

    with Supervisor(tmp_path / "run", say=said.append) as watching:
        watching.add(Part(name="broken", start=start))
        watching.watch(lambda: len(said) == 3, within=10)
    assert said == [
        f"broken ended with code 3; starting it again in {pause:g} s" for pause in PAUSES[:3]
    ]


def test_why_a_process_failed_is_in_its_log_without_what_it_held(tmp_path: Path) -> None:
    def fail() -> None:
        raise ValueError("rosa.alvarez@example.com")

    def start() -> int:
        return processes.forked("broken", fail, {}, tmp_path / "broken.log")

    with Supervisor(tmp_path / "run", say=lambda _: None) as watching:
        part = Part(name="broken", start=start, once=True)
        watching.add(part)
        assert watching.watch(lambda: part.ended_with is not None, within=10)
    log = (tmp_path / "broken.log").read_text()
    assert part.ended_with == 1
    assert "ValueError" in log
    assert "rosa" not in log


def test_a_process_gets_its_own_settings_and_nothing_else(tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    def look() -> None:
        seen.write_text(repr(dict(os.environ)))

    pid = processes.forked("looker", look, {"CARESPACE_PORT": "1"}, tmp_path / "looker.log")
    assert os.waitpid(pid, 0)[1] == 0
    assert seen.read_text() == "{'CARESPACE_PORT': '1'}"
