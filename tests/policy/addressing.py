"""Addresses and forms of every page, with the ids of some record in them."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from uuid import uuid4

from tests.policy.policy import Page
from tests.policy.world import Record

HOLE = re.compile(r"\{(\w+)\}")
KINDS: dict[tuple[str, str], str] = {
    ("/p/{patient}/health/documents/", "id"): "document",
    ("/p/{patient}/health/download/", "id"): "export",
    ("/p/{patient}/health/sent/", "id"): "sending",
    ("/shared/", "format"): "format",
    ("/p/{patient}/messages/drafts/", "id"): "draft",
    ("/p/{patient}/messages/", "id"): "message",
    ("/p/{patient}/messages/", "file"): "file",
    ("/p/{patient}/users/{id}/revoke", "id"): "access",
    ("/p/{patient}/users/{id}/change", "id"): "access",
    ("/p/{patient}/users/", "id"): "invitation",
    ("/staff/patients/{patient}/results/", "id"): "result",
    ("/staff/patients/{patient}/documents/", "id"): "document",
    ("/staff/patients/{patient}/users/", "id"): "access",
    ("/staff/imports/", "id"): "import",
    ("/api/v1/import/", "id"): "import",
    ("/staff/messages/", "id"): "conversation",
    ("/staff/messages/", "message"): "sent",
    ("/staff/messages/", "file"): "sent file",
    ("/staff/settings/messages/templates/", "id"): "template",
    ("/staff/team/", "id"): "colleague",
    ("/staff/emails/", "id"): "mail",
    ("/mailbox/", "id"): "letter",
    ("/p/{patient}/", "code"): "test",
    ("", "patient"): "patient",
    ("", "token"): "token",
    ("", "ticket"): "ticket",
    ("", "name"): "static",
    ("", "step"): "step",
}
"""What an id in an address is of: the first beginning that fits says so."""
NOBODYS = {"token": "no-such-link", "ticket": "nothing", "static": "mark.svg", "letter": "1", "step": "claim",
           "format": "pdf"}  # fmt: skip
"""What stands for what no record has."""
BY_FORM = {"/account/messages"}
"""Pages whose form says whose practice they are about."""
WITH_FILES = {
    "/staff/patients/{patient}/documents", "/staff/imports", "/p/{patient}/messages/compose",
    "/p/{patient}/messages/{id}/reply", "/staff/messages/{id}/answer",
    "/staff/patients/{patient}/messages/new",
}  # fmt: skip
"""Pages that read their forms as they come."""


def kinds(page: Page) -> dict[str, str]:
    """What each id in the page's address is of."""
    return {
        hole: next(
            kind
            for (start, name), kind in KINDS.items()
            if name == hole and page.path.startswith(start)
        )
        for hole in HOLE.findall(page.path)
    }


def is_about_somebody(page: Page) -> bool:
    """Whether the address or the form has anybody's id in it."""
    return page.path in BY_FORM or bool(set(kinds(page).values()) - NOBODYS.keys())


def address(page: Page, ids: Mapping[str, str]) -> str:
    """The page's address with these ids, by kind."""
    known = NOBODYS | dict(ids)
    return HOLE.sub(lambda hole: known[kinds(page)[hole[1]]], page.path)


def nothing() -> dict[str, str]:
    """Ids, in their form, of what is not there."""
    made = {kind: str(uuid4()) for kind in (*KINDS.values(), "practice", "session", "account")}
    return {kind: value for kind, value in made.items() if kind not in NOBODYS} | {
        "test": uuid4().hex[:16]
    }


def mixtures(page: Page, own: Record, other: Record) -> Iterator[dict[str, str]]:
    """The page's address with ids of both records, in every way but all from one."""
    mixed = sorted(set(kinds(page).values()) - NOBODYS.keys())
    for choice in product((own, other), repeat=len(mixed)):
        if len({record.owner for record in choice}) > 1:
            yield {kind: record.ids[kind] for kind, record in zip(mixed, choice, strict=True)}


