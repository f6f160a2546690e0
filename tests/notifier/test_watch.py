"""What the notifier counts of letters and of dead letters, read from a real /metrics."""

import asyncpg
import nats

from deploy.nats_config import DEAD
from libs.contracts.notifier import MailState
from services.notifier import watch
from tests.notifier.test_owed_letters import ENDED, settled, working
from tests.servers import Servers
from tests.waiting import until
from tests.watch.figures import Figures, Scraper


def test_the_stream_that_is_counted_is_the_one_that_keeps_dead_letters() -> None:
    assert watch.DEAD == DEAD


async def test_letters_are_counted_by_how_they_ended_and_those_put_off_by_how_long(
    clean: Servers,
) -> None:
    async with working(clean) as post:
        scraper = Scraper(post.notifiers[0])
        before = await scraper.read()
        for to in ("rosa@example.com", "never@example.com", "later@example.com"):
            await post.owes(to)
        await post.owes("gone@example.com", reference=ENDED)

        async def all_tried() -> Figures | None:
            figures = await scraper.read()
            retrying = figures.value("carespace_mail_waiting", state=MailState.RETRYING)
            return figures if retrying and len(await settled(post)) == 3 else None

        after: Figures = await until(all_tried)
        db = await asyncpg.connect(clean.database_url("admin"))
        await db.execute(
            """
            UPDATE notifier.mail_job
               SET queued_at = now() - interval '2 hours',
                   due_at = now() - interval '1 hour',
                   leased_until = now() + interval '1 hour'
             WHERE state = 'retrying'
            """
        )
        await db.close()
        late = await scraper.read()

    def more(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    assert more("carespace_mail_tries_total", outcome=MailState.SENT) == 1
    assert more("carespace_mail_tries_total", outcome=MailState.BOUNCED) == 1
    assert more("carespace_mail_tries_total", outcome=MailState.RETRYING) == 1
    assert more("carespace_mail_settled_total", state=MailState.SENT) == 1
    assert more("carespace_mail_settled_total", state=MailState.BOUNCED) == 1
    assert more("carespace_mail_settled_total", state=MailState.EXPIRED) == 1
    assert more("carespace_mail_settled_total", state=MailState.FAILED) == 0
    assert more("carespace_mail_try_duration_seconds_count") == 3
    assert after.values("carespace_mail_waiting", state=MailState.RETRYING) == [1]
    assert after.values("carespace_mail_waiting", state=MailState.QUEUED) == [0]
    assert after.value("carespace_mail_overdue_seconds") == 0
    assert 3600 <= late.value("carespace_mail_overdue_seconds") < 3700
    assert 7200 <= late.value("carespace_mail_oldest_retry_seconds") < 7300
    for private in ("rosa", "never@", "example.com", "no such user"):
        assert private not in late.text


async def test_dead_letters_are_counted_until_somebody_has_dealt_with_them(
    clean: Servers,
) -> None:
    client = await nats.connect(
        clean.nats_url,
        nkeys_seed=clean.credentials("provisioner"),
        inbox_prefix=b"_INBOX_provisioner",
    )
    jetstream = client.jetstream()
    await jetstream.purge_stream(DEAD)
    async with working(clean) as post:
        scraper = Scraper(post.notifiers[0])
        assert (await scraper.read()).values("carespace_dead_letters") == [0]
        await jetstream.publish("event.identity.letter_due", b"not a letter")

        async def counted() -> bool:
            return (await scraper.read()).values("carespace_dead_letters") == [1]

        await until(counted)
        await jetstream.purge_stream(DEAD)
        assert (await scraper.read()).values("carespace_dead_letters") == [0]
    await client.close()
