"""Requests on the wire, made of each contract's fields and some record's ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID, uuid4

from libs.contracts import registry
from libs.contracts.base import Refused, Reply, Request
from libs.runtime.broker import Unavailable, ask
from libs.runtime.clock import utcnow
from tests.policy.papers import Office, Papers
from tests.policy.policy import POLICY
from tests.policy.world import Actor, Record

IDS = {
    "patient_id": "patient", "patient_ids": "patient", "invitation_id": "invitation",
    "result_id": "result", "document_id": "document", "import_id": "import",
    "upload_id": "upload", "conversation_id": "conversation", "message_id": "message",
    "message_ids": "message", "attachment_id": "file", "draft_id": "draft",
    "template_id": "template", "mail_id": "mail", "test_key": "test", "session_id": "session",
    "practice_id": "practice", "export_id": "export", "sending_id": "sending",
}  # fmt: skip
"""What a field is an id of."""
ELSEWHERE = {
    ("request.delegation.revoke_access", "invitation_id"): "access",
    ("request.delegation.change_access", "invitation_id"): "access",
    ("request.identity.change_role", "invitation_id"): "colleague",
    ("request.identity.remove_from_team", "invitation_id"): "colleague",
    ("request.identity.reset_colleague_factors", "invitation_id"): "colleague",
    ("request.identity.resend_colleague_invitation", "invitation_id"): "colleague",
    ("request.messaging.add_attachment_chunk", "attachment_id"): "draft file",
    ("request.messaging.finish_attachment", "attachment_id"): "draft file",
    ("request.messaging.remove_attachment", "attachment_id"): "draft file",
}
NOT_BOUND = {
    ("request.identity.show_practice", "practice_id"),
    ("request.records.start_import", "patient_id"),
    ("request.records.settle_import", "patient_id"),
    ("request.messaging.hand_over", "account_id"),
    ("request.messaging.save_draft", "conversation_id"),
    ("request.messaging.save_draft", "draft_id"),
    ("request.messaging.start_attachment", "attachment_id"),
    ("request.messaging.save_template", "template_id"),
    ("request.messaging.list_queue", "patient_id"),
}
"""Fields that the request may be without."""
SAID: dict[str, Any] = {
    "email": "somebody@example.com", "password": "Quiet-Harbor-72", "token": "no-such-link",
    "confirm_password": "Quiet-Harbor-72", "current_password": "no", "source": "203.0.113.9",
    "date_of_birth": "1970-01-01", "terms_version": "2026-11", "opened": False,
    "given": "Somebody", "family": "Newly Added", "birth_date": "1970-01-01", "number": 0,
    "data": b"anything", "content": b"given name,family name,birth date\nN,M,1970-01-01\n",
    "title": "Matrix", "body": "Words of the matrix.", "value": "3.1", "test_name": "Matrix",
    "text": "Words.", "name": "Matrix", "frequency": "at_once", "time_zone": "UTC",
    "discard_reason": "Because.", "reason": "Because.", "category": "health", "key_hash": b"x",
    "code": "000000", "passkey": "{}", "routing": (), "teams": ("Care team",), "team": "Care team", "version": 1, "even_so": True,
    "selection": {"kinds": ["labs"]}, "format": "html", "recipient": "clinic@example.com",
    "role": "front_desk", "phone": "1", "address": "", "hours": "", "emergency": "Call.",
    "contact_email": "desk@example.com",
}  # fmt: skip
"""What a field says, where it is no id."""
NO = {
    "not_allowed", "no_session", "not_logged_in", "unknown_patient", "unknown_document",
    "unknown_result", "unknown_import", "unknown_upload", "unknown_test", "unknown_message",
    "unknown_draft", "unknown_export", "unknown_sending", "unknown_file", "unknown_mail", "unknown_key",
    "unknown_colleague",
}  # fmt: skip
"""Refusals that mean: not yours, or not there."""
CONTRACTS = {request.subject: request for request in registry.requests()}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of one actor, and what the policy says of it."""

    actor: Actor
    subject: str
    owner: str
    cell: str
    ids: Mapping[str, str]
    harmless: bool = False

    def __str__(self) -> str:
        return f"{self.actor.name}: {self.subject} ({self.owner}) [{self.cell}]"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The reply, or the code of the no."""

    refused: str = ""
    reply: Reply | None = None

    @property
    def text(self) -> str:
        return str(self.reply.model_dump()) if self.reply else self.refused


def id_fields(subject: str) -> dict[str, str]:
    """The fields that are ids of something of a record's, and of what."""
    return {
        name: ELSEWHERE.get((subject, name), IDS[name])
        for name in CONTRACTS[subject].model_fields
        if name in IDS and (subject, name) not in NOT_BOUND
    }


