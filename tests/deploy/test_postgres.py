"""The built-in Postgres: durable, closed to others, and up again after anything."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy import migrate, postgres, waiting
from deploy.problem import Problem

PASSWORD = "only-for-this-test"
AS_SOMEBODY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    folder: Path
    port: int
    server: "subprocess.Popen[bytes]"

    async def connect(self, password: str = PASSWORD) -> asyncpg.Connection:
        name = postgres.SUPERUSER
        return await migrate.connected(
            f"postgresql://{name}:{password}@127.0.0.1:{self.port}/postgres"
        )

    def log(self) -> str:
        return (self.folder / "postgres.log").read_text()


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    port = waiting.free_port()
    server = postgres.start(folder, port=port, password=PASSWORD)
    try:
        yield Cluster(folder=folder, port=port, server=server)
    finally:
        if server.poll() is None:
            postgres.stop(server)


async def test_what_is_committed_outlives_a_kill(tmp_path: Path) -> None:
    with cluster(tmp_path) as first:
        db = await first.connect()
        await db.execute("CREATE TABLE kept AS SELECT 1 AS number")
        first.server.kill()
        first.server.wait()
        with cluster(tmp_path) as second:
            db = await second.connect()
            assert await db.fetchval("SELECT number FROM kept") == 1
            await db.close()


async def test_it_is_durable_small_and_only_on_loopback(tmp_path: Path) -> None:
    with cluster(tmp_path) as here:
        db = await here.connect()
        await migrate.assure_durable(db)
        settings = {row["name"]: row["setting"] for row in await db.fetch("SHOW ALL")}
        await db.close()
        assert settings["unix_socket_directories"] == ""
        assert settings["password_encryption"] == "scram-sha-256"
        listening = {
            each.laddr.ip
            for each in psutil.Process(here.server.pid).net_connections()
            if each.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0


async def test_a_server_that_would_lose_what_it_promised_is_refused(tmp_path: Path) -> None:
    with cluster(tmp_path) as here:
        db = await here.connect()
        await db.execute("SET synchronous_commit TO off")
        with pytest.raises(Problem, match="synchronous_commit off"):
            await migrate.assure_durable(db)
        await db.close()


async def test_nobody_gets_in_without_the_password(tmp_path: Path) -> None:
    with cluster(tmp_path) as here, pytest.raises(Problem, match="does not let us in"):
        await here.connect(password="another")


def test_a_pid_file_with_somebody_elses_number_does_not_stop_it(tmp_path: Path) -> None:
    with cluster(tmp_path):
        pass
    other = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "data" / "postmaster.pid").write_text(f"{other.pid}\n{tmp_path}/data\n")
        with cluster(tmp_path) as here:
            assert here.server.poll() is None
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


async def test_one_that_still_works_on_the_data_is_stopped_first(tmp_path: Path) -> None:
    with cluster(tmp_path) as first, cluster(tmp_path) as second:
        assert first.server.wait(timeout=10) == 0
        await (await second.connect()).close()


async def test_its_log_holds_nothing_of_a_row_or_a_statement(tmp_path: Path) -> None:
    with cluster(tmp_path) as here:
        db = await here.connect()
        await db.execute("CREATE TABLE account (email text PRIMARY KEY, born date)")
        for statement in (
            "INSERT INTO account VALUES ('rosa.alvarez@example.com'), ('rosa.alvarez@example.com')",
            "INSERT INTO account VALUES ('ana', 'rosa.alvarez')",
            "SELECT 'rosa.alvarez' + 1",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await db.execute(statement)
        await db.close()
        assert "ready to accept connections" in here.log()
        assert "rosa" not in here.log()


def test_a_cluster_half_made_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "unfinished" / "base").mkdir(parents=True)
    with cluster(tmp_path):
        assert not (tmp_path / "unfinished").exists()
        assert not (tmp_path / "password").exists()


def test_an_ordinary_user_can_run_everything(tmp_path: Path) -> None:
    ports = [str(port) for port in waiting.free_ports(2)]
    become = AS_SOMEBODY if os.geteuid() == 0 else []
    command = [sys.executable, "-m", "tests.deploy.two_servers", str(tmp_path), *ports]
    run = subprocess.Popen([*become, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout
    assert run.stdout.readline() == "up\n"
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=30)[0] == "stopped\n"
    assert run.returncode == 0
