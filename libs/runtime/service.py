"""How any part of CareSpace is started as a process of its own."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import uvloop
from aiohttp import web

from libs.runtime import config, logs

STOP_WITHIN = 25
"""Seconds for what is under way when the process is told to stop."""


class Runnable(Protocol):
    """What every part's settings have in common."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def log_level(self) -> str: ...


C = TypeVar("C", bound=Runnable)


def run(name: str, settings: type[C], build: Callable[[C], web.Application]) -> None:
    """Read the settings or say which is wrong, then run until told to stop."""
    given = config.or_exit(settings)
    logs.configure(name, given.log_level)
    uvloop.install()
    web.run_app(
        build(given),
        host=given.host,
        port=given.port,
        print=None,
        access_log=None,
        shutdown_timeout=STOP_WITHIN,
        handler_cancellation=False,
    )
