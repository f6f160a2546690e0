"""What an address or a form chooses of a record."""

import pytest
from multidict import MultiDict

from gateway.pages.download import choose
from libs.contracts.records.exports import Kind

ALL = list(Kind)
NOTHING = {"kinds": "Choose at least one part of the record."}


@pytest.mark.parametrize(
    ("named", "parts", "chosen", "problems"),
    [
        ([], ALL, set(ALL), {}),
        ([], [Kind.LABS], {Kind.LABS}, {}),
        (["labs"], ALL, {Kind.LABS}, {}),
        (["labs,messages"], ALL, {Kind.LABS, Kind.MESSAGES}, {}),
        (["", "labs", "documents"], ALL, {Kind.LABS, Kind.DOCUMENTS}, {}),
        (["", "documents", "labs"], [Kind.LABS], {Kind.LABS}, {}),
        ([""], ALL, set(ALL), NOTHING),
        (["documents"], [Kind.LABS], {Kind.LABS}, NOTHING),
        (["everything"], ALL, set(ALL), NOTHING),
    ],
)
def test_a_form_in_which_no_part_is_ticked_chooses_none_and_nobody_more_than_they_may_see(
    named: list[str], parts: list[Kind], chosen: set[Kind], problems: dict[str, str]
) -> None:
    query = MultiDict(("kinds", one) for one in named)
    found = choose(query, parts)
    assert (set(found.selection.kinds), found.problems) == (chosen, problems)


def test_counting_again_counts_what_is_ticked() -> None:
    assert choose({"count": "yes", "kinds": "labs"}, ALL).selection.kinds == {Kind.LABS}
    assert choose({"count": "yes"}, ALL).problems == NOTHING
