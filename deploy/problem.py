"""What a command says when it can't go on."""


class Problem(Exception):
    """What stands in the way, in one sentence for whoever typed the command."""

    code = 2
    """The exit code: it was asked wrongly, or of a machine that isn't ready for it."""


class SaidNo(Problem):
    """It was asked rightly, and the answer is no."""

    code = 1
