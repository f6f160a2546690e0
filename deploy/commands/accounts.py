"""`carespace account`: help for whoever can't get into their own account."""

from pathlib import Path

import click

from deploy.commands.saying import as_json, console, data_dir, in_a_loop, say_json


@click.group()
def account() -> None:
    """Accounts, which belong to people: a patient here, a nurse there."""


@account.command("reset-two-step")
@click.option("--email", required=True, help="What they log in with.")
@click.option("--reason", required=True, help="How you know that it is they.")
@as_json
@data_dir
@in_a_loop
async def reset_two_step(*, email: str, reason: str, as_json: bool, data_dir: Path) -> None:
    """Somebody lost their phone and recovery codes: take off their two-step verification.

    They are logged out everywhere and told by email. Whoever works at a practice gets another one,
    with a link to set up new codes. First make sure that it is they who ask.

    Example: carespace account reset-two-step --email rosa.alvarez@example.com
    --reason "Came by with her passport."
    """
    from deploy.problem import SaidNo
    from deploy.reach import PATIENCE, asking, reach
    from libs.contracts.base import Refused
    from libs.contracts.identity.factors import ResetFactors
    from libs.contracts.identity.refusals import Refusal
    from libs.runtime.broker import ask

    words: dict[str, str] = {
        Refusal.UNKNOWN_ACCOUNT: "Nobody has an account with this address.",
        Refusal.REASON_MISSING: "Say in --reason how you know that it is they.",
        Refusal.TOO_LONG: "The reason can have up to 500 characters.",
        Refusal.ALREADY_REGISTERED: "Another invitation to a team of theirs has this address, so "
        "no letter can let them in anew there. Nothing was changed.",
    }
    async with asking(reach(data_dir, "operator")) as broker:
        try:
            done = await ask(broker, ResetFactors(email=email, reason=reason), within=PATIENCE)
        except Refused as refused:
            raise SaidNo(refused.worded(words)) from None
    if as_json:
        say_json(done)
        return
    console.print(f"Two-step verification of {done.name} is off, and they are logged out.")
    for practice in done.practices:
        console.print(f"They get a letter to be let in anew at {practice}; it works for 4 days.")
