"""Ports, and waiting for a server to answer on one."""

import errno
import http
import http.client
import random
import socket
import subprocess
import time
from collections.abc import Collection

from deploy.problem import Problem

PATIENCE = 30.0
OURS = range(20000, 32000)
"""Below where Linux (32768) and others (49152, RFC 6335) take a port for what goes out."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    return free_ports(1, host)[0]


def free_ports(count: int, host: str = "127.0.0.1", *, but: Collection[int] = ()) -> list[int]:
    """As many different ports, of those that no connection gets by chance."""
    found: list[int] = []
    for port in random.sample(OURS, len(OURS)):
        if port not in but and not why_not(host, port):
            found.append(port)
        if len(found) == count:
            break
    return found


def why_not(host: str, port: int) -> str:
    """Why nobody can begin to listen there, to go after "The port"; "" if one can."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except PermissionError:
            return "needs rights that you don't have"
        except (OSError, OverflowError) as error:
            in_use = getattr(error, "errno", 0) == errno.EADDRINUSE
            return "is in use" if in_use else "can't be used"
    return ""


def answers(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def ready(host: str, port: int) -> bool:
    """Whether the part whose health is told there says that it is ready."""
    return readiness(host, port)[0]


def readiness(host: str, port: int) -> tuple[bool, str]:
    """Whether it is ready, and what it says of itself."""
    asking = http.client.HTTPConnection(host, port, timeout=3)
    try:
        asking.request("GET", "/health/ready")
        answer = asking.getresponse()
        return answer.status == http.HTTPStatus.OK, answer.read(1000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return False, "no answer"
    finally:
        asking.close()


def for_port(host: str, port: int, *, while_running: subprocess.Popen[bytes]) -> None:
    """Until the port answers; `Problem` if its server ends first, or takes too long."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if while_running.poll() is not None:
            break
        if answers(host, port):
            return
        time.sleep(0.02)
    raise Problem(f"The server on port {port} did not come up; its log says why.")
