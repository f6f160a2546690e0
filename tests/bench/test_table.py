"""How the benchmarks say what they found."""

import pytest

from bench import table
from bench.figures import Finding


@pytest.mark.parametrize(
    ("number", "said"), [(12345.6, "12,346"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23")]
)
def test_a_number_has_as_many_digits_as_mean_something(number: float, said: str) -> None:
    assert table.amount(number) == said


def test_a_missed_promise_is_said_as_plainly_as_a_kept_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def found(what: str, budget: float | None, *, at_least: bool = True) -> Finding:
        return Finding(
            name=what,
            what=what,
            unit="ms",
            ours=[30.0],
            beside="idle",
            baseline=[20.0],
            budget=budget,
            at_least=at_least,
        )

    table.say([found("good", 3, at_least=False), found("bad", 2), found("told", None)])

    good, bad, told = (
        line.split() for line in capsys.readouterr().out.splitlines() if " idle " in line
    )
    assert good == ["good", "30.0", "ms", "idle", "20.0", "ms", "1.50", "≤", "3", "kept"]
    assert bad[-3:] == ["≥", "2", "missed"]
    assert told[-1] == "1.50"
