"""Asking for one page, over and over, on some connections at once; as little work as can be."""

import asyncio
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a load saw."""

    per_second: float
    median_ms: float
    p99_ms: float
    failed: int


async def ask(
    url: str, *, headers: Mapping[str, str], seconds: float, connections: int = 8
) -> Figures:
    """Ask for this page as fast as it comes, on so many connections."""
    took: list[float] = []
    failed = 0
    parts = urlsplit(url)
    lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    until = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while time.perf_counter() < until:
                began = time.perf_counter()
                writer.write(request)
                if await _answer(reader) != 200:  # noqa: PLR2004
                    failed += 1
                took.append(time.perf_counter() - began)
        finally:
            writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return figures(took, time.perf_counter() - began, failed)


def figures(took: list[float], seconds: float, failed: int = 0) -> Figures:
    """Rates and percentiles of these times, in seconds each."""
    ordered = sorted(took)
    return Figures(
        per_second=len(ordered) / seconds,
        median_ms=statistics.median(ordered) * 1000,
        p99_ms=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000,
        failed=failed,
    )


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    return status
