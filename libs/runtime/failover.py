"""One Postgres out of several: whoever takes writes, and who that is found out anew when need be.

asyncpg asks the hosts of a URL one after the other, but under one deadline, which a machine that
is gone without a word uses up alone. So each gets its own here, and who was found is asked first.
"""

import re
import socket
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import asyncpg

WITHIN = 2.0
"""Seconds for one of several hosts to let us in; a request's asker waits for three."""
COMMAND_WITHIN = 10.0
"""Seconds; a statement that takes longer is a bug, and its request has long been given up."""
SILENT = 10
"""Seconds without a sign of life from a machine after which a connection to it has ended."""
ATTRIBUTE = "target_session_attrs"
AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
"""How a host says that somebody else may have to do: also that it is just coming or going."""


_URL = re.compile(r"(\w+://)([^/?#]*)(.*)", re.ASCII)
"""Scheme, authority, and the rest (RFC 3986); `urlsplit` may refuse the hosts of some."""


class Hosts:
    """The hosts of a URL; of several, only one that takes writes will do."""

    def __init__(self, url: str) -> None:
        self._urls = each(url)

    async def connect(self, *_: object, **settings: Any) -> asyncpg.Connection:
        """A connection, or `OSError` if none of them lets us in to write.

        A pool that makes its connections with this names the URL once more, and it is not heeded.
        """
        failed: Exception = OSError("no host is named")
        within = WITHIN if len(self._urls) > 1 else COMMAND_WITHIN
        for url in tuple(self._urls):
            try:
                db: asyncpg.Connection = await asyncpg.connect(url, timeout=within, **settings)
            except AWAY as error:
                failed = error
            except asyncpg.TargetServerAttributeNotMatched:
                failed = ConnectionError("no host takes writes")
            else:
                self._urls.remove(url)
                self._urls.insert(0, url)
                _notice_silence(db)
                return db
        raise failed


def each(url: str) -> list[str]:
    """A URL for each host of this one, in their order."""
    if not (found := _URL.fullmatch(url)):
        return [url]
    scheme, authority, rest = found.groups()
    login, at, hosts = authority.rpartition("@")
    if "," not in hosts:
        return [url]
    parts = urlsplit(rest)
    query = {ATTRIBUTE: ["read-write"]} | parse_qs(parts.query, keep_blank_values=True)
    rest = urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
    return [f"{scheme}{login}{at}{host}{rest}" for host in hosts.split(",")]


def assure_writable(db: asyncpg.Connection) -> None:
    """`OSError` if the server has said on this connection that it no longer takes writes."""
    told = db.get_settings()
    for name in ("in_hot_standby", "default_transaction_read_only"):
        if getattr(told, name, "off") == "on":
            raise ConnectionError("this server no longer takes writes")


def _notice_silence(db: asyncpg.Connection) -> None:
    """Left alone, the kernel waits a quarter of an hour for a machine that was switched off."""
    there = cast("Any", db)._transport.get_extra_info("socket")  # noqa: SLF001
    if there.family not in (socket.AF_INET, socket.AF_INET6):
        return
    there.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT // 2)
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENT // 4)
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT * 1000)
