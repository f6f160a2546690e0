"""How a benchmark says what it found: one line each, with the baseline and the budget beside it."""

from dataclasses import dataclass

from rich.console import Console

console = Console(highlight=False)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A figure, what it is measured against, and what it was to be."""

    what: str
    figure: str
    baseline: str
    ratio: float
    budget: float
    at_least: bool = True

    @property
    def kept(self) -> bool:
        return self.ratio >= self.budget if self.at_least else self.ratio <= self.budget


def say(finding: Finding) -> None:
    """Print a finding; a budget that is not kept is said as plainly as one that is."""
    sign = "≥" if finding.at_least else "≤"
    word = "[green]kept[/]" if finding.kept else "[red]missed[/]"
    console.print(
        f"{finding.what}: [bold]{finding.figure}[/] beside {finding.baseline}; "
        f"ratio {finding.ratio:.2f}, budget {sign} {finding.budget:g}: {word}"
    )
