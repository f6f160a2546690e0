"""What the portal doesn't keep: programs, scripts, and archives of them.

A document is opened by somebody who trusts their practice. Its name decides what a double click
does with it, so a name counts here as much as the content.
"""

import re

MOST_ENTRIES = 20_000
"""Files in an archive; more are no clinical document."""

_MAGIC = (
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\x00asm",
    b"dex\n",
    b"L\x00\x00\x00\x01\x14\x02\x00",
    b"ITSF",
    b"MSCF",
    b"!<arch>\n",
    b"\xed\xab\xee\xdb",
    b"#!",
    b"<?php",
    b"<%",
    b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR",
)
_NAMES = re.compile(
    "ade|apk|app|appx|bash|bat|cab|chm|class|cmd|com|command|cpl|csh|deb|dll|dmg|elf|exe|gadget"
    "|hta|inf|ins|iso|jar|js|jse|ksh|lnk|mde|mjs|msc|msi|msix|msp|mst|ocx|osx|php|pif|pkg|pl"
    "|ps1|ps1xml|psc1|psd1|psm1|py|pyc|pyw|rb|reg|rpm|run|scf|scr|sct|sh|shb|shs|so|swf|sys|url"
    "|vb|vbe|vbs|vhd|vhdx|vxd|wasm|ws|wsc|wsf|wsh|xbap|xll|zsh"
)
_ENTRY = re.compile(rb"PK\x01\x02.{24}(..).{16}", re.DOTALL)
_ENTRY_LENGTH = 46
_LONGEST_NAME = 65_535
_ALTERNATE_STREAM = re.compile(r":[^:]*(:\$data)?$", re.IGNORECASE)


def is_program(head: bytes) -> bool:
    """Whether the first bytes are those of something that runs."""
    return head[:9].lower() == b"@echo off" or head.startswith(_MAGIC) or _is_windows(head)


def is_named_like_one(file_name: str) -> bool:
    """Whether a computer would run a file of this name, whatever it shows of the name."""
    return any(_is_run(name) for name in (file_name, _ALTERNATE_STREAM.sub("", file_name)))


class Archive:
    """Looks at the names in an archive as its bytes go by; nothing is unpacked."""

    def __init__(self) -> None:
        self._rest = b""
        self._entries = 0
        self.holds_program = False

    def add(self, piece: bytes) -> None:
        """The next bytes of it."""
        if self.holds_program:
            return
        seen = self._rest + piece
        done = max(0, len(seen) - _ENTRY_LENGTH + 1)
        for found in _ENTRY.finditer(seen):
            end = found.end() + int.from_bytes(found[1], "little")
            if end > len(seen):
                done = found.start()
                break
            self._entries += 1
            name = seen[found.end() : end].decode("utf-8", "replace")
            if is_named_like_one(name) or self._entries > MOST_ENTRIES:
                self.holds_program = True
                return
            done = max(done, end)
        self._rest = seen[done:][-_ENTRY_LENGTH - _LONGEST_NAME :]


def _is_windows(head: bytes) -> bool:
    """A program of Windows or DOS; `MZ` alone may begin a letter."""
    if not head.startswith((b"MZ", b"ZM")):
        return False
    return b"\x00" in head[:64]


def _is_run(name: str) -> bool:
    _, dot, extension = name.rstrip(". \u00a0\u3000\x00\r\n\t").rpartition(".")
    return bool(dot and _NAMES.fullmatch(extension.lower()))
