"""What a result is called, and the sentence about it."""

from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from gateway import labs
from gateway.charts import Mark
from libs.contracts.records.health import Earlier, Flag, Range, Result, Status
from libs.contracts.records.moments import Precision
from tests.gateway import samples
from tests.gateway.samples import NOW, result

DENVER = "America/Denver"


def row(*history: Result, unit: str = "g/dL") -> labs.Row:
    return labs.row(samples.test_of("Albumin", "Liver", unit, *history), DENVER)


def test_the_sentence_says_value_range_and_the_one_before() -> None:
    said = row(
        result("3.1", days_ago=5, low="3.5", high="5.0"),
        result("3.4", days_ago=204, low="3.5", high="5.0"),
    ).sentence

    assert said == "3.1 g/dL, below the lab's range of 3.5–5.0. It was 3.4 on 2 May 2026."


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        ("4.0", "3.5", "5.0", "4.0 g/dL, within the lab's range of 3.5–5.0."),
        ("6.0", "3.5", "5.0", "6.0 g/dL, above the lab's range of 3.5–5.0."),
        ("21", "", "30", "21 g/dL, within the lab's range of up to 30."),
        ("58", "60", "", "58 g/dL, below the lab's range of 60 or more."),
        ("<0.1", "", "0.3", "<0.1 g/dL, within the lab's range of up to 0.3."),
        ("4.0", "", "", "4.0 g/dL."),
    ],
)
def test_ranges_of_every_kind_are_said(value: str, low: str, high: str, said: str) -> None:
    assert row(result(value, low=low, high=high)).sentence == said


def test_a_range_upside_down_is_shown_as_written_and_draws_nothing() -> None:
    odd = Range(low=Decimal(9), high=Decimal(3), text="9 - 3")
    shown = row(result("4", range=odd, flag=Flag.UNKNOWN))

    assert shown.sentence == "4 g/dL. The lab's range: 9 - 3."
    assert shown.latest.range == "9 - 3"
    assert shown.strip is None


def test_an_equal_value_is_said_to_be_the_same() -> None:
    said = row(result("4.0", days_ago=5), result("4.0", days_ago=26)).sentence

    assert said.endswith("It was the same on 27 October 2026.")


def test_a_value_before_in_another_unit_says_its_unit() -> None:
    said = row(result("4.0", days_ago=5), result("40", days_ago=26, unit="g/L")).sentence

    assert "It was 40 g/L on" in said


def test_a_partial_date_is_said_as_it_is() -> None:
    before = result("4.2", days_ago=600, precision=Precision.MONTH)

    assert row(result("4.0"), before).sentence.endswith("It was 4.2 in April 2025.")
    assert row(result("4.0"), result("4.2", collected_at=None)).sentence == "4.0 g/dL."


def test_a_preliminary_result_says_so() -> None:
    shown = row(result("4.0", status=Status.PRELIMINARY))

    assert "This is preliminary and can still change." in shown.sentence
    assert shown.latest.standing == "Preliminary"


def test_a_corrected_result_says_what_it_said_before() -> None:
    was = Earlier(value="12.0", unit="g/dL", corrected_at=NOW - timedelta(days=3))
    shown = row(result("10.2", status=Status.CORRECTED, earlier=(was,)))

    assert "It was corrected on 19 November 2026. Before that it said 12.0." in shown.sentence
    assert shown.latest.corrections == (("12.0", "19 November 2026"),)


def test_a_cancelled_result_is_said_and_not_drawn_and_not_compared_with() -> None:
    cancelled = result("4.0", status=Status.CANCELLED)

    assert row(cancelled).sentence == "The lab cancelled this test."
    assert row(cancelled).trend is None
    assert row(result("4.1"), result("9", days_ago=9, status=Status.CANCELLED)).sentence == (
        "4.1 g/dL."
    )


def test_a_result_without_a_value_says_why() -> None:
    shown = row(result("Hemolyzed", kind="absent"))

    assert shown.sentence == "The lab gave no value. Its reason: Hemolyzed."
    assert shown.latest.value == "No value: Hemolyzed"
    assert row(result("", kind="absent")).sentence == "The lab gave no value."


def test_a_text_is_shown_as_it_is_and_has_a_list_and_no_chart() -> None:
    shown = row(result("Positive", flag=Flag.ABNORMAL), unit="")

    assert shown.sentence == "Positive. The lab marked it “not as expected”."
    assert shown.trend is None
    assert [line.value for line in shown.lines] == ["Positive"]


