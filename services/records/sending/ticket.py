"""What a recipient's browser keeps once the password was typed: the key, sealed, for half an hour.

It is sealed under what only records can make, so neither a copy of the cookie nor the link beside
it opens anything later, and the key itself never leaves us.
"""

from datetime import datetime, timedelta

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.runtime.keyring import Damaged, seal, unseal
from services.records.domain import sending as rules
from services.records.domain.sending import Sending

LASTS = timedelta(minutes=30)
_END = 8
"""Bytes that say when it ends."""


def written(sending: Sending, secret: bytes, key: bytes, *, now: datetime) -> bytes:
    """A ticket from this moment on."""
    ends = int((now + LASTS).timestamp()).to_bytes(_END, "big")
    return seal(rules.ticket_key(sending, secret), ends + key, belongs_to=_belongs(sending))


def read(sending: Sending, secret: bytes, ticket: bytes, *, now: datetime) -> bytes:
    """The key in it; whoever's ticket has run out types the password again."""
    try:
        plain = unseal(rules.ticket_key(sending, secret), ticket, belongs_to=_belongs(sending))
    except Damaged:
        raise Refused(Refusal.WRONG_PASSWORD) from None
    if now.timestamp() >= int.from_bytes(plain[:_END], "big"):
        raise Refused(Refusal.WRONG_PASSWORD)
    return plain[_END:]


def _belongs(sending: Sending) -> str:
    return f"sent ticket|{sending.practice_id}|{sending.id}"
