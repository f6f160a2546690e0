"""What letters say, told to the notifier alone, as it writes them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from libs.contracts.identity.addresses import ChangeEmail
from libs.contracts.identity.invitations import AskForNewLink, ShowInvitation
from libs.contracts.identity.letters import DescribeLetter, LetterDue, LetterKind
from libs.contracts.identity.passwords import ForgotPassword
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Role
from libs.runtime.broker import Unavailable, ask
from libs.runtime.clock import utcnow
from tests.identity.desk import EMAIL, HOME, NURSE, PASSWORD, PRACTICE, Desk

DAYS = timedelta(days=1)
SECOND = timedelta(seconds=1)


def about(due: LetterDue, **changes: object) -> DescribeLetter:
    asked = DescribeLetter(kind=due.kind, reference_id=due.reference_id, version=due.version)
    return asked.model_copy(update=changes)


async def test_nobody_but_the_notifier_may_ask(desk: Desk) -> None:
    await desk.invite()
    await desk.all_told()
    (due,) = await desk.letters(LetterKind.INVITATION)
    for other in (desk.gateway, desk.operator):
        with pytest.raises(Unavailable):
            await ask(other, about(due), within=1)
    assert (await ask(desk.notifier, about(due))).email == EMAIL


async def test_an_invitation_speaks_for_the_practice_and_says_until_when(desk: Desk) -> None:
    await desk.invite()
    letter = await desk.letter()
    assert letter.practice
    assert (letter.practice.practice_id, letter.practice.name) == (PRACTICE, "Lakeside Oncology")
    assert (letter.email, letter.greeting_name, letter.time_zone) == (
        EMAIL,
        "Rosa",
        "America/Denver",
    )
    token = letter.path.removeprefix("/register/")
    shown = await desk.ask(ShowInvitation(token=token, opened=False))
    assert shown.expires_at == letter.link_expires_at


async def test_a_letter_that_is_written_again_has_the_same_link(desk: Desk) -> None:
    await desk.register()
    await desk.ask(ForgotPassword(email=EMAIL, source=HOME))
    await desk.ask(
        ChangeEmail(
            session=await desk.session(), current_password=PASSWORD, email="new@example.com"
        )
    )
    await desk.invite("ana@example.com")
    for kind, number in (
        (LetterKind.INVITATION, 2),
        (LetterKind.PASSWORD_RESET, 1),
        (LetterKind.EMAIL_CONFIRMATION, 1),
    ):
        first, again = [await desk.letter(kind, number=number) for _ in range(2)]
        assert first == again
        assert first.path


async def test_an_invitation_whose_link_is_no_longer_good_is_not_written(desk: Desk) -> None:
    await desk.invite()
    token = await desk.token()
    (due,) = await desk.letters(LetterKind.INVITATION)
    now = utcnow()
    assert await desk.at(now + 4 * DAYS - 60 * SECOND, about(due))
    assert await desk.refusal(about(due), now=now + 4 * DAYS) == Refusal.LINK_EXPIRED
    for version in (0, 2):
        other = about(due, version=version)
        assert await desk.refusal(other, now=now) == Refusal.LINK_VOID
    await desk.ask(desk.registration(token))
    assert await desk.refusal(about(due), now=now) == Refusal.LINK_USED


async def test_a_reset_letter_that_comes_too_late_is_not_written(desk: Desk) -> None:
    await desk.register()
    now = utcnow()
    await desk.at(now, ForgotPassword(email=EMAIL, source=HOME))
    letter = await desk.letter(LetterKind.PASSWORD_RESET)
    assert (letter.link_expires_at, letter.practice) == (now + timedelta(hours=1), None)
    assert letter.path.startswith("/reset-password/")
    (due,) = await desk.letters(LetterKind.PASSWORD_RESET)
    late = now + timedelta(hours=1)
    assert await desk.refusal(about(due), now=late) == Refusal.LINK_EXPIRED
    await desk.at(now, ForgotPassword(email=EMAIL, source=HOME))
    assert (await desk.letter(LetterKind.PASSWORD_RESET, number=2)).path != letter.path
    assert await desk.refusal(about(due), now=now) == Refusal.LINK_VOID


async def test_the_practice_is_told_who_wants_a_new_link_by_where_to_look(desk: Desk) -> None:
    await desk.invite()
    await desk.ask(AskForNewLink(token=await desk.token(), source=HOME))
    letter = await desk.letter(LetterKind.NEW_LINK_WANTED)
    assert (letter.email, letter.path) == ("desk@example.com", "/staff/patients?attention=1")
    assert letter.happened_at
    assert EMAIL not in letter.model_dump_json()


async def test_a_letter_to_staff_leads_to_their_registration(desk: Desk) -> None:
    await desk.register_staff(role=Role.ADMINISTRATOR)
    due = await desk.letters(LetterKind.STAFF_INVITATION)
    assert [(one.version, one.practice_id) for one in due] == [(1, PRACTICE)]
    assert not await desk.letters(LetterKind.INVITATION)
    assert await desk.look("SELECT role FROM seat") == "administrator"
    assert await desk.look("SELECT email FROM account") == NURSE


@pytest.mark.parametrize("kind", LetterKind)
async def test_there_is_no_letter_about_nothing(desk: Desk, kind: LetterKind) -> None:
    asked = DescribeLetter(kind=kind, reference_id=uuid4(), version=1)
    assert await desk.refusal(asked, now=utcnow()) in (Refusal.LINK_UNKNOWN, Refusal.LINK_VOID)


async def test_a_letter_about_one_thing_is_not_had_by_the_id_of_another(desk: Desk) -> None:
    await desk.register()
    await desk.ask(ForgotPassword(email=EMAIL, source=HOME))
    await desk.letter(LetterKind.PASSWORD_RESET)
    (due,) = await desk.letters(LetterKind.PASSWORD_RESET)
    for kind in set(LetterKind) - {LetterKind.PASSWORD_RESET}:
        other = about(due, kind=kind)
        refused = await desk.refusal(other, now=utcnow())
        assert refused in (Refusal.LINK_UNKNOWN, Refusal.LINK_VOID), kind
