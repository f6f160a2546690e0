"""Statements that one service signs and another believes."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.visa import Capacity, Passport, Visa
from libs.runtime.seal import Seal, Seals, Unsealed, keys_from

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRIVATE = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()


def private(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.private_bytes_raw()).decode()


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


SEALS = Seals({"identity": public(PRIVATE), "delegation": public(OTHER)})


def passport() -> Passport:
    return Passport(
        session_id=uuid4(),
        account_id=uuid4(),
        name="Rosa Alvarez",
        issued_at=NOON,
        expires_at=NOON + timedelta(seconds=10),
    )


def test_what_was_sealed_opens_as_it_was() -> None:
    said = passport()
    sealed = Seal("identity", private(PRIVATE)).close(said)
    assert SEALS.open(sealed, Passport, issuers={"identity"}, now=NOON) == said


def test_it_holds_until_its_end_and_not_at_it() -> None:
    sealed = Seal("identity", private(PRIVATE)).close(passport())
    last = NOON + timedelta(seconds=10) - timedelta(microseconds=1)
    assert SEALS.open(sealed, Passport, issuers={"identity"}, now=last)
    with pytest.raises(Unsealed):
        SEALS.open(sealed, Passport, issuers={"identity"}, now=NOON + timedelta(seconds=10))


def test_nobody_signs_for_someone_else() -> None:
    forged = Seal("identity", private(OTHER)).close(passport())
    own = Seal("delegation", private(OTHER)).close(passport())
    for sealed in (forged, own, forged.replace("identity", "delegation", 1)):
        with pytest.raises(Unsealed):
            SEALS.open(sealed, Passport, issuers={"identity"}, now=NOON)


def test_one_kind_of_statement_never_passes_for_another() -> None:
    visa = Visa(
        capacity=Capacity.STAFF,
        practice_id=uuid4(),
        account_id=uuid4(),
        session_id=uuid4(),
        issued_at=NOON,
        expires_at=NOON + timedelta(seconds=10),
    )
    sealed = Seal("identity", private(PRIVATE)).close(visa)
    with pytest.raises(Unsealed):
        SEALS.open(sealed, Passport, issuers={"identity"}, now=NOON)


class Likeness(Passport):
    """Another kind of statement, of the very same words."""


def test_two_kinds_that_look_alike_are_told_apart() -> None:
    alike = Likeness(**passport().model_dump())
    sealed = Seal("identity", private(PRIVATE)).close(alike)
    assert SEALS.open(sealed, Likeness, issuers={"identity"}, now=NOON) == alike
    with pytest.raises(Unsealed):
        SEALS.open(sealed, Passport, issuers={"identity"}, now=NOON)


def test_every_changed_character_is_noticed() -> None:
    sealed = Seal("identity", private(PRIVATE)).close(passport())
    for place in range(len(sealed) - 1):  # the last one has spare bits in base64
        changed = "A" if sealed[place] != "A" else "B"
        with pytest.raises(Unsealed):
            SEALS.open(
                sealed[:place] + changed + sealed[place + 1 :],
                Passport,
                issuers={"identity"},
                now=NOON,
            )


@pytest.mark.parametrize("junk", ["", ".", "..", "a.b.c", "identity..", "identity.é.x", "x" * 9999])
def test_junk_is_no_statement(junk: str) -> None:
    with pytest.raises(Unsealed):
        SEALS.open(junk, Passport, issuers={"identity"}, now=NOON)


def test_keys_come_from_one_setting() -> None:
    assert keys_from("identity:abc=,delegation:de:f") == {"identity": "abc=", "delegation": "de:f"}
