"""What a file is, told from what it holds; what may be shown, and what isn't kept at all."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.vault import media, pictures
from libs.vault.media import CDA, PDF, TEXT, Examination, Media, Sort
from libs.vault.programs import MOST_ENTRIES, is_named_like_one
from tests.corpus import content, files, needs_corpus

CLINICAL = (
    b'<?xml version="1.0"?>\n<?xml-stylesheet type="text/xsl" href="CDA.xsl"?>\n<!-- a chart -->'
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"></ClinicalDocument>'
)


def examined(data: bytes, name: str = "", declared: str = "", piece: int = 256 * 1024) -> Media:
    examination = Examination(file_name=name, declared=declared)
    for start in range(0, len(data), piece):
        examination.add(data[start : start + piece])
    return examination.media()


def zipped(*names: str, stored: bytes = b"x") -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        for name in names:
            writing.writestr(name, stored)
    return archive.getvalue()


def png(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk


def gif(width: int, height: int, at: tuple[int, int, int, int] | None = None) -> bytes:
    picture = b"," + struct.pack("<HHHHB", *(at or (0, 0, width, height)), 0)
    comment = b"!\xfe\x05hello\x00"
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + comment + picture
    )


def jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    app = b"\xff\xe1" + struct.pack(">H", len(before) + 2) + before
    return b"\xff\xd8" + app + b"\xff\xff\xc2" + struct.pack(">HBHH", 8, 8, height, width)


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + kind + b"\x00\x00\x00\x00" + body


def webp_extended(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", bytes(4) + sides)


def bmp(width: int, height: int) -> bytes:
    return b"BM" + bytes(12) + struct.pack("<Iii", 40, width, height)


def avif(width: int, height: int) -> bytes:
    small = b"\x00\x00\x00\x14ispe" + bytes(4) + struct.pack(">II", 8, 8)
    large = b"\x00\x00\x00\x14ispe" + bytes(4) + struct.pack(">II", width, height)
    return b"\x00\x00\x00\x1cftypavif" + bytes(16) + small + large


@pytest.mark.parametrize(
    ("data", "media_type", "viewable"),
    [
        (b"%PDF-1.7\n", PDF, True),
        (b"\xef\xbb\xbf\r\n%PDF-1.4", PDF, True),
        (png(100, 100), "image/png", True),
        (b"II*\x00" + bytes(99), "image/tiff", False),
        (b"{\\rtf1 Dear Rosa}", "application/rtf", False),
        (bytes(128) + b"DICM" + bytes(9), "application/dicom", False),
        (b"\x00\x00\x00\x18ftypheic" + bytes(99), "image/heif", False),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(99), "video/mp4", False),
        (zipped("mimetype", "content.xml"), "application/zip", False),
        (
            zipped("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            False,
        ),
        (b"Dear Rosa,\r\n\tyour results are in.\x0c", TEXT, True),
        ("Señora Álvarez, 3,1 g/dL ≥ 3,0".encode(), TEXT, True),
        ("Señora".encode("iso-8859-1"), TEXT, False),
        ("Señora".encode("utf-16"), TEXT, False),
        (b"a note with an ESC [31m\x1b", TEXT, True),
        (b"a note with a bell\x07", "application/octet-stream", False),
        (b"a cut character \xc3", TEXT, False),
        (b"<5 mg of it", TEXT, True),
        (CLINICAL, CDA, True),
        (CLINICAL.decode().encode("utf-16"), CDA, True),
        (b"<v3:ClinicalDocument xmlns:v3='urn:hl7-org:v3'/>", CDA, True),
        (b"<?xml version='1.0'?><Bundle xmlns='http://hl7.org/fhir'/>", "application/xml", False),
        (b"<!DOCTYPE lolz [<!ENTITY lol 'lol'>]><lolz>&lol;</lolz>", "application/xml", False),
        (b"\x01\x02\x03", "application/octet-stream", False),
    ],
)
def test_a_type_is_read_from_the_content(data: bytes, media_type: str, viewable: bool) -> None:
    for name in ("", "letter.pdf", "scan.png", "note.txt"):
        assert examined(data, name) == Media(media_type=media_type, viewable=viewable)


@pytest.mark.parametrize(
    ("data", "name", "declared"),
    [
        (b"<!DOCTYPE html><html></html>", "", ""),
        (b"\n <HTML><script>alert(1)</script>", "", ""),
        (b"<!-- x --><!-- y --><body onload=alert(1)>", "", ""),
        (b"<script>alert(1)</script>%PDF-1.7", "letter.pdf", ""),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "picture.png", ""),
        (b"<?xml version='1.0'?><!-- --><svg:svg xmlns:svg='x'/>", "", ""),
        ("<html>".encode("utf-16"), "", ""),
        (b"<x-unknown>report</x-unknown>", "", "text/html; charset=utf-8"),
        (b"%PDF-1.7", "letter.html", ""),
        (png(1, 1), "picture.SVG ", ""),
    ],
)
def test_what_can_run_in_a_browser_is_a_web_page_whatever_it_is_called(
    data: bytes, name: str, declared: str
) -> None:
    found = examined(data, name, declared)
    assert (found.sort, found.viewable) == (Sort.WEB_PAGE, False)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"MZ\x90\x00\x03" + bytes(60), "letter.pdf"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), ""),
        (b"\xca\xfe\xba\xbe\x00\x00\x00\x34", ""),
        (b"#!/bin/sh\nrm -rf /\n", "note.txt"),
        (b"@ECHO OFF\r\nformat c:", "note.txt"),
        (b"<?php system($_GET[0]);", ""),
        (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", "a.txt"),
        (b"WScript.Echo 1", "run.vbs"),
        (b"%PDF-1.7", "letter.pdf.exe"),
        (b"%PDF-1.7", "photo_\u202efdp.exe"),
        (b"%PDF-1.7", "letter.EXE. . "),
        (b"%PDF-1.7", "letter.exe::$DATA"),
        (b"%PDF-1.7", "Re: results.scr"),
        (zipped("readme.txt", "setup.exe"), "results.zip"),
        (zipped("META-INF/MANIFEST.MF", "Main.class"), "results.zip"),
        (b"GIF89a" + bytes(20) + zipped("x.class"), "cat.jar"),
    ],
)
def test_programs_and_scripts_and_archives_of_them_are_not_kept(data: bytes, name: str) -> None:
    for piece in (7, 1000, 256 * 1024):
        assert examined(data, name, piece=piece).sort is Sort.PROGRAM


@pytest.mark.parametrize(
    "name", ["letter.pdf", "Dr. Exe", "exe", ".exe.pdf", "results 3.1", "a.com.txt", "MRI.dcm", ""]
)
def test_an_ordinary_name_is_no_programs(name: str) -> None:
    assert not is_named_like_one(name)


def test_an_archive_of_documents_is_kept_and_one_of_more_files_than_anyone_sends_is_not() -> None:
    assert examined(zipped("a.pdf", "b/c.dcm")).sort is Sort.DOCUMENT
    entry = b"PK\x01\x02" + bytes(24) + b"\x01\x00" + bytes(16) + b"a"
    many = b"PK\x03\x04" + entry * (MOST_ENTRIES + 1)
    assert examined(many).sort is Sort.PROGRAM
    assert examined(many[: -len(entry)]).sort is Sort.DOCUMENT


PICTURES = {
    "image/png": png,
    "image/gif": gif,
    "image/jpeg": jpeg,
    "image/webp": webp_extended,
    "image/bmp": bmp,
    "image/avif": avif,
}


@pytest.mark.parametrize("media_type", PICTURES)
def test_a_picture_is_shown_unless_its_header_claims_too_many_pixels(media_type: str) -> None:
    drawn = PICTURES[media_type]
    for sides, shown in (
        ((1, 1), True),
        ((5_000, 10_000), True),
        ((5_000, 10_001), False),
        ((30_000, 1_000), True),
        ((30_001, 1), False),
        ((0, 100), False),
    ):
        if sides[0] or media_type not in ("image/webp", "image/avif"):
            assert examined(drawn(*sides)) == Media(media_type=media_type, viewable=shown), sides


def test_a_picture_of_a_hundred_thousand_by_a_hundred_thousand_is_never_shown() -> None:
    for drawn in (png, bmp, avif, webp_extended):
        assert not examined(drawn(100_000, 100_000)).viewable
    assert not examined(gif(65_535, 65_535)).viewable
    assert not examined(gif(10, 10, at=(60_000, 0, 5_000, 9))).viewable


def test_sizes_are_read_where_each_format_has_them() -> None:
    assert pictures.is_showable("image/jpeg", jpeg(640, 480, before=bytes(60_000)))
    assert pictures.is_showable("image/bmp", b"BM" + bytes(12) + struct.pack("<IHH", 12, 9, 9))
    assert pictures.is_showable("image/bmp", bmp(640, -480))
    lossless = struct.pack("<I", (639) | (479 << 14))
    assert pictures.is_showable("image/webp", webp(b"VP8L", b"\x2f" + lossless))
    lossy = bytes(6) + struct.pack("<HH", 640, 480)
    assert pictures.is_showable("image/webp", webp(b"VP8 ", lossy))
    assert not pictures.is_showable("image/webp", webp(b"ABCD", bytes(30)))
    assert not pictures.is_showable("image/tiff", b"II*\x00")


@pytest.mark.parametrize("media_type", PICTURES)
def test_a_header_that_is_cut_anywhere_shows_nothing_and_raises_nothing(media_type: str) -> None:
    whole = PICTURES[media_type](640, 480)
    for length in range(len(whole)):
        pictures.is_showable(media_type, whole[:length])
    assert not pictures.is_showable(media_type, whole[:12])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(PICTURES)), st.binary(max_size=200))
def test_no_header_breaks_the_reading_of_it(media_type: str, noise: bytes) -> None:
    start = PICTURES[media_type](9, 9)
    assert examined(start[:16] + noise).sort in Sort


def test_text_is_shown_up_to_a_size_that_a_browser_can_bear() -> None:
    assert examined(b"a" * media.LONGEST_TEXT).viewable
    assert not examined(b"a" * (media.LONGEST_TEXT + 1)).viewable
    assert not examined(b"a" * 300_000 + b"\xff").viewable


def test_a_declared_type_counts_only_where_the_content_says_nothing() -> None:
    noise = b"\x01\x02\x03"
    assert examined(noise, declared="application/vnd.ms-outlook").media_type.endswith("outlook")
    for declared in ("image/png", "application/pdf", "text/html", "x", "application/x y", "font/a"):
        assert examined(noise, declared=declared) == Media(media_type=media.UNKNOWN)
    assert examined(b"%PDF-1.7", declared="image/png").media_type == PDF


@pytest.mark.parametrize(
    ("given", "title", "media_type", "name"),
    [
        ("../../etc/passwd", "", PDF, "../../etc/passwd"),
        ("a\x00b.pdf", "", PDF, "ab.pdf"),
        ("  ", "Discharge summary", PDF, "Discharge summary.pdf"),
        ("", "", "application/x-unheard-of", "document"),
        ("", "x" * 300, PDF, "x" * 245 + ".pdf"),
        ("y" * 300 + ".pdf", "", PDF, "y" * 251 + ".pdf"),
        ("Zoë’s \u202escan.png", "", "image/png", "Zoë’s \u202escan.png"),
    ],
)
def test_a_file_name_is_kept_as_data(given: str, title: str, media_type: str, name: str) -> None:
    assert media.file_name(given, title=title, media_type=media_type) == name


def test_looking_at_fifty_megabytes_keeps_no_more_than_their_head() -> None:
    examination, piece = Examination(), b"PK\x03\x04" + bytes(256 * 1024 - 4)
    tracemalloc.start()
    for _ in range(200):
        examination.add(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert examination.media().media_type == "application/zip"
    assert peak < 4 * 1024 * 1024


@needs_corpus
@pytest.mark.parametrize("path", files("files"), ids=lambda path: path.name)
def test_every_file_of_the_corpus_is_what_it_is(path: Path) -> None:
    found = examined(content(path), path.name)
    suffix = path.name.rpartition(".")[2].lower()
    expected = {
        "pdf": {PDF},
        "png": {"image/png"},
        "jpg": {"image/jpeg"},
        "gif": {"image/gif"},
        "bmp": {"image/bmp"},
        "tif": {"image/tiff"},
        "tiff": {"image/tiff"},
        "webp": {"image/webp"},
        "avif": {"image/avif"},
        "heif": {"image/heif"},
        "ico": {"image/vnd.microsoft.icon"},
        "dcm": {"application/dicom"},
        "odt": {"application/vnd.oasis.opendocument.text"},
        "txt": {TEXT},
        "xml": {"application/xml", "application/xhtml+xml"},
    }[suffix]
    assert found.media_type in expected
    if "bomb" in path.name and "extents" not in path.name:
        assert not found.viewable
