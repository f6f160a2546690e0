"""A mail server that is to be believed and to believe us: TLS, STARTTLS and a password."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from libs.contracts.notifier import MailState
from services.notifier.smtp import Line, Server
from tests import authority
from tests.authority import Authority
from tests.notifier.test_smtp import letter

# aiosmtpd does not see that its port speaks nothing but TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
USER, PASSWORD = "clinic@example.com", "p@ss:word/1"
AS_URL = "clinic%40example.com:p%40ss%3Aword%2F1"


class Office:
    """A mail server that takes letters from those who log in, by TLS only."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_DATA(  # noqa: N802
        self, _: SMTP, __: Session, ___: Envelope
    ) -> str:
        self.taken += 1
        return "250 2.0.0 queued"


def knows(_: SMTP, __: Session, ___: Envelope, ____: str, given: object) -> AuthResult:
    fits = isinstance(given, LoginPassword) and given == LoginPassword(
        USER.encode(), PASSWORD.encode()
    )
    return AuthResult(success=fits, handled=False)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority.founded(tmp_path_factory.mktemp("certificates"))


@contextmanager
def serving(context: ssl.SSLContext | None, *, start_tls: bool) -> Iterator[tuple[Office, int]]:
    office = Office()
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    controller = Controller(
        office,
        hostname="127.0.0.1",
        port=port,
        ssl_context=None if start_tls else context,
        tls_context=context if start_tls else None,
        require_starttls=start_tls,
        auth_required=True,
        auth_require_tls=start_tls,
        authenticator=knows,
    )
    controller.start()
    try:
        yield office, port
    finally:
        controller.stop()


async def sent(url: str, ca: str) -> MailState:
    server = Server.parse(url, ca=ca)
    async with Line(server) as line:
        outcome = await line.send(
            letter("rosa@example.com"), sender="a@x.example", recipient="b@x.example"
        )
    assert PASSWORD not in outcome.answer
    assert USER not in outcome.answer
    return outcome.state


@pytest.mark.parametrize(("scheme", "start_tls"), [("smtps", False), ("smtp+starttls", True)])
async def test_a_letter_goes_by_tls_to_a_server_that_we_believe(
    certified: Authority, scheme: str, *, start_tls: bool
) -> None:
    with serving(certified.context, start_tls=start_tls) as (office, port):
        address = f"{scheme}://{AS_URL}@127.0.0.1:{port}"
        assert await sent(address, certified.believed) is MailState.SENT
        assert office.taken == 1


@pytest.mark.parametrize(("scheme", "start_tls"), [("smtps", False), ("smtp+starttls", True)])
async def test_a_server_that_nobody_vouches_for_gets_no_letter_and_no_password(
    certified: Authority, scheme: str, *, start_tls: bool
) -> None:
    with serving(certified.context, start_tls=start_tls) as (office, port):
        address = f"{scheme}://{AS_URL}@127.0.0.1:{port}"
        assert await sent(address, "") is MailState.RETRYING
        assert office.taken == 0


async def test_where_tls_was_asked_for_nothing_goes_without_it(certified: Authority) -> None:
    with serving(None, start_tls=False) as (office, port):
        for scheme in ("smtps", "smtp+starttls"):
            address = f"{scheme}://{AS_URL}@127.0.0.1:{port}"
            assert await sent(address, certified.believed) is MailState.RETRYING
        assert office.taken == 0


async def test_a_wrong_password_is_our_trouble_and_not_the_addresss(certified: Authority) -> None:
    with serving(certified.context, start_tls=True) as (office, port):
        address = f"smtp+starttls://clinic%40example.com:wrong@127.0.0.1:{port}"
        assert await sent(address, certified.believed) is MailState.RETRYING
        assert office.taken == 0
