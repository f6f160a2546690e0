"""What a file is, by what it holds and never by what it is called, and what may be done with it.

Everything can be downloaded. Shown in the browser is only what every browser shows without being
able to run it: PDF, some pictures, text, and C-CDA made readable.
"""

import codecs
import re
from dataclasses import dataclass
from enum import StrEnum

from libs.contracts.content import CHUNK_SIZE
from libs.vault import pictures
from libs.vault.programs import Archive, is_named_like_one, is_program

CDA = "application/cda+xml"
PDF = "application/pdf"
TEXT = "text/plain"
UNKNOWN = "application/octet-stream"
LONGEST_TEXT = 4 * 1024 * 1024
"""Bytes of text that a browser is given at once."""
LONGEST_NAME = 255
"""Characters of a file name."""


class Sort(StrEnum):
    """What a file is to the one who opens it."""

    DOCUMENT = "document"
    WEB_PAGE = "web page"
    """HTML or SVG: it can run scripts where it is opened, so it is only ever downloaded."""
    PROGRAM = "program"


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """What a file turned out to be."""

    media_type: str
    sort: Sort = Sort.DOCUMENT
    viewable: bool = False


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (b"{\\rtf", "application/rtf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"%!PS", "application/postscript"),
)
_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_OFFICE = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
}
_OPEN_XML = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_OPEN_DOCUMENT = re.compile(
    rb"PK\x03\x04.{22}\x08\x00..mimetype(application/[a-z][a-z0-9.+-]{1,80})", re.DOTALL
)
_BOXES = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"), "image/heif"),
    **dict.fromkeys((b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V "), "video/mp4"),
    b"qt  ": "video/quicktime",
}
_BLANK = b"\xef\xbb\xbf \t\r\n\x00"
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_PROLOGUE = re.compile(r"\s*(?:<\?.{0,2000}?\?>|<!--.{0,20000}?-->)", re.DOTALL)
_HTML = re.compile(r"\s*<!DOCTYPE\s+html", re.IGNORECASE)
_ROOT = re.compile(r"\s*<(?:[A-Za-z_][\w.-]{0,80}:)?([A-Za-z_][\w.-]{0,80})[\s/>]")
_PAGE_TAGS = re.compile(
    "a|b|base|body|br|button|center|div|embed|font|form|frameset|h[1-3]|head|html|i|iframe|img"
    "|input|link|math|meta|object|p|pre|script|span|style|svg|table|template|title|u|ul"
)
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml"})
_PAGE_NAMES = frozenset({"htm", "html", "mht", "mhtml", "shtml", "svg", "svgz", "xht", "xhtml"})
_DECLARED = re.compile(r"(?:application|audio|video|chemical|model)/[a-z0-9][a-z0-9.+-]{0,80}")
_SUFFIXES = {
    PDF: "pdf",
    TEXT: "txt",
    CDA: "xml",
    "application/xml": "xml",
    "application/rtf": "rtf",
    "application/dicom": "dcm",
    "application/zip": "zip",
    "application/msword": "doc",
    "image/jpeg": "jpg",
    "image/svg+xml": "svg",
    "image/vnd.microsoft.icon": "ico",
    "text/html": "html",
    "application/xhtml+xml": "xhtml",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    _OPEN_XML[0][1]: "docx",
    _OPEN_XML[1][1]: "xlsx",
    _OPEN_XML[2][1]: "pptx",
    **{
        f"image/{suffix}": suffix
        for suffix in ("png", "gif", "webp", "bmp", "tiff", "avif", "heif", "jp2")
    },
}
_RECOGNISED = frozenset({*_SUFFIXES, *_PAGE_TYPES, UNKNOWN})
"""Types that the content itself shows: what claims to be one of these and shows nothing isn't."""


class Examination:
    """Looks at a file as its pieces go by, from first to last, and keeps the first of them."""

    def __init__(self, *, file_name: str = "", declared: str = "") -> None:
        self._name = file_name
        self._declared = declared.partition(";")[0].strip().lower()
        self._head = b""
        self._size = 0
        self._has_other_bytes = False
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._archive = Archive()

    def add(self, piece: bytes) -> None:
        """The next bytes of it."""
        if len(self._head) < CHUNK_SIZE:
            self._head += piece[: CHUNK_SIZE - len(self._head)]
        self._size += len(piece)
        if self._head.startswith(b"PK"):
            self._archive.add(piece)
        if self._has_other_bytes:
            return
        self._has_other_bytes = bool(_NOT_TEXT.search(piece))
        if self._utf8:
            try:
                self._utf8.decode(piece)
            except UnicodeDecodeError:
                self._utf8 = None

    def media(self) -> Media:
        """What it is, now that all of it has gone by."""
        if is_program(self._head) or self._archive.holds_program or is_named_like_one(self._name):
            return Media(media_type=UNKNOWN, sort=Sort.PROGRAM)
        found = (
            _by_magic(self._head, self._extension()) or self._in_words() or self._declared_type()
        )
        if found in _PAGE_TYPES or self._extension() in _PAGE_NAMES:
            return Media(media_type=found, sort=Sort.WEB_PAGE)
        return Media(media_type=found, viewable=self._is_shown(found))

    def _extension(self) -> str:
        return self._name.rpartition(".")[2].strip().lower()

    def _is_shown(self, media_type: str) -> bool:
        match media_type:
            case "application/pdf" | "application/cda+xml":
                return True
            case "text/plain":
                return self._is_utf8() and self._size <= LONGEST_TEXT
            case _:
                return pictures.is_showable(media_type, self._head)

    def _is_utf8(self) -> bool:
        """All through, also at the end."""
        if self._utf8 is None or self._has_other_bytes:
            return False
        return not self._utf8.getstate()[0]

    def _in_words(self) -> str:
        """The type of what is written in characters; "" for what is not."""
        text = self._text()
        if not text:
            return ""
        if not text.lstrip().startswith("<"):
            return TEXT
        rest, is_xml = text, text.lstrip().startswith("<?xml")
        while prologue := _PROLOGUE.match(rest):
            rest = rest[prologue.end() :]
        root = _ROOT.match(rest)
        name = root[1] if root else ""
        if name == "ClinicalDocument":
            return CDA
        if name.lower() == "svg":
            return "image/svg+xml"
        if _HTML.match(rest) or _PAGE_TAGS.fullmatch(name.lower()) or self._declared in _PAGE_TYPES:
            return "application/xhtml+xml" if is_xml else "text/html"
        # A comment longer than what is seen hides what comes after it.
        return "application/xml" if is_xml or name or rest.lstrip()[:2] == "<!" else TEXT

    def _text(self) -> str:
        """The beginning as text, or "" where it is none."""
        for mark, codec in _BYTE_ORDER_MARKS:
            if self._head.startswith(mark):
                return self._head.decode(codec, "replace").removeprefix("\ufeff")
        if self._has_other_bytes:
            return ""
        return self._head.decode("utf-8" if self._utf8 else "iso-8859-1", "replace")

    def _declared_type(self) -> str:
        """What it is said to be, where nothing shows that it isn't."""
        if _DECLARED.fullmatch(self._declared) and self._declared not in _RECOGNISED:
            return self._declared
        return UNKNOWN


def name_given(name: str) -> str:
    """A file's own name, as data: nothing of it ever names a place."""
    return name.replace("\x00", "").strip()[-LONGEST_NAME:]


def file_name(given: str, *, title: str, media_type: str) -> str:
    """The name under which a document is given back: its own, or one made of its title."""
    if name := name_given(given):
        return name
    suffix = _SUFFIXES.get(media_type, "")
    stem = name_given(title[: LONGEST_NAME - 10]) or "document"
    return f"{stem}.{suffix}" if suffix else stem


def _by_magic(head: bytes, extension: str) -> str:
    """The type that the first bytes are the mark of, or ""."""
    media_type = ""
    if head.lstrip(_BLANK).startswith(b"%PDF-"):
        media_type = PDF
    elif head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00":
        media_type = "image/bmp"
    elif head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        media_type = "image/webp"
    elif head[4:8] == b"ftyp":
        media_type = _BOXES.get(head[8:12], UNKNOWN)
    elif head[128:132] == b"DICM":
        media_type = "application/dicom"
    elif head.startswith(_OFFICE):
        media_type = _OLD_OFFICE.get(extension, "application/x-ole-storage")
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        media_type = _zipped(head)
    return media_type or next((found for mark, found in _MAGIC if head.startswith(mark)), "")


def _zipped(head: bytes) -> str:
    if document := _OPEN_DOCUMENT.match(head):
        return document[1].decode()
    if b"[Content_Types].xml" in head:
        for folder, media_type in _OPEN_XML:
            if folder in head:
                return media_type
    return "application/zip"
