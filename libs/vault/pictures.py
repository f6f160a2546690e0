"""How many pixels a picture has, from its header alone: nothing here decodes one.

A few bytes can claim a picture that fills a phone's memory. What a browser may show at once is
decided from what the header claims; a header that can't be read claims too much.
"""

import struct
from collections.abc import Callable

MOST_PIXELS = 50_000_000
"""A page scanned at 600 dpi has 35 million; decoded, this takes 200 MB."""
LONGEST_SIDE = 30_000

_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def is_showable(media_type: str, head: bytes) -> bool:
    """Whether a browser can be given the picture: a type that all know, and not too many pixels."""
    if media_type not in _SIZES:
        return False
    try:
        width, height = _SIZES[media_type](head)
    except (struct.error, ValueError, IndexError):
        return False
    return (
        0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE and width * height <= MOST_PIXELS
    )


def _png(head: bytes) -> tuple[int, int]:
    if head[12:16] != b"IHDR":
        raise ValueError
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _jpeg(head: bytes) -> tuple[int, int]:
    """From the frame header, past whatever segments come before it."""
    at = 2
    while True:
        if head[at] != 0xFF:  # noqa: PLR2004
            raise ValueError
        marker = head[at + 1]
        if marker == 0xFF:  # noqa: PLR2004  (padding)
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        else:
            at += 2 + int(struct.unpack_from(">H", head, at + 2)[0])


def _gif(head: bytes) -> tuple[int, int]:
    """The screen, or the first picture on it where that is larger."""
    width, height, flags = struct.unpack_from("<HHB", head, 6)
    at = 13 + _gif_colours(flags)
    while head[at] == 0x21:  # noqa: PLR2004  (an extension)
        at += 2
        while head[at]:
            at += 1 + head[at]
        at += 1
    if head[at] != 0x2C:  # noqa: PLR2004  (a picture)
        raise ValueError
    left, top, wide, high = struct.unpack_from("<HHHH", head, at + 1)
    return max(width, left + wide), max(height, top + high)


def _gif_colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(head: bytes) -> tuple[int, int]:
    match head[12:16]:
        case b"VP8X":
            wide = int.from_bytes(head[24:27], "little")
            high = int.from_bytes(head[27:30], "little")
            return wide + 1, high + 1
        case b"VP8L":
            bits = struct.unpack_from("<I", head, 21)[0]
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            wide, high = struct.unpack_from("<HH", head, 26)
            return wide & 0x3FFF, high & 0x3FFF
        case _:
            raise ValueError


def _bmp(head: bytes) -> tuple[int, int]:
    length = struct.unpack_from("<I", head, 14)[0]
    if length == 12:  # noqa: PLR2004  (the header of OS/2)
        width, height = struct.unpack_from("<HH", head, 18)
    else:
        width, height = struct.unpack_from("<ii", head, 18)
    return width, abs(height)


def _avif(head: bytes) -> tuple[int, int]:
    """The largest of all sizes that are named: tiles and thumbnails have their own."""
    sizes = []
    at = head.find(b"ispe")
    while at != -1:
        sizes.append(struct.unpack_from(">II", head, at + 8))
        at = head.find(b"ispe", at + 4)
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)
    return width, height


_SIZES: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/bmp": _bmp,
    "image/avif": _avif,
}
