"""What identity can be asked, what it refuses, and what it announces.

Identity owns practices, accounts, credentials, sessions, invitations and staff seats.
Requests about one's own account carry the session's hash as the proof of who asks, never an id.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.visa import Role


class Refusal(StrEnum):
    """Why identity says no."""

    NOT_RECOGNISED = "not_recognised"
    """E-mail, password, date of birth and code do not belong together. It never says which."""
    CODE_NEEDED = "code_needed"
    """All else fits, and this account also has a one-time code."""
    TRY_LATER = "try_later"
    """Too many tries. The e-mail link still lets the owner in."""
    NO_SESSION = "no_session"
    LINK_UNKNOWN = "link_unknown"
    LINK_EXPIRED = "link_expired"
    LINK_VOID = "link_void"
    """A newer link was sent, or what it was for is no longer so."""
    LINK_USED = "link_used"
    LINK_LOCKED = "link_locked"
    """Too many wrong dates of birth at this link."""
    WRONG_DATE_OF_BIRTH = "wrong_date_of_birth"
    TERMS_NOT_ACCEPTED = "terms_not_accepted"
    HAS_ACCOUNT = "has_account"
    """Someone with this e-mail address has an account: log in and accept instead."""
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    EMAIL_NOT_USABLE = "email_not_usable"
    SAME_EMAIL = "same_email"
    SENT_MOMENTS_AGO = "sent_moments_ago"
    ALREADY_REGISTERED = "already_registered"
    UNKNOWN_PATIENT = "unknown_patient"
    UNKNOWN_PRACTICE = "unknown_practice"
    UNKNOWN_KEY = "unknown_key"
    NOT_ALLOWED = "not_allowed"
    BUSY = "busy"
    """More log-ins at this moment than can be checked; nothing was counted against anyone."""


class PasswordRule(StrEnum):
    """One rule for passwords. The page shows each of them, met or not."""

    LENGTH = "length"
    """At least 8 characters (at most 256)."""
    UPPERCASE = "uppercase"
    LOWERCASE = "lowercase"
    NUMBER = "number"
    SPECIAL = "special"
    NOT_COMMON = "not_common"
    NOT_PERSONAL = "not_personal"
    CONFIRMED = "confirmed"
    """Both fields hold the same."""
    TOO_LONG = "too_long"


class InvitationState(StrEnum):
    """How far an invitation has come, for whoever invited."""

    NOT_INVITED = "not_invited"
    INVITED = "invited"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    OPENED = "opened"
    REGISTERED = "registered"
    EXPIRED = "expired"
    LOCKED = "locked"


# Practices


class Link(Reply):
    """One of the practice's own resources."""

    title: str
    url: str
    about: str = ""


class Practice(Reply):
    """A practice, as its pages and letters show it."""

    practice_id: UUID
    name: str
    phone: str
    address: str
    hours: str
    emergency: str
    """What to do in an emergency, in the practice's own words."""
    time_zone: str
    resources: tuple[Link, ...] = ()


class ShowPractice(Request[Practice]):
    """What a practice says of itself. This is public."""

    subject = "request.identity.show_practice"
    askers = ("gateway", "notifier", "records")
    practice_id: UUID


class Practices(Reply):
    practices: tuple[Practice, ...]


class ListPractices(Request[Practices]):
    """Every practice of this installation, for the operator."""

    subject = "request.identity.list_practices"
    askers = ("operator",)


class PracticeAdded(Reply):
    practice_id: UUID
    import_key: str = Field(repr=False)
    """The key for the ingestion endpoint, told this once; only its hash is kept."""


class AddPractice(Request[PracticeAdded]):
    """A new practice. Adding one whose id is there already changes it and keeps its key."""

    subject = "request.identity.add_practice"
    askers = ("operator",)
    practice_id: UUID
    name: str
    phone: str
    address: str
    hours: str
    emergency: str
    time_zone: str
    contact_email: str
    resources: tuple[Link, ...] = ()


class InviteStaff(Request[Done]):
    """A seat for a member of staff, who gets a registration link by e-mail."""

    subject = "request.identity.invite_staff"
    askers = ("operator",)
    practice_id: UUID
    name: str
    email: str
    date_of_birth: date
    role: Role


class PracticeAccess(Reply):
    """A staff or machine visa, sealed."""

    practice_id: UUID
    visa: str = Field(repr=False)


class AdmitMachine(Request[PracticeAccess]):
    """A machine visa for whoever holds this practice key, told apart by its SHA-256."""

    subject = "request.identity.admit_machine"
    key_hash: bytes = Field(repr=False)


class AdmitOperator(Request[PracticeAccess]):
    """A machine visa for the operator at the command line, for one practice."""

    subject = "request.identity.admit_operator"
    askers = ("operator",)
    practice_id: UUID


