"""Letters that are owed, from the event to the mail server, on real Postgres and NATS."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer
from faststream.nats import NatsBroker, NatsRouter

import services.notifier.app
from libs.contracts.base import Refused
from libs.contracts.identity.letters import DescribeLetter, Letter, LetterDue, LetterKind
from libs.contracts.identity.practices import Practice
from libs.contracts.identity.refusals import Refusal as No
from libs.contracts.notifier import ListMails, Mail, MailSettled, MailState, Refusal, RetryMail
from libs.contracts.visa import Capacity, Role, Visa
from libs.runtime import broker, outbox
from libs.runtime.broker import answers, ask
from libs.runtime.clock import utcnow
from services.notifier.config import Config
from tests import parts
from tests.notifier.test_smtp import Sink, serving
from tests.servers import Servers
from tests.waiting import until

PRACTICE = Practice(
    practice_id=uuid4(),
    name="Lakeside Oncology",
    phone="555-0100",
    address="1 Lake Street",
    hours="9 to 5",
    emergency="Call 911.",
    time_zone="America/Denver",
)
ENDED = UUID(int=404)
"""The letter whose link is no longer good."""


@dataclass
class Post:
    """A notifier (or more), the mail server that it speaks to, and identity at its other side."""

    servers: Servers
    sink: Sink
    broker: NatsBroker
    addresses: dict[UUID, str]
    notifiers: list[BaseTestServer]

    async def owes(self, to: str, *, times: int = 1, reference: UUID | None = None) -> UUID:
        """Identity announces that a letter is due, as often as NATS may deliver it."""
        about = reference or uuid4()
        self.addresses[about] = to
        due = LetterDue(
            kind=LetterKind.INVITATION, reference_id=about, practice_id=PRACTICE.practice_id
        )
        db = await asyncpg.connect(
            self.servers.database_url("identity"), server_settings={"search_path": "identity"}
        )
        for _ in range(times):
            again = due.model_copy(update={"id": uuid4()}) if times > 1 else due
            await outbox.announce(db, again)
        await db.close()
        return about

    def visa(self, practice_id: UUID = PRACTICE.practice_id) -> str:
        now = utcnow()
        visa = Visa(
            capacity=Capacity.STAFF,
            practice_id=practice_id,
            role=Role.CLINICIAN,
            account_id=uuid4(),
            issued_at=now,
            expires_at=now + timedelta(seconds=10),
        )
        return parts.sealed(self.servers, visa, by="identity")

    async def mails(self) -> tuple[Mail, ...]:
        return (await ask(self.broker, ListMails(visa=self.visa()))).mails

    async def one(self, state: MailState) -> Mail:
        """The only letter, once it is in this state."""

        async def there() -> Mail | None:
            found = await self.mails()
            return found[0] if [mail.state for mail in found] == [state] else None

        mail: Mail = await until(there)
        return mail


def identity(servers: Servers, addresses: dict[UUID, str]) -> web.Application:
    """What identity says of a letter, and its relay."""
    router = NatsRouter()

    @answers(router, DescribeLetter)
    async def describe(asked: DescribeLetter) -> Letter:
        if asked.reference_id == ENDED:
            raise Refused(No.LINK_EXPIRED)
        return Letter(
            email=addresses[asked.reference_id],
            practice=PRACTICE,
            path="/register/x",
            link_expires_at=utcnow() + timedelta(days=4),
            time_zone=PRACTICE.time_zone,
        )

    app = web.Application()
    app.cleanup_ctx.append(
        broker.connected("identity", servers.nats_url, servers.credentials("identity"), router)
    )
    app.cleanup_ctx.append(outbox.relayed("identity", servers.database_url("identity")))
    return app


@asynccontextmanager
async def working(servers: Servers, *, replicas: int = 1) -> AsyncIterator[Post]:
    addresses: dict[UUID, str] = {}
    async with serving() as (sink, server):
        config = Config(
            database_url=servers.database_url("notifier"),
            nats_url=servers.nats_url,
            nats_credentials=servers.credentials("notifier"),
            visa_keys=servers.keys.visa_keys,
            public_url="https://portal.example.com",
            smtp_url=f"smtp://{server.host}:{server.port}",
            mail_from="no-reply@portal.example.com",
        )
        notifiers = [services.notifier.app.build(config) for _ in range(replicas)]
        async with (
            parts.running(*notifiers, identity(servers, addresses)) as running,
            parts.asking(servers) as asker,
        ):
            yield Post(servers, sink, asker, addresses, running[:replicas])


async def settled(post: Post) -> list[MailSettled]:
    return await parts.stored(post.servers, MailSettled)


async def test_a_letter_that_is_announced_often_is_sent_once(clean: Servers) -> None:
    async with working(clean) as post:
        about = await post.owes("rosa@example.com", times=5)
        mail = await post.one(MailState.SENT)
        assert (mail.recipient, mail.tries) == ("rosa@example.com", 1)

        async def told() -> bool:
            return [event.reference_id for event in await settled(post)] == [about]

        await until(told)
    [(to, content)] = post.sink.taken
    assert to == "rosa@example.com"
    assert b"Lakeside Oncology" in content


async def test_two_notifiers_share_the_work_and_repeat_none(clean: Servers) -> None:
    async with working(clean, replicas=2) as post:
        for number in range(40):
            await post.owes(f"person{number}@example.com")

        async def all_sent() -> bool:
            return Counter(mail.state for mail in await post.mails()) == {MailState.SENT: 40}

        await until(all_sent)
    assert len({to for to, _ in post.sink.taken}) == len(post.sink.taken) == 40


async def test_who_is_put_off_tries_again_later_and_staff_may_at_once(clean: Servers) -> None:
    async with working(clean) as post:
        about = await post.owes("later@example.com")
        mail = await post.one(MailState.RETRYING)
        assert mail.next_try_at
        assert mail.next_try_at > utcnow() + timedelta(seconds=30)
        assert "451" in mail.answer
        assert await settled(post) == []
        post.addresses[about] = "rosa@example.com"
        other = RetryMail(visa=post.visa(uuid4()), mail_id=mail.mail_id)
        with pytest.raises(Refused, match=Refusal.UNKNOWN_MAIL):
            await ask(post.broker, other)
        await ask(post.broker, RetryMail(visa=post.visa(), mail_id=mail.mail_id))
        sent = await post.one(MailState.SENT)
        with pytest.raises(Refused, match=Refusal.NOT_RETRIABLE):
            await ask(post.broker, RetryMail(visa=post.visa(), mail_id=sent.mail_id))


async def test_an_address_that_is_refused_for_good_is_told(clean: Servers) -> None:
    async with working(clean) as post:
        about = await post.owes("never@example.com")
        mail = await post.one(MailState.BOUNCED)
        assert "550" in mail.answer

        async def told() -> bool:
            return [(event.reference_id, event.state) for event in await settled(post)] == [
                (about, MailState.BOUNCED)
            ]

        await until(told)


async def test_a_letter_whose_link_has_run_out_is_not_sent(clean: Servers) -> None:
    async with working(clean) as post:
        await post.owes("rosa@example.com", reference=ENDED)
        await post.one(MailState.EXPIRED)
        assert post.sink.taken == []


async def test_what_a_dead_notifier_had_in_hand_is_sent_by_the_next(clean: Servers) -> None:
    """Its lease is over, as it would be half a minute after the other one was killed."""
    db = await asyncpg.connect(
        clean.database_url("admin"), server_settings={"search_path": "notifier"}
    )
    about = uuid4()
    await db.execute(
        """
        INSERT INTO mail_job (practice_id, id, kind, reference_id, version, tries, queued_at,
                              due_at, leased_until)
        VALUES ($1, $2, 'invitation', $3, 1, 1, now(), now(), now() + interval '2 seconds')
        """,
        PRACTICE.practice_id,
        uuid4(),
        about,
    )
    async with working(clean) as post:
        post.addresses[about] = "rosa@example.com"
        assert (await post.mails())[0].state is MailState.QUEUED
        mail = await post.one(MailState.SENT)
        assert mail.tries == 2
    await db.close()


async def test_a_practice_sees_its_own_letters_only(clean: Servers) -> None:
    async with working(clean) as post:
        await post.owes("rosa@example.com")
        await post.one(MailState.SENT)
        others = await ask(post.broker, ListMails(visa=post.visa(uuid4())))
        assert others.mails == ()
