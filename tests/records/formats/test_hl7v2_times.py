"""When a result is of, as HL7 v2 writes times."""

import pytest

from services.records.domain.found import Reason
from services.records.domain.result import (
    Precision,
    Result,
)
from services.records.formats.hl7v2.times import day, moment, readable, readable_clock
from tests.records.formats.hl7v2_messages import (
    PATIENT,
    found_in,
    message,
    only,
    reasons_in,
)


@pytest.mark.parametrize(
    ("obx_14", "obr_7", "obr_22", "expected"),
    [
        ("20240101", "20240102", "20240103", "2024-01-01T00:00:00+00:00"),
        ("", "20240102", "20240103", "2024-01-02T00:00:00+00:00"),
        ("", "", "20240103", "2024-01-03T00:00:00+00:00"),
        ("", "", "", "2024-03-05T11:00:00+00:00"),
        ("never", "20240102", "", "2024-01-02T00:00:00+00:00"),
    ],
)
def test_a_result_is_of_the_time_observed_else_collected_else_reported_else_sent(
    obx_14: str, obr_7: str, obr_22: str, expected: str
) -> None:
    order = f"OBR|1|P1|F1|CBC^Blood count^L|||{obr_7}" + "|" * 15 + obr_22
    (result,) = only(
        Result, found_in(message(PATIENT, order, f"OBX|1|NM|X^T^L||5||||||F|||{obx_14}"))
    )

    assert result.collected is not None
    assert result.collected.at.isoformat() == expected


def test_a_time_that_is_none_is_said_and_the_result_taken() -> None:
    header = r"MSH|^~\&|LIS|LAB||PORTAL|||ORU^R01|M1|P|2.3"
    bad = message("OBX|1|NM|X^T^L||5||||||F|||20241399")
    none = message("OBR|1||F1|A^B^L", "OBX|1|NM|X^T^L||5||||||F", header=header)

    assert [reason for reason, _ in reasons_in(bad)] == [Reason.BAD_TIME]
    assert [reason for reason, _ in reasons_in(none)] == [Reason.NO_TIME]
    assert [result.collected for result in only(Result, found_in(none))] == [None]


@pytest.mark.parametrize(
    ("written", "expected", "precision", "zoned"),
    [
        ("2019", "2019-01-01T00:00:00", Precision.YEAR, False),
        ("201903", "2019-03-01T00:00:00", Precision.MONTH, False),
        ("20190304", "2019-03-04T00:00:00", Precision.DAY, False),
        ("2019030405", "2019-03-04T05:00:00", Precision.INSTANT, False),
        ("201903040506", "2019-03-04T05:06:00", Precision.INSTANT, False),
        ("20170726144821.807-0400", "2017-07-26T18:48:21.807000", Precision.INSTANT, True),
        ("20110613122406637", "2011-06-13T12:24:06.637000", Precision.INSTANT, False),
        ("20141006064500+0700", "2014-10-05T23:45:00", Precision.INSTANT, True),
        ("200801311600+0215", "2008-01-31T13:45:00", Precision.INSTANT, True),
        ("20190304050607-0000", "2019-03-04T05:06:07", Precision.INSTANT, True),
        ("20190304050660", "2019-03-04T05:06:59", Precision.INSTANT, False),
        ("2019-03-04T05:06:07+05:30", "2019-03-03T23:36:07", Precision.INSTANT, True),
        ("2019-03-04", "2019-03-04T00:00:00", Precision.DAY, False),
        ("Aug 15, 1942", "1942-08-15T00:00:00", Precision.DAY, False),
        ("August 5 1942", "1942-08-05T00:00:00", Precision.DAY, False),
    ],
)
def test_times_are_read_to_their_precision(
    written: str, expected: str, precision: Precision, *, zoned: bool
) -> None:
    found = moment(written)

    assert found is not None
    assert found.at.isoformat().removesuffix("+00:00") == expected
    assert (found.precision, found.zoned) == (precision, zoned)


@pytest.mark.parametrize(
    "written",
    ["", "196203520", "20191301", "20190230", "0000", "20190304+9900", "Foo 1, 2020", "2019030",
     "00010101000000+1400", "99991231235959-1400", "٢٠١٩", "2" * 500, "now"],
)  # fmt: skip
def test_what_is_no_time_is_none(written: str) -> None:
    assert moment(written) is None
    assert readable(written) == written


def test_a_birthday_is_the_day_that_was_written_whatever_the_zone() -> None:
    assert str(day("19300122000000+0215")) == "1930-01-22"
    assert day("1930") is None
    assert readable_clock("143005.5+0100") == "14:30:05.5 +0100"
    assert readable_clock("teatime") == "teatime"