# Invitations


class Invitation(Reply):
    """What the registration page may say. The address is there only while the link works."""

    practice_id: UUID
    practice_name: str
    email: str
    expires_at: datetime
    staff: bool
    has_account: bool
    """An account with this address exists: the person logs in and accepts instead."""


class ShowInvitation(Request[Invitation]):
    """Looking never uses a link up, however often; it is then known as opened."""

    subject = "request.identity.show_invitation"
    token: str = Field(repr=False)
    opened: bool
    """False for a HEAD request."""


class RuleMet(Reply):
    rule: PasswordRule
    met: bool


class PasswordSet(Reply):
    """Whether a new password was taken; if not, which rules it failed."""

    accepted: bool
    rules: tuple[RuleMet, ...]
    enrolment: str = Field(default="", repr=False)
    """For staff: the otpauth URI of the one-time code that every later log-in asks for."""


class CompleteRegistration(Request[PasswordSet]):
    """An account from an invitation: the link, the date of birth, a password, the terms."""

    subject = "request.identity.complete_registration"
    askers = ("gateway", "operator")
    token: str = Field(repr=False)
    date_of_birth: date | None = Field(repr=False)
    password: str = Field(repr=False)
    confirm_password: str = Field(repr=False)
    terms_version: str
    """The version accepted; "" when the box was not ticked."""
    source: str = Field(repr=False)
    """Where the request came from, for throttling: an address, /64 for IPv6."""


class Accepted(Reply):
    """The invitation is theirs."""

    enrolment: str = Field(default="", repr=False)
    """For staff who had no one-time code yet: the otpauth URI, as for a registration."""


class AcceptInvitation(Request[Accepted]):
    """Someone who is logged in takes the invitation to their own address."""

    subject = "request.identity.accept_invitation"
    token: str = Field(repr=False)
    session: bytes = Field(repr=False)
    date_of_birth: date | None = Field(repr=False)
    terms_version: str


class AskForNewLink(Request[Done]):
    """The holder of an expired link asks the practice for another. The answer is always Done."""

    subject = "request.identity.ask_for_new_link"
    token: str = Field(repr=False)
    source: str = Field(repr=False)


class Resent(Reply):
    """A letter that is on its way, and how long its link works."""

    email: str
    expires_at: datetime


class ResendInvitation(Request[Resent]):
    """A new letter to a patient; the link in the one before is void at once."""

    subject = "request.identity.resend_invitation"
    visa: str = Field(repr=False)
    patient_id: UUID


# Logging in


class SessionOpened(Reply):
    """A new session. The token is told this once; only its hash is kept."""

    token: str = Field(repr=False)
    staff: bool


class LogIn(Request[SessionOpened]):
    """Someone with an account comes in. A wrong one of the three gives one and the same answer."""

    subject = "request.identity.log_in"
    email: str = Field(repr=False)
    password: str = Field(repr=False)
    date_of_birth: date | None = Field(repr=False)
    code: str = Field(default="", repr=False)
    source: str = Field(repr=False)
    device: str = ""
    """What the session list shows: "Firefox on Android"."""
    earlier_session: bytes = Field(default=b"", repr=False)
    """The hash of a session cookie that came along: it ends as the new one begins."""


class LogInStaff(Request[SessionOpened]):
    """A member of staff comes in: e-mail, password, one-time code."""

    subject = "request.identity.log_in_staff"
    email: str = Field(repr=False)
    password: str = Field(repr=False)
    code: str = Field(default="", repr=False)
    source: str = Field(repr=False)
    device: str = ""
    earlier_session: bytes = Field(default=b"", repr=False)


class Seat(Reply):
    """A member of staff's place at a practice, with the visa that goes with it."""

    practice_id: UUID
    role: Role
    visa: str = Field(repr=False)


class Session(Reply):
    """Who is logged in, and until when."""

    session_id: UUID
    account_id: UUID
    name: str
    email: str
    passport: str = Field(repr=False)
    seat: Seat | None = None
    """None for a patient or family member."""
    idle_ends_at: datetime
    ends_at: datetime
    previous_login_at: datetime | None = None
    """For "new since your last visit"."""


class ResolveSession(Request[Session]):
    """Who a session cookie belongs to. Asking keeps the session awake, unless told not to."""

    subject = "request.identity.resolve_session"
    session: bytes = Field(repr=False)
    touch: bool = True


class OpenSession(Reply):
    """One line of the list of sessions."""

    session_id: UUID
    device: str
    place: str
    """The source of its last use, shortened."""
    started_at: datetime
    last_seen_at: datetime
    current: bool


class Sessions(Reply):
    sessions: tuple[OpenSession, ...]


