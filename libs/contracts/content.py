"""Content as it travels: in chunks, one to a request."""

from pydantic import Field

from libs.contracts.base import Reply

CHUNK_SIZE = 256 * 1024
"""Bytes of content in one request; every chunk but the last has exactly this size."""


class Chunk(Reply):
    """A piece of content. Each is checked as it is read, so that any may be asked for first."""

    data: bytes = Field(repr=False)
    last: bool
