"""How it is said what was found: a line for each figure, with its baseline and its budget."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table

from bench.figures import Finding

WIDTH = 140
KEPT = {True: "[green]kept[/]", False: "[red]missed[/]", None: ""}


def shown(findings: Iterable[Finding]) -> Table:
    """The findings as a table; a promise that is not kept is said as plainly as one that is."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what is measured")
    table.add_column("figure", justify="right")
    table.add_column("beside")
    table.add_column("baseline", justify="right")
    for column in ("ratio", "budget"):
        table.add_column(column, justify="right")
    table.add_column("")
    for found in findings:
        table.add_row(
            found.what,
            f"{amount(found.figure)} {found.unit}",
            found.beside,
            f"{amount(found.baseline_figure)} {found.unit}",
            f"{found.ratio:.2f}",
            budget(found),
            KEPT[found.kept],
        )
    return table


def budget(found: Finding) -> str:
    """≥ 0.9, or nothing."""
    if found.budget is None:
        return ""
    return f"{'≥' if found.at_least else '≤'} {found.budget:g}"


def amount(number: float) -> str:
    """A number with as many digits as mean something: 12,345, 123, 12.3, 1.23."""
    if abs(number) >= 100:  # noqa: PLR2004
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"  # noqa: PLR2004


def say(findings: Iterable[Finding]) -> None:
    """Print the table, with room for its words where it goes to a file."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(shown(findings))
