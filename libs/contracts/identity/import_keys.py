"""A practice's import keys: who holds one brings in results and documents by machine."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Reply, Request

OVERLAP = timedelta(days=7)
"""For so long an older key still works, unless it is to end at once."""


class ImportKey(Reply):
    """That there is a key; never the key itself."""

    key_id: UUID
    made_at: datetime
    made_by: str = ""
    """The name of an administrator; "" for the operator."""
    last_used_at: datetime | None = None
    """Exact to a minute."""
    ends_at: datetime | None = None
    """None for the newest."""


class ImportKeys(Reply):
    """The newest first, and those that have ended too."""

    keys: tuple[ImportKey, ...]


class ListImportKeys(Request[ImportKeys]):
    """Every key that the practice ever had, for its administrators."""

    subject = "request.identity.list_import_keys"
    visa: str = Field(repr=False)


class ImportKeyMade(Reply):
    import_key: str = Field(repr=False)
    """Told this once; only its hash is kept."""
    older_end_at: datetime


class RenewImportKey(Request[ImportKeyMade]):
    """A new key, by an administrator who has just shown who they are. Older ones end."""

    subject = "request.identity.renew_import_key"
    visa: str = Field(repr=False)
    at_once: bool = False
    """Older keys end now; otherwise after `OVERLAP`, or when they would have ended before."""


class GiveImportKey(Request[ImportKeyMade]):
    """The same by the operator, at the command line."""

    subject = "request.identity.give_import_key"
    askers = ("operator",)
    practice_id: UUID
    at_once: bool = False
