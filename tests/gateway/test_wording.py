"""Dates, times, numbers and sizes in words."""

from datetime import UTC, date, datetime

import pytest

from gateway import wording
from libs.contracts.records.moments import Precision

AT = datetime(2026, 11, 14, 23, 15, tzinfo=UTC)
DENVER = "America/Denver"


def test_a_day_is_said_without_doubt() -> None:
    assert wording.day(date(2026, 11, 14)) == "14 November 2026"


def test_a_time_is_the_practices_own() -> None:
    assert wording.clock(AT, DENVER) == "4:15 pm"
    assert wording.moment(AT, DENVER) == "14 November 2026, 4:15 pm"
    assert wording.local_day(datetime(2026, 11, 15, 3, tzinfo=UTC), DENVER) == "14 November 2026"


def test_a_zone_that_the_world_no_longer_knows_is_read_as_utc() -> None:
    assert wording.clock(AT, "Mars/Olympus") == "11:15 pm"
    assert wording.clock(AT, "../etc/passwd") == "11:15 pm"


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        (Precision.INSTANT, "14 November 2026"),
        (Precision.DAY, "14 November 2026"),
        (Precision.MONTH, "November 2026"),
        (Precision.YEAR, "2026"),
    ],
)
def test_a_date_is_no_more_exact_than_it_was_written(precision: Precision, said: str) -> None:
    assert wording.known(AT, precision, zoned=True, zone=DENVER) == said


def test_a_date_without_a_zone_is_kept_as_it_was_written() -> None:
    midnight = datetime(2026, 11, 14, tzinfo=UTC)

    assert wording.known(midnight, Precision.DAY, zoned=False, zone=DENVER) == "14 November 2026"
    assert wording.known(None, Precision.INSTANT, zoned=True, zone=DENVER) == "No date"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (182_400, "182 KB"),
        (999_499, "999 KB"),
        (999_500, "1 MB"),
        (2_412_000, "2.4 MB"),
        (52_428_800, "52 MB"),
        (3_100_000_000, "3.1 GB"),
    ],
)
def test_sizes_are_said_as_people_say_them(count: int, said: str) -> None:
    assert wording.size(count) == said


def test_counts_agree_with_their_noun() -> None:
    assert wording.amount(1, "result") == "1 result"
    assert wording.amount(0, "try", "tries") == "0 tries"
    assert wording.amount(1204, "result") == "1,204 results"
    assert wording.number(1204) == "1,204"


@pytest.mark.parametrize(
    ("media_type", "file_name", "said"),
    [
        ("application/pdf", "x", "PDF"),
        ("text/plain; charset=utf-8", "", "Text"),
        ("IMAGE/PNG", "", "Image"),
        ("application/cda+xml", "", "Medical summary"),
        ("application/octet-stream", "scan.dcm", "DCM"),
        ("application/octet-stream", "a.<script>", "File"),
        ("", "", "File"),
    ],
)
def test_a_file_has_a_kind_that_people_know(media_type: str, file_name: str, said: str) -> None:
    assert wording.file_type(media_type, file_name) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [("Rosa Alvarez", "RA"), ("Ana María de la Cruz", "AC"), ("Cher", "C"), ("", ""), ("🙂", "")],
)
def test_initials_come_from_the_first_and_the_last_name(name: str, said: str) -> None:
    assert wording.initials(name) == said


def test_a_telephone_number_can_be_called() -> None:
    assert wording.telephone("(720) 555-0142") == "tel:+17205550142"
    assert wording.telephone("+44 20 7946 0000") == "tel:+442079460000"


def test_a_moment_that_came_as_text_is_said_and_other_text_stays() -> None:
    assert (
        wording.written_moment("2026-11-14T23:15:00+00:00", DENVER) == "14 November 2026, 4:15 pm"
    )
    assert wording.written_moment("yesterday", DENVER) == "yesterday"
