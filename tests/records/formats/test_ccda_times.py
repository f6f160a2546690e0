"""When a C-CDA says something was measured, and how exactly."""

from datetime import UTC, date, datetime

import pytest

from services.records.domain.found import LeftOut, Reason
from services.records.domain.result import Precision, Result
from services.records.formats.ccda import moments
from tests.records.formats.cda_documents import (
    document,
    observation,
    only,
    panel,
    result_of,
    results_document,
    section,
)


@pytest.mark.parametrize(
    ("written", "at", "precision", "zoned"),
    [
        ("2012", datetime(2012, 1, 1, tzinfo=UTC), Precision.YEAR, False),
        ("201208", datetime(2012, 8, 1, tzinfo=UTC), Precision.MONTH, False),
        ("20120806", datetime(2012, 8, 6, tzinfo=UTC), Precision.DAY, False),
        ("20120806-0500", datetime(2012, 8, 6, tzinfo=UTC), Precision.DAY, False),
        ("2012080609", datetime(2012, 8, 6, 9, tzinfo=UTC), Precision.INSTANT, False),
        ("201208060931", datetime(2012, 8, 6, 9, 31, tzinfo=UTC), Precision.INSTANT, False),
        ("201208060931-0500", datetime(2012, 8, 6, 14, 31, tzinfo=UTC), Precision.INSTANT, True),
        ("201208060931+530", datetime(2012, 8, 6, 4, 1, tzinfo=UTC), Precision.INSTANT, True),
        ("20161212000000-0000", datetime(2016, 12, 12, tzinfo=UTC), Precision.INSTANT, True),
        (
            "20170726144821.807-0400",
            datetime(2017, 7, 26, 18, 48, 21, 807_000, tzinfo=UTC),
            Precision.INSTANT,
            True,
        ),
        ("20120630235960", datetime(2012, 6, 30, 23, 59, 59, tzinfo=UTC), Precision.INSTANT, False),
        (
            "2012-08-06T09:31:00Z",
            datetime(2012, 8, 6, 9, 31, tzinfo=UTC),
            Precision.INSTANT,
            True,
        ),
        ("2012-08", datetime(2012, 8, 1, tzinfo=UTC), Precision.MONTH, False),
    ],
)
def test_a_time_is_as_exact_as_it_was_written(
    written: str, at: datetime, precision: Precision, *, zoned: bool
) -> None:
    found = result_of(time=f'<effectiveTime value="{written}"/>').collected
    assert found is not None
    assert (found.at, found.precision, found.zoned) == (at, precision, zoned)


@pytest.mark.parametrize(
    "written",
    [
        "2014030200908-0500",
        "20121345",
        "00000000",
        "soon",
        "99991231235959-1400",
        "201208060931+9900",
    ],
)
def test_a_result_with_an_impossible_time_is_taken_without_it(written: str) -> None:
    data = results_document(observation(time=f'<effectiveTime value="{written}"/>'))
    assert only(Result, data).collected is None
    assert only(LeftOut, data).reason is Reason.BAD_TIME


def test_a_result_without_a_time_has_its_panels_or_none() -> None:
    bare = observation(time='<effectiveTime nullFlavor="UNK"/>')
    period = '<effectiveTime><low value="20240301"/><high value="20240302"/></effectiveTime>'
    with_panel = document(section(panel(bare, about=period)))

    assert only(Result, results_document(bare)).collected is None
    assert only(LeftOut, results_document(bare)).reason is Reason.NO_TIME
    found = only(Result, with_panel).collected
    assert found is not None
    assert found.at.date() == date(2024, 3, 1)


@pytest.mark.parametrize("end", ["center", "low", "high"])
def test_a_period_with_one_end_counts_from_there(end: str) -> None:
    time = f'<effectiveTime><{end} value="20240301"/></effectiveTime>'
    assert result_of(time=time).collected == moments.moment("20240301")