def mixtures(subject: str, own: Record, other: Record) -> Iterator[dict[str, str]]:
    """Ids of both records in one request, in every way but all from one."""
    kinds = sorted(set(id_fields(subject).values()))
    for choice in product((own, other), repeat=len(kinds)):
        if len({record.owner for record in choice}) > 1:
            yield {kind: record.ids[kind] for kind, record in zip(kinds, choice, strict=True)}


def request(asked: Asked, papers: Papers) -> Request[Any]:
    """The request, with these papers and ids; harmless, it hardly does anything."""
    contract = CONTRACTS[asked.subject]
    bound = id_fields(asked.subject)
    said: dict[str, Any] = {}
    for name, field in contract.model_fields.items():
        if name in ("visa", "passport", "session"):
            said[name] = getattr(papers, name)
        elif name in bound:
            value = asked.ids[bound[name]]
            said[name] = (value,) if name.endswith("s") else value
        elif name in SAID:
            said[name] = SAID[name]
        elif field.is_required():
            said[name] = utcnow() if name.endswith("_at") else uuid4()
    return contract.model_validate(said | _particulars(asked))


def _particulars(asked: Asked) -> dict[str, Any]:
    """What a request needs beside, to do what it is for, or to do no harm."""
    special: dict[str, dict[str, Any]] = {
        "request.records.settle_import": {"number": 1},
        "request.messaging.save_draft": {"version": 0},
        "request.identity.invite_delegate": {"email": f"{uuid4().hex}@example.com"},
        "request.identity.invite_colleague": {"email": f"{uuid4().hex}@example.com"},
        "request.identity.save_practice": {"name": ""} if asked.harmless else {},
        "request.records.import_patients": {"preview": asked.harmless},
        "request.records.open_chart": {"reason": ""} if asked.harmless else {},
        "request.records.deactivate_patient": {"reason": ""} if asked.harmless else {},
        "request.delegation.change_access": {
            "limits": ["results"],
            "revision": 9 if asked.harmless else 0,
        },
    }
    if asked.harmless:
        special |= {
            "request.delegation.revoke_access": {"version": 0},
            "request.records.correct_email": {"email": asked.ids["address"]},
            "request.identity.end_sessions": {"session_id": uuid4()},
        }
    return special.get(asked.subject, {})


async def outcome(office: Office, asked: Asked, papers: Papers) -> Outcome:
    """What comes of it, asked as the gateway asks."""
    try:
        return Outcome(reply=await ask(office.gateway, request(asked, papers), within=20))
    except Refused as refused:
        return Outcome(refused=refused.code)
    except Unavailable:
        return Outcome(refused="unavailable")


def keeps(asked: Asked, came: Outcome) -> bool:
    """Whether this is what the cell says."""
    said = {
        "Y": came.refused not in NO,
        ".": came.refused in NO,
        "n": came.reply is not None,
        "c": came.refused == "chart_closed",
    }
    return came.refused != "unavailable" and said.get(asked.cell, True)


def subjects() -> list[str]:
    """All that the gateway may ask, and that is not open to everyone."""
    return [subject for subject, row in POLICY.requests.items() if not {*row.values()} & {"-", "o"}]


def ids_of(record: Record) -> dict[str, str]:
    return record.ids | {"address": record.email}


def nothing() -> dict[str, str]:
    """Ids, in their form, of what is not there."""
    kinds = {*IDS.values(), *ELSEWHERE.values()}
    return {kind: str(uuid4()) for kind in kinds} | {
        "test": uuid4().hex[:16],
        "address": "nobody@example.com",
        "nobody": str(UUID(int=0)),
    }
