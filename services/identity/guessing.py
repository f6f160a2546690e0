"""One try at a password, a code or a date of birth: counted before it is looked at."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.context import Context
from libs.runtime.database import Connection, Pool, transaction
from services.identity import watch
from services.identity.domain import throttle
from services.identity.domain.throttle import Count, Guess, Scope
from services.identity.store import attempts

MISSES = {
    Refusal.NOT_RECOGNISED,
    Refusal.WRONG_PASSWORD,
    Refusal.WRONG_CODE,
    Refusal.WRONG_DATE_OF_BIRTH,
    Refusal.LINK_UNKNOWN,
}
"""What says that somebody guessed, and wrongly."""


@dataclass(frozen=True, kw_only=True)
class Guesser:
    """Whom failures are counted against; hashed under our key, so that a dump names nobody."""

    key: bytes = field(repr=False)

    def at_the_door(self, email: str, source: str) -> Guess:
        """At an account, by its address; the same for an address that has none."""
        scopes = {Scope.HERE, Scope.STRANGERS, Scope.FAMILIAR, Scope.SOURCE}
        return self._guess(f"email {email}", source, scopes)

    def at_a_link(self, token: str, source: str) -> Guess:
        """At a link or at the date of birth that goes with it, by what the link says it is for.

        An invitation counts its own five wrong dates besides, wherever they come from.
        """
        return self._guess(f"link {token.split('.', 1)[0]}", source, {Scope.HERE, Scope.SOURCE})

    def inside(self, account_id: UUID, session_id: UUID) -> Guess:
        """At the password of whoever is logged in, by somebody at their browser."""
        scopes = {Scope.HERE, Scope.INSIDE}
        return self._guess(f"account {account_id}", f"session {session_id}", scopes)

    def asking(self, source: str) -> Guess:
        """For a letter; no guess at anything, and counted all the same."""
        return self._guess("", source, {Scope.ASKING})

    def _guess(self, who: str, source: str, scopes: set[Scope]) -> Guess:
        return Guess(
            who=self._hash(f"who {who}"),
            source=self._hash(f"source {source}"),
            scopes=frozenset(scopes),
        )

    def _hash(self, said: str) -> bytes:
        return hmac.digest(self.key, f"attempt {said}".encode(), hashlib.sha256)


AtGuesser = Annotated[Guesser, Context("guesser")]


@asynccontextmanager
async def trying(pool: Pool, guess: Guess, *, now: datetime) -> AsyncIterator[None]:
    """One try, if there is one left. It stays counted if it was wrong, and only then.

    Whoever gets through is the right person: what was counted of them is forgotten.
    """
    async with transaction(pool) as db:
        scopes = throttle.counted(guess, familiar=await attempts.is_familiar(db, guess))
        if spent := throttle.spent(await attempts.list_counts(db, guess, scopes, now=now)):
            raise _refusal(spent)  # without a lock that others under attack wait for
        counts = await _count(db, guess, scopes, now=now)
    try:
        yield
    except BaseException as error:
        if not (isinstance(error, Refused) and error.code in MISSES):
            async with transaction(pool) as db:
                await attempts.give_back(db, guess, scopes)
        else:
            for scope in throttle.spent(counts):
                watch.LOCKOUTS.labels(scope).inc()
        raise
    async with transaction(pool) as db:
        await attempts.forget(db, guess, [scope for scope in scopes if scope is not Scope.SOURCE])
        await attempts.give_back(db, guess, [scope for scope in scopes if scope is Scope.SOURCE])


async def count_asking(db: Connection, guess: Guess, *, now: datetime) -> None:
    """One more letter asked for, if there is one left."""
    await _count(db, guess, sorted(guess.scopes), now=now)


async def _count(
    db: Connection, guess: Guess, scopes: list[Scope], *, now: datetime
) -> list[Count]:
    counts = await attempts.count_try(db, guess, scopes, now=now)
    if exceeded := throttle.held_back(counts):
        raise _refusal(exceeded)
    return counts


def _refusal(scopes: list[Scope]) -> Refused:
    """No try is left of these."""
    for scope in scopes:
        watch.HELD_BACK.labels(scope).inc()
    return Refused(Refusal.TRY_LATER)
