"""What somebody shows beside their password: a one-time code, or a recovery code in its place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.context import Context
from libs.runtime.database import Connection, wall
from libs.runtime.keyring import KeyRing
from services.identity.domain import one_time_code, recovery_code
from services.identity.domain.account import Account
from services.identity.domain.passkey import Site, challenge_of, credential_of
from services.identity.domain.recovery_code import Blind
from services.identity.means import opened_code
from services.identity.store import accounts, passkeys
from services.identity.store import factors as store

ASKED_FOR = timedelta(minutes=5)
"""For so long a challenge waits for its answer."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What it takes to look at them."""

    key_ring: KeyRing
    blind: Blind
    site: Site

    async def pass_(self, db: Connection, account: Account, code: str, *, now: datetime) -> bool:
        """Whether the code is one of theirs, which is used up with that.

        `CODE_NEEDED` without one. Whoever has no codes needs none. A one-time code counts once
        (RFC 6238, 5.2), and so does a recovery code.
        """
        if account.code_secret is None:
            return True
        if not code.strip():
            raise Refused(Refusal.CODE_NEEDED)
        if recovery := recovery_code.typed(code):
            return await store.use_recovery_code(
                db, account.id, self.blind.of(account.id, recovery)
            )
        secret = opened_code(self.key_ring, account)
        step = one_time_code.step_of(secret, code.replace(" ", ""), now=now)
        return step is not None and await accounts.use_code(db, account.id, step)

    async def answers(self, db: Connection, account: Account, said: str, *, now: datetime) -> bool:
        """Whether one of their passkeys answers a challenge that was asked at the door."""
        passkey = await passkeys.find_passkey(db, account.id, credential_of(said))
        challenge = challenge_of(said)
        await wall(db, challenge=challenge.hex())
        if not await passkeys.use_challenge(db, challenge, None, since=now - ASKED_FOR):
            return False
        answer = self.site.answered(said, passkey) if passkey else None
        if passkey is None or answer is None:
            return False
        await passkeys.save_used(db, passkey, sign_count=answer.sign_count, now=now)
        return True


AtFactors = Annotated[Factors, Context("factors")]