def test_a_text_with_a_full_stop_ends_its_sentence_once() -> None:
    now = result("A few yeasts.", days_ago=5, unit="")
    was = result("No growth.", days_ago=26, unit="")

    assert row(now, was, unit="").sentence == (
        "A few yeasts. It said “No growth” on 27 October 2026."
    )


def test_a_long_text_is_not_squeezed_into_the_sentence() -> None:
    shown = row(result("Grade 2.\nMargins clear."), unit="")

    assert shown.sentence == "The lab answered in words, which are below."
    assert shown.latest.long


@pytest.mark.parametrize(
    ("flag", "word"),
    [
        (Flag.LOW, "Low"),
        (Flag.HIGH, "High"),
        (Flag.VERY_LOW, "Very low"),
        (Flag.VERY_HIGH, "Very high"),
        (Flag.ABNORMAL, "Not as expected"),
        (Flag.NORMAL, "In range"),
    ],
)
def test_every_flag_has_a_word_and_a_shape(flag: Flag, word: str) -> None:
    shown = row(result("4.0", low="3.5", high="5.0", flag=flag)).latest.flag

    assert shown
    assert shown.text == word
    assert shown.icon


def test_no_flag_is_no_word() -> None:
    assert row(result("4.0", flag=Flag.UNKNOWN)).latest.flag is None


def test_what_has_no_range_is_as_expected_not_in_range() -> None:
    shown = row(result("Not detected", flag=Flag.NORMAL)).latest.flag

    assert shown
    assert shown.text == "As expected"


def test_what_the_lab_marks_wins_over_the_numbers() -> None:
    shown = row(result("4.0", low="3.5", high="5.0", flag=Flag.VERY_LOW))

    assert shown.strip
    assert shown.strip.mark is Mark.BELOW
    assert "The lab marked it “very low”." in shown.sentence


def test_two_results_of_one_day_are_told_apart_by_their_time() -> None:
    early, late = NOW.replace(hour=15), NOW.replace(hour=18)
    shown = row(result("4.0", collected_at=late), result("4.2", collected_at=early))

    assert [line.collected for line in shown.lines] == [
        "22 November 2026, 11:14 am",
        "22 November 2026, 8:14 am",
    ]


def test_numbers_that_cannot_be_drawn_are_listed_all_the_same() -> None:
    endless = result("4.0", number=Decimal("1E+400"))
    undated = result("4.1", days_ago=30, collected_at=None)
    shown = row(endless, undated)

    assert shown.trend is None
    assert [line.value for line in shown.lines] == ["4.0", "4.1"]
    assert shown.lines[1].collected == "No date"


def test_a_limit_in_the_history_is_explained() -> None:
    assert row(result("<0.1", high="0.3")).bounds
    assert not row(result("0.1", high="0.3")).bounds


def test_a_change_of_range_is_seen() -> None:
    same = row(result("4", low="3", high="5"), result("4", days_ago=9, low="3", high="5"))
    other = row(result("4", low="3", high="5"), result("4", days_ago=9, low="3.5", high="5"))

    assert not same.several_ranges
    assert other.several_ranges


def test_the_caption_says_when_and_in_which_unit() -> None:
    assert row(result("4", days_ago=5), result("4", days_ago=400)).caption == (
        "Albumin, October 2025 to November 2026, in g/dL"
    )
    assert row(result("4"), unit="").caption == "Albumin, November 2026"
    assert row(result("Seen"), unit="").caption == "Albumin"


def test_a_group_is_said_once_wherever_its_tests_stand() -> None:
    tests = [samples.test_of(name, group, "", result("1")) for name, group in (("a", "X"), ("b", "Y"), ("c", "X"))]  # fmt: skip

    assert {name: len(rows) for name, rows in labs.groups(tests, "UTC").items()} == {"X": 2, "Y": 1}


def test_the_newest_stays_the_latest_where_it_is_not_in_the_history() -> None:
    newest, older = result("4.0", days_ago=1), result("4.2", days_ago=9)
    made = samples.test_of("Albumin", "Liver", "", newest).model_copy(update={"history": (older,)})

    assert labs.row(made, "UTC").latest.value == "4.0"
    assert newest.collected_at
    assert newest.collected_at.tzinfo is UTC