class ListSessions(Request[Sessions]):
    """The account's sessions that are still open, the current one first."""

    subject = "request.identity.list_sessions"
    session: bytes = Field(repr=False)


class EndSession(Request[Done]):
    """Log out. A session that is over already is over."""

    subject = "request.identity.end_session"
    session: bytes = Field(repr=False)


class EndSessions(Request[Done]):
    """End one of one's own sessions, or, without an id, all but the current one."""

    subject = "request.identity.end_sessions"
    session: bytes = Field(repr=False)
    session_id: UUID | None = None


# Passwords and addresses


class ForgotPassword(Request[Done]):
    """A reset link goes out if there is such an account; the answer never says.

    `TRY_LATER` only where one source asks for very many, whatever the addresses.
    """

    subject = "request.identity.forgot_password"
    email: str = Field(repr=False)
    source: str = Field(repr=False)


class ResetLink(Reply):
    """The reset link works, until then."""

    expires_at: datetime


class ShowResetLink(Request[ResetLink]):
    """Looking never uses a link up."""

    subject = "request.identity.show_reset_link"
    token: str = Field(repr=False)


class ResetPassword(Request[PasswordSet]):
    """A new password through the link: every session ends, every throttle is lifted."""

    subject = "request.identity.reset_password"
    token: str = Field(repr=False)
    password: str = Field(repr=False)
    confirm_password: str = Field(repr=False)
    source: str = Field(repr=False)


class ChangePassword(Request[PasswordSet]):
    """A new password by someone logged in: every other session ends."""

    subject = "request.identity.change_password"
    session: bytes = Field(repr=False)
    current_password: str = Field(repr=False)
    password: str = Field(repr=False)
    confirm_password: str = Field(repr=False)


class ChangeEmail(Request[Done]):
    """A new address: it must confirm, the old one is told."""

    subject = "request.identity.change_email"
    session: bytes = Field(repr=False)
    current_password: str = Field(repr=False)
    email: str = Field(repr=False)


class ConfirmEmail(Request[Done]):
    """The new address answers its link."""

    subject = "request.identity.confirm_email"
    token: str = Field(repr=False)
    source: str = Field(default="", repr=False)


# Letters: what the notifier asks as it writes one


class LetterKind(StrEnum):
    """What a letter is about; the name of its folder of templates."""

    INVITATION = "invitation"
    STAFF_INVITATION = "staff_invitation"
    NEW_LINK_WANTED = "new_link_wanted"
    """To the practice: someone asks for a new registration link."""
    PASSWORD_RESET = "password_reset"  # noqa: S105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    EMAIL_CONFIRMATION = "email_confirmation"
    """To the new address."""
    EMAIL_CHANGED = "email_changed"
    """To the old address."""


class Letter(Reply):
    """What a letter needs. It is asked for as the letter is written, and never kept."""

    email: str = Field(repr=False)
    greeting_name: str = ""
    practice: Practice | None = None
    """None where the letter is about the account itself, whose practices may be several."""
    path: str = Field(default="", repr=False)
    """The path of the link, under the public address; "" for a letter without one."""
    link_expires_at: datetime | None = None
    time_zone: str = "UTC"
    happened_at: datetime | None = None


class DescribeLetter(Request[Letter]):
    """What letter `reference_id` says now. `LINK_VOID` or `LINK_EXPIRED`: do not send it."""

    subject = "request.identity.describe_letter"
    askers = ("notifier",)
    kind: LetterKind
    reference_id: UUID
    version: int


class LetterDue(Event):
    """A letter is owed. It carries no link and no address: the notifier asks as it writes."""

    subject = "event.identity.letter_due"
    followers = ("notifier",)
    kind: LetterKind
    reference_id: UUID
    """The invitation, reset or change the letter is about."""
    version: int = 1
    """Which sending of it: a resend is the next version."""
    practice_id: UUID | None = None


class InvitationChanged(Event):
    """A patient's invitation has a new state. Versions order it; an older one is to be ignored."""

    subject = "event.identity.invitation_changed"
    followers = ("records",)
    practice_id: UUID
    patient_id: UUID
    state: InvitationState
    version: int
    expires_at: datetime | None = None
    new_link_wanted: bool = False


class PatientRegistered(Event):
    """The invited person has an account now: access to their own record is theirs."""

    subject = "event.identity.patient_registered"
    followers = ("delegation", "messaging")
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    invitation_id: UUID


class SessionEnded(Event):
    """These sessions are over: what was resolved from them is to be forgotten at once."""

    subject = "event.identity.session_ended"
    listeners = ("gateway", "identity", "records", "messaging", "delegation", "notifier")
    session_ids: tuple[UUID, ...]
