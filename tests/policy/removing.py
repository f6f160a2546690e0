"""Taking one defence out: a line of a function, a setting, or something of the database."""

import importlib
import inspect
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from tests.servers import Servers


@dataclass(frozen=True)
class Line:
    """A line of a function says something else, as if somebody had edited it."""

    where: str
    """Module and function, `package.module:Class.function`."""
    old: str
    new: str

    @asynccontextmanager
    async def removed(self, servers: Servers) -> AsyncIterator[None]:
        module_name, _, path = self.where.partition(":")
        module: Any = importlib.import_module(module_name)
        *holders, name = path.split(".")
        holder = module
        for one in holders:
            holder = getattr(holder, one)
        source = textwrap.dedent(inspect.getsource(inspect.getattr_static(holder, name)))
        assert source.count(self.old) == 1, f"{self.old!r} is not in {self.where}"
        made: dict[str, Any] = {}
        exec(compile(source.replace(self.old, self.new), self.where, "exec"), vars(module), made)
        with _set(holder, name, made[name]):
            yield


@dataclass(frozen=True)
class Setting:
    """A constant has another value."""

    where: str
    new: Any

    @asynccontextmanager
    async def removed(self, servers: Servers) -> AsyncIterator[None]:
        module_name, _, path = self.where.partition(":")
        holder: Any = importlib.import_module(module_name)
        *holders, name = path.split(".")
        for one in holders:
            holder = getattr(holder, one)
        with _set(holder, name, self.new):
            yield


@dataclass(frozen=True)
class Header:
    """A header is no longer sent."""

    name: str

    @asynccontextmanager
    async def removed(self, servers: Servers) -> AsyncIterator[None]:
        from gateway.protection import HEADERS

        with pytest.MonkeyPatch.context() as patch:
            patch.delitem(HEADERS, self.name)
            yield


@dataclass(frozen=True)
class Sql:
    """Something of the database is done away with, and put back afterwards."""

    statement: str
    back: str

    @asynccontextmanager
    async def removed(self, servers: Servers) -> AsyncIterator[None]:
        admin = await asyncpg.connect(servers.database_url("admin"))
        try:
            await admin.execute(self.statement)
            try:
                yield
            finally:
                await admin.execute(self.back)
        finally:
            await admin.close()


@contextmanager
def _set(holder: Any, name: str, value: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, name, value)
        yield
