"""Waiting for a server to answer, and not for one that has ended."""

import socket
import subprocess
import time

PATIENCE = 30.0


class NotUp(Exception):
    """A server did not come up; the message says which, in a sentence."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as reserved:
        reserved.bind((host, 0))
        return int(reserved.getsockname()[1])


def taken(host: str, port: int) -> bool:
    """Whether somebody has this port already."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError:
            return True
    return False


def for_port(host: str, port: int, *, while_running: subprocess.Popen[bytes]) -> None:
    """Until the port answers; `NotUp` if its server ends first, or takes too long."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if while_running.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.02)
    raise NotUp(f"The server on port {port} did not come up; its log says why.")
