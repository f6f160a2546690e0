"""What can be wrong around an installation: the mail server, and the portal's own address."""

from urllib.parse import urlsplit

import aiosmtplib

from deploy.doctor.finding import Finding
from gateway.health_link import LONGEST_ADDRESS
from services.notifier.smtp import Server, called

WITHIN = 10
"""Seconds for the mail server to answer."""
HERE = ("localhost", "127.0.0.1", "::1")


async def mail(url: str, *, ca: str) -> list[Finding]:
    """It answers, is who it says it is, and lets us in."""
    try:
        server = Server.parse(url, ca=ca)
    except ValueError as wrong:
        return [_mail(str(wrong), "Set it as docs/operating.md has it.")]
    where = f"The mail server {server.host}:{server.port}"
    client = called(server, within=WITHIN)
    try:
        await client.connect()
        await client.quit()
    except aiosmtplib.SMTPAuthenticationError as error:
        return [_mail(f"{where} does not let us in ({error.code}).", "Look at name and password.")]
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return [
            _mail(
                f"{where} can't be used ({type(error).__name__}).",
                "Look at CARESPACE_SMTP_URL, at the firewall, and at the server's certificate. "
                "Letters wait until then, for up to 4 days.",
            )
        ]
    finally:
        client.close()
    return []


def address(url: str) -> list[Finding]:
    """Browsers keep sessions and passkeys for https only; links have to fit."""
    parts = urlsplit(url)
    found = []
    if parts.scheme != "https" and parts.hostname not in HERE:
        found.append(
            Finding(
                about="address",
                what=f"CARESPACE_PUBLIC_URL is {url}: without https nobody can log in.",
                remedy="Set it to the address with https://, and put a TLS proxy before it.",
            )
        )
    if len(url.rstrip("/")) > LONGEST_ADDRESS:
        found.append(
            Finding(
                about="address",
                what=f"CARESPACE_PUBLIC_URL has more than {LONGEST_ADDRESS} characters: no SMART "
                "Health Links can be made.",
                remedy="Give the portal a shorter name.",
            )
        )
    return found


def _mail(what: str, remedy: str) -> Finding:
    return Finding(about="mail server", what=what, remedy=remedy)
