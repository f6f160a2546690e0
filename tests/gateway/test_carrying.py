"""What goes through the log-in with somebody, and what does not."""

from uuid import uuid4

import pytest
from multidict import MultiDict

from gateway.carrying import Kept, kept_in

HOME = f"/p/{uuid4()}"


def test_every_box_that_was_ticked_comes_through() -> None:
    ticked = [
        ("notes", "Dear Dr. Okafor"),
        ("kinds", ""),
        ("kinds", "labs"),
        ("kinds", "documents"),
    ]
    kept = Kept(address=f"{HOME}/health/send", fields=ticked, files=True, secrets=True)
    assert kept_in(MultiDict(kept.hidden)) == kept


def test_no_password_code_or_proof_comes_through_whoever_put_it_there() -> None:
    never = ("password", "record_password", "code", "passkey", "csrf")
    hidden = [(f"kept_{name}", "x") for name in never]
    kept = kept_in(MultiDict([*hidden, ("kept_for", f"{HOME}/health/send")]))
    assert kept == Kept(address=f"{HOME}/health/send", fields=[])


@pytest.mark.parametrize("address", ["", "/login", "/staff/login", "//evil.example/p/1", "/p/1?x"])
def test_nothing_is_carried_to_another_place(address: str) -> None:
    assert kept_in(MultiDict([("kept_for", address), ("kept_body", "words")])) is None