def form(page: Page, ids: Mapping[str, str], *, harmless: bool = False) -> dict[str, str]:
    """A form that does what the page is for; or, harmless, that hardly does anything."""
    written = {
        "draft": str(uuid4()),
        "version": "0",
        "category": "health",
        "subject": "Hello",
        "body": "Words of the matrix.",
        "do": "keep" if harmless else "send",
    }
    born = {"date_of_birth": "1970-01-01"}
    forms: dict[str, dict[str, str]] = {
        "/account/sessions/end": {"session_id": str(uuid4())},
        "/account/password": {"current_password": "no", "password": "A", "confirm_password": "A"},
        "/account/email": {"email": "somebody@example.com", "proof_password": "no"},
        "/account/two-step": {"do": "off", "proof_password": "no"},
        "/account/two-step/confirm": {"enrolment": "otpauth://totp/x", "code": "000000"},
        "/account/messages": {"practice_id": ids.get("practice", ""), "frequency": "at_once"},
        "/p/{patient}/messages/compose": written,
        "/p/{patient}/messages/draft": written,
        "/p/{patient}/messages/{id}/reply": written,
        "/p/{patient}/users/invite": {"email": f"{uuid4().hex}@example.com", "access": "full"}
        | born,
        "/p/{patient}/users/{id}/revoke": {"version": "0" if harmless else "1"},
        "/p/{patient}/users/{id}/change": {
            "version": "1",
            "revision": "9" if harmless else "0",
            "access": "some",
            "results": "yes",
        },
        "/p/{patient}/leave": {"access": str(uuid4())},
        "/staff/patients/new": {"given": "Somebody", "family": "Newly Added"} | born,
        "/staff/patients/import": {
            "content": f"given name,family name,birth date\nNew,{uuid4().hex[:6]},1970-01-01\n",
        }
        | ({} if harmless else {"confirmed": "yes"}),
        "/staff/patients/{patient}/email": {
            "email": ids["address"] if harmless else f"{uuid4().hex}@example.com"
        },
        "/staff/patients/{patient}/emergency": {} if harmless else {"reason": "Because."},
        "/staff/patients/{patient}/deactivate": {} if harmless else {"reason": "Because."},
        "/staff/patients/{patient}/results": {
            "test_name": "Matrix",
            "value": "3.1",
            "collected": "2026-05-02",
        },
        "/staff/patients/{patient}/results/{id}/correct": {"value": "4.1"},
        "/staff/patients/{patient}/documents": {"title": "Matrix"},
        "/staff/patients/{patient}/users/{id}/end": {
            "version": "0" if harmless else "1",
            "reason": "Because.",
        },
        "/staff/patients/{patient}/messages/new": written,
        "/staff/patients/{patient}/messages/draft": written,
        "/staff/imports/{id}/settle": {"number": "1", "discard_reason": "Because."},
        "/staff/messages/{id}/hand-over": {"to": "team:Care team"},
        "/staff/messages/{id}/note": {"note": "Matrix."},
        "/staff/messages/{id}/answer": written,
        "/staff/messages/{id}/draft": written,
        "/staff/messages/{id}/{message}/files/{file}/keep": {"title": "Matrix"},
        "/staff/settings/messages/routing": {
            "teams": "Care team",
            "team_rx": "Care team",
            "team_health": "Care team",
            "hours_rx": "24",
            "hours_health": "24",
        },
        "/staff/settings/messages/templates": {"name": "Matrix", "text": "Words."},
        "/staff/team/invite": {
            "name": "Somebody New",
            "email": f"{uuid4().hex}@example.com",
            "role": "front_desk",
        }
        | born,
        "/staff/team/{id}/role": {"role": "clinician" if harmless else "administrator"},
        "/staff/settings": {"name": "" if harmless else "Another name"},
    }
    return forms.get(page.path, {})
