"""One form for each e-mail address, and none for what is not exactly one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.email import canonical


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("rosa@example.com", "rosa@example.com"),
        (" Rosa.Alvarez@EXAMPLE.com ", "rosa.alvarez@example.com"),
        ("rosa+portal@example.com", "rosa+portal@example.com"),
        ("ｒｏｓａ@ｅｘａｍｐｌｅ.com", "rosa@example.com"),
        ("rosa@bücher.example.com", "rosa@xn--bcher-kva.example.com"),
        ("rosa@BÜCHER.example.com", "rosa@xn--bcher-kva.example.com"),
        ("rosa@xn--bcher-kva.example.com", "rosa@xn--bcher-kva.example.com"),
        ("José@example.com", "josé@example.com"),
        ("Jose\u0301@example.com", "josé@example.com"),
    ],
)
def test_one_mailbox_has_one_form(typed: str, kept: str) -> None:
    assert canonical(typed) == kept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rosa@example.com", "rоsa@example.com"),
        ("rosa@example.com", "ro.sa@example.com"),
        ("rosa@example.com", "rosa+x@example.com"),
        ("strasse@example.com", "straße@example.com"),
        ("ira@example.com", "ıra@example.com"),
        ("rosa@example.com", "rosa@exаmple.com"),
    ],
)
def test_a_look_alike_is_somebody_else(one: str, other: str) -> None:
    assert canonical(other)
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "rosa",
        "rosa@",
        "@example.com",
        "rosa@example",
        "rosa@example.com.",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "Rosa <rosa@example.com>",
        "<rosa@example.com>",
        '"rosa alvarez"@example.com',
        "rosa(comment)@example.com",
        "rosa@[192.0.2.1]",
        "rosa@example.com\r\nBcc: eve@example.com",
        "rosa\n@example.com",
        "rosa%0d%0a@example..com",
        "rosa\0@example.com",
        "rosa\u200b@example.com",
        "\u202erosa@example.com",
        "rosa@exam\u00adple..com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 250 + ".com",
    ],
)
def test_what_is_not_exactly_one_address_is_none(typed: str) -> None:
    assert canonical(typed) is None


@given(local=st.text(min_size=1, max_size=30), domain=st.sampled_from(["example.com", "bücher.de"]))
def test_the_form_that_is_kept_is_its_own_form(local: str, domain: str) -> None:
    kept = canonical(f"{local}@{domain}")
    assert kept is None or canonical(kept) == kept
    assert kept is None or (kept.count("@") == 1 and kept.isprintable() and "," not in kept)
