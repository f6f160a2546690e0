"""Asked once more who somebody is, before what is not easily taken back.

The proof is typed into the form that needs it, so that nothing else of it is lost.
"""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gateway import reading, session
from gateway.reading import Form
from gateway.session import SignedIn
from libs.contracts.base import Refused
from libs.contracts.identity.factors import PROVEN_FOR, ProveAgain
from libs.contracts.identity.refusals import Refusal
from libs.runtime.broker import BROKER, ask
from libs.runtime.clock import utcnow

PASSWORD, CODE = "proof_password", "proof_code"
WORDS: dict[str, str] = {
    Refusal.WRONG_PASSWORD: "This is not your current password.",
    Refusal.CODE_NEEDED: "Enter the code from your authenticator app, or a recovery code.",
    Refusal.WRONG_CODE: "This code is not right, or was used before. Wait for the next one.",
    Refusal.TRY_LATER: "There have been too many tries. Wait 15 minutes and try again.",
    Refusal.BUSY: "We are very busy at this moment. Try again in a few seconds.",
    Refusal.PROOF_NEEDED: "Type your password, so that we know that it is you.",
}
OF_CODES = {Refusal.CODE_NEEDED, Refusal.WRONG_CODE}
WITHIN = 8
TYPING = timedelta(minutes=2)
"""A proof that runs out while somebody fills in the form would be asked for after it."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What a form asks for beside its own fields."""

    wanted: bool
    code: bool
    """A code too, since codes are on."""


def proof_for(person: SignedIn, *, always: bool = False) -> Proof:
    """What this person is to be asked for now."""
    proven_at = person.session.proven_at
    fresh = proven_at is not None and utcnow() < proven_at + PROVEN_FOR - TYPING
    return Proof(wanted=always or not fresh, code=person.session.code)


async def prove(request: web.Request, person: SignedIn, form: Form) -> dict[str, str]:
    """What is wrong with the proof in this form, by its field; nothing for one that holds."""
    asked = ProveAgain(
        session=person.token_hash,
        password=reading.raw(form, PASSWORD),
        code=reading.text(form, CODE),
    )
    try:
        await ask(request.app[BROKER], asked, within=WITHIN)
    except Refused as refused:
        return explained(refused)
    session.renew(request)
    return {}


def explained(refused: Refused) -> dict[str, str]:
    """A refusal of a proof, in words at the field that it is about."""
    return {CODE if refused.code in OF_CODES else PASSWORD: refused.worded(WORDS)}


async def proven_with(request: web.Request, person: SignedIn, form: Form) -> dict[str, str]:
    """The same for a form that asks only where the last proof is too old."""
    if proof_for(person).wanted or reading.raw(form, PASSWORD):
        return await prove(request, person, form)
    return {}
