"""A day of 100 wrong tries a minute from everywhere: who guesses gets nowhere, who owns gets in."""

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.base import Refused, Request
from libs.contracts.identity.addresses import ChangeEmail, ConfirmEmail
from libs.contracts.identity.factors import BeginCode, ConfirmCode, ProveAgain
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.passwords import ChangePassword, ForgotPassword, ResetPassword
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import AcceptInvitation, CompleteRegistration
from libs.runtime.clock import utcnow
from services.identity.domain.throttle import LIMITS, WINDOW, Scope
from services.identity.guessing import trying
from tests.identity.desk import BORN, EMAIL, HOME, PASSWORD, Desk, code

AWAY = "198.51.100.7"
WRONG = "Wrong-Meadow-58"
NEW = "Other-Meadow-58"
MINUTE = timedelta(minutes=1)
A_MINUTE = 100
"""Wrong tries within each."""
SOURCES = 997
"""Where they come from in turn, so that no minute has the same as another."""


class Attack:
    """Somebody with many machines, who tries passwords at one address."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.tries = 0
        self.looked_at: Counter[tuple[str, datetime]] = Counter()
        """By source and by the moment, for each try whose password was compared."""

    async def minute(self, now: datetime) -> None:
        """A hundred wrong tries at once, each from another source."""
        numbers = range(self.tries, self.tries + A_MINUTE)
        self.tries += A_MINUTE
        sources = [
            f"192.0.{number % SOURCES // 250}.{number % SOURCES % 250}" for number in numbers
        ]
        await asyncio.gather(*(self._try(source, now) for source in sources))

    async def _try(self, source: str, now: datetime) -> None:
        guess = self.desk.means["guesser"].at_the_door(EMAIL, source)
        try:
            async with trying(self.desk.pool, guess, now=now):
                self.looked_at[source, now] += 1
                raise Refused(Refusal.NOT_RECOGNISED)
        except Refused:
            return


async def comes_in(desk: Desk, now: datetime, **changes: Any) -> bool:
    """Whether the owner, who knows what to say, is let in."""
    try:
        return bool(await desk.at(now, desk.login(**changes)))
    except Refused:
        return False


async def test_a_day_of_guessing_gets_nowhere_and_keeps_nobody_out(desk: Desk) -> None:
    """One minute in fifteen is attacked, each with all of its hundred tries: 10,000, past the
    hashing, which has no part in who is held back."""
    await desk.register()
    began, password, resets = utcnow(), PASSWORD, 0
    await desk.at(began, desk.login())
    attack = Attack(desk)
    for minutes in range(0, 24 * 60, 15):
        now = began + minutes * MINUTE
        await attack.minute(now)
        if minutes % 60 == 0:
            assert await comes_in(desk, now, password=password)
        if minutes % (8 * 60) == 15:
            new_device = f"198.51.100.{minutes % 250}"
            assert not await comes_in(desk, now, password=password, source=new_device)
            resets += 1
            password = f"Other-Meadow-5{resets}"
            await desk.at(now, ForgotPassword(email=EMAIL, source=new_device))
            token = await desk.token(LetterKind.PASSWORD_RESET, number=resets)
            chosen = ResetPassword(
                token=token, password=password, confirm_password=password, source=new_device
            )
            assert (await desk.at(now + MINUTE, chosen)).accepted
            await attack.minute(now + MINUTE)
            await attack.minute(now + 2 * MINUTE)
            assert await comes_in(desk, now + 3 * MINUTE, password=password, source=new_device)
    assert attack.tries > 10_000
    assert resets == 3
    assert sum(attack.looked_at.values()) == LIMITS[Scope.STRANGERS] * (1 + resets)


async def test_once_the_attack_ends_everyone_comes_in_by_the_link_from_anywhere(
    desk: Desk,
) -> None:
    await desk.register()
    now = utcnow()
    await Attack(desk).minute(now)
    later = now + timedelta(days=300)
    assert not await comes_in(desk, later, source=AWAY)
    await desk.ask(ForgotPassword(email=EMAIL, source=AWAY))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.ask(ResetPassword(token=token, password=NEW, confirm_password=NEW, source=AWAY))
    for source in (AWAY, HOME, "192.0.2.200"):
        assert await comes_in(desk, later, password=NEW, source=source)


async def test_one_source_has_ten_looks_in_any_quarter_of_an_hour(desk: Desk) -> None:
    """10,000 guesses within two hours: however they are spread, no window holds more."""
    await desk.register()
    began, guesser = utcnow(), desk.means["guesser"]
    looks: list[datetime] = []
    for second in range(0, 2 * 3600, 72):
        now = began + timedelta(seconds=second)
        for _ in range(100):
            try:
                async with trying(desk.pool, guesser.at_the_door(EMAIL, AWAY), now=now):
                    looks.append(now)
                    raise Refused(Refusal.NOT_RECOGNISED)
            except Refused as refused:
                if refused.code == Refusal.TRY_LATER:
                    break
    assert len(looks) >= 40
    assert max(sum(one <= other < one + WINDOW for other in looks) for one in looks) == 10


async def test_a_network_of_ipv6_is_one_source(desk: Desk) -> None:
    """The gateway names it by its 64 bits; the one beside it is another."""
    await desk.register()
    for _ in range(10):
        await desk.refusal(desk.login(password=WRONG, source="2001:db8:1:2::/64"))
    assert await desk.refusal(desk.login(source="2001:db8:1:2::/64")) == Refusal.TRY_LATER
    assert await desk.session(source="2001:db8:1:3::/64")


async def secrets(desk: Desk) -> dict[str, Request[Any]]:
    """A wrong guess at everything that takes a secret."""
    secret = await desk.register_staff()
    await desk.register()
    await desk.invite("ana@example.com")
    invited = await desk.token(number=2)
    session = await desk.session()
    await desk.ask(ForgotPassword(email=EMAIL, source=AWAY))
    reset = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.ask(ChangeEmail(session=session, current_password=PASSWORD, email="new@example.com"))
    confirm = await desk.token(LetterKind.EMAIL_CONFIRMATION)
    await desk.ask(BeginCode(session=session))
    no_code = "000000" if code(secret) != "000000" else "111111"
    wrong_day = date(1961, 4, 13)
    return {
        "password": desk.login(password=WRONG),
        "date of birth": desk.login(date_of_birth=wrong_day),
        "staff password": desk.staff_login(password=WRONG),
        "code": desk.staff_login(code=no_code),
        "current password": ChangePassword(
            session=session, current_password=WRONG, password=NEW, confirm_password=NEW
        ),
        "current password for an address": ChangeEmail(
            session=session, current_password=WRONG, email="other@example.com"
        ),
        "date of birth at a link": desk.registration(invited, date_of_birth=wrong_day),
        "invitation": desk.registration(wrong_mac(invited)),
        "invitation to accept": AcceptInvitation(
            token=wrong_mac(invited), session=session, date_of_birth=BORN, terms_version="1"
        ),
        "reset link": ResetPassword(
            token=wrong_mac(reset), password=NEW, confirm_password=NEW, source=AWAY
        ),
        "confirmation": ConfirmEmail(token=wrong_mac(confirm), source=AWAY),
        "proof": ProveAgain(session=session, password=WRONG),
        "code of a new key": ConfirmCode(session=session, code="000000"),
    }


def wrong_mac(token: str) -> str:
    """A guess at the link of the same name."""
    return f"{token.rsplit('.', 1)[0]}.{'A' * 43}"


@pytest.mark.parametrize(
    "what",
    [
        "password",
        "date of birth",
        "staff password",
        "code",
        "current password",
        "current password for an address",
        "date of birth at a link",
        "invitation",
        "invitation to accept",
        "reset link",
        "confirmation",
        "proof",
        "code of a new key",
    ],
)
async def test_whatever_is_guessed_ten_guesses_are_the_most(desk: Desk, what: str) -> None:
    guess = (await secrets(desk))[what]
    said = [await desk.said(guess) for _ in range(30)]
    held = {Refusal.TRY_LATER, Refusal.LINK_LOCKED}
    looked_at = [answer for answer in said if answer not in held]
    assert 5 <= len(looked_at) <= 10
    assert set(said[-20:]) <= held
    assert "done" not in said


async def test_everything_that_takes_a_secret_is_among_those(desk: Desk) -> None:
    """A request that takes a password, a code, a date of birth or a link and changes something."""
    from libs.contracts import registry

    looks = {"ShowInvitation", "ShowResetLink", "AskForNewLink"}
    takes = {"password", "current_password", "code", "date_of_birth", "token"}
    found = {
        request.__name__
        for request in registry.requests()
        if request.subject.startswith("request.identity.") and takes & set(request.model_fields)
    }
    guessed = {type(guess).__name__ for guess in (await secrets(desk)).values()}
    invites = {
        "InviteStaff",
        "InviteColleague",
        "InviteDelegate",
    }  # who invites sets the date, and guesses nothing
    assert found - looks - invites == guessed | {CompleteRegistration.__name__}


async def test_a_hundred_guesses_at_one_password_are_the_most_from_inside(desk: Desk) -> None:
    """However many sessions a thief opens or waits for; the link in an e-mail ends it."""
    await desk.register()
    session, began = await desk.session(), utcnow()
    account_id = (await desk.resolve(session)).account_id
    guesser, looks = desk.means["guesser"], 0
    for number in range(120):
        guess = guesser.inside(account_id, UUID(int=number))
        try:
            async with trying(desk.pool, guess, now=began + number * WINDOW):
                looks += 1
                raise Refused(Refusal.WRONG_PASSWORD)
        except Refused:
            pass
    assert looks == 100
    change = ChangePassword(
        session=session, current_password=PASSWORD, password=NEW, confirm_password=NEW
    )
    assert await desk.refusal(change) == Refusal.TRY_LATER
    await desk.ask(ForgotPassword(email=EMAIL, source=HOME))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.ask(ResetPassword(token=token, password=NEW, confirm_password=NEW, source=HOME))
    again = change.model_copy(
        update={
            "session": await desk.session(password=NEW),
            "current_password": NEW,
            "password": PASSWORD,
            "confirm_password": PASSWORD,
        }
    )
    assert (await desk.ask(again)).accepted
