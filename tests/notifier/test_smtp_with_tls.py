"""A mail server that is to be believed and to believe us: TLS, STARTTLS and a password."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.contracts.notifier import MailState
from services.notifier.smtp import Line, Server
from tests.notifier.test_smtp import letter

# aiosmtpd does not see that its port speaks nothing but TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
USER, PASSWORD = "clinic@example.com", "p@ss:word/1"
AS_URL = "clinic%40example.com:p%40ss%3Aword%2F1"


class Certified:
    """A certificate authority of our own, and what it signed for this machine."""

    def __init__(self, folder: Path) -> None:
        self._own = folder / "own.pem"
        ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ours")])
        ca = self._signed(ca_name, ca_name, ca_key, ca_key, authority=True)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
        own = self._signed(name, ca_name, key, ca_key, authority=False)
        self.ca = ca.public_bytes(serialization.Encoding.PEM).decode()
        self._own.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + own.public_bytes(serialization.Encoding.PEM)
        )

    @staticmethod
    def _signed(
        name: x509.Name,
        issuer: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        by: ec.EllipticCurvePrivateKey,
        *,
        authority: bool,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .sign(by, hashes.SHA256())
        )

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._own)
        return context


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
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return Certified(tmp_path_factory.mktemp("certificates"))


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
    certified: Certified, scheme: str, *, start_tls: bool
) -> None:
    with serving(certified.context, start_tls=start_tls) as (office, port):
        address = f"{scheme}://{AS_URL}@127.0.0.1:{port}"
        assert await sent(address, certified.ca) is MailState.SENT
        assert office.taken == 1


@pytest.mark.parametrize(("scheme", "start_tls"), [("smtps", False), ("smtp+starttls", True)])
async def test_a_server_that_nobody_vouches_for_gets_no_letter_and_no_password(
    certified: Certified, scheme: str, *, start_tls: bool
) -> None:
    with serving(certified.context, start_tls=start_tls) as (office, port):
        address = f"{scheme}://{AS_URL}@127.0.0.1:{port}"
        assert await sent(address, "") is MailState.RETRYING
        assert office.taken == 0


async def test_where_tls_was_asked_for_nothing_goes_without_it(certified: Certified) -> None:
    with serving(None, start_tls=False) as (office, port):
        for scheme in ("smtps", "smtp+starttls"):
            address = f"{scheme}://{AS_URL}@127.0.0.1:{port}"
            assert await sent(address, certified.ca) is MailState.RETRYING
        assert office.taken == 0


async def test_a_wrong_password_is_our_trouble_and_not_the_addresss(certified: Certified) -> None:
    with serving(certified.context, start_tls=True) as (office, port):
        address = f"smtp+starttls://clinic%40example.com:wrong@127.0.0.1:{port}"
        assert await sent(address, certified.ca) is MailState.RETRYING
        assert office.taken == 0
