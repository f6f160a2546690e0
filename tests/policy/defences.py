"""The defences, each with what it is without it and with the test that misses it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from jinja2 import Undefined

from gateway.rendering import ENVIRONMENT
from libs.contracts.visa import Capacity
from services.identity.domain.throttle import Scope
from tests.access import test_gate as gate
from tests.deploy import test_nats_config as nats_config
from tests.gateway import test_desk as desk
from tests.gateway import test_headers as headers
from tests.gateway import test_pages as pages
from tests.gateway import test_protection as protection
from tests.gateway import test_reading as reading
from tests.gateway import test_rendering as rendering
from tests.identity import test_guessing as guessing
from tests.identity import test_hashing as hashing
from tests.identity import test_logging_in as logging_in
from tests.identity import test_password_rules as password_rules
from tests.identity import test_passwords as passwords
from tests.identity import test_registration as registration
from tests.identity import test_sessions as sessions
from tests.messaging import test_conversations as conversations
from tests.messaging import test_drafts as drafts
from tests.messaging import test_queue as queue
from tests.policy import test_policy as policy
from tests.policy import test_roles as roles
from tests.policy.removing import Header, Line, Setting, Sql
from tests.runtime import test_answering as answering
from tests.runtime import test_following as following
from tests.runtime import test_keyring as keyring
from tests.runtime import test_once as once
from tests.runtime import test_seal as seal
from tests.runtime import test_walls as walls
from tests.vault import test_media as media


@dataclass(frozen=True)
class Defence:
    """Something that protects somebody."""

    name: str
    gone: Line | Setting | Header | Sql
    missed_by: Callable[..., Any]
    """The test that fails without it."""


GATE = "libs.access.gate:Gate"
SEALS = "libs.runtime.seal"
WALL = "messaging.mailbox"
HEADERS = headers.test_nothing_is_kept_framed_guessed_or_run_from_elsewhere
COOKIE = headers.test_a_session_is_for_this_host_only_and_for_no_script

DEFENCES = (
    # Visas and passports
    Defence(
        "the seal of a statement is checked",
        Line(
            f"{SEALS}:Seals.open",
            "self._keys[issuer].verify(_decode(signature), _signed(kind, issuer, body))",
            "self._keys[issuer]",
        ),
        seal.test_every_changed_character_is_noticed,
    ),
    Defence(
        "a statement names its kind under its seal",
        Line(f"{SEALS}:_signed", "{kind.__name__}", "any"),
        seal.test_two_kinds_that_look_alike_are_told_apart,
    ),
    Defence(
        "a statement runs out",
        Line(f"{SEALS}:Seals.open", 'if getattr(statement, "expires_at") <= now:', "if False:"),
        gate.test_a_visa_ends_after_ten_seconds,
    ),
    Defence(
        "each issuer says only what is its own to say",
        Line(f"{GATE}.admit", "ISSUERS.get(visa.capacity) != issuer or ", ""),
        partial(gate.test_only_its_own_issuer_may_say_a_capacity, Capacity.STAFF),
    ),
    Defence(
        "an ended session is remembered",
        Line(
            f"{GATE}.hear_ended",
            "self._ended |= dict.fromkeys(heard.session_ids, utcnow())",
            "pass",
        ),
        gate.test_an_ended_session_is_refused_at_once,
    ),
    Defence(
        "a revocation is remembered",
        Line(f"{GATE}.hear_revoked", "self._revoked[who] = ", "_ = "),
        gate.test_a_revocation_voids_visas_from_before_and_not_after,
    ),
    Defence(
        "what came of a revoked grant is void whenever it was issued",
        Line(f"{GATE}.hear_revoked", "self._hold_from(heard.grant_id, NONE_HOLDS)", "pass"),
        gate.test_what_came_of_a_revoked_grant_is_void_whenever_it_was_issued_and_nothing_else_is,
    ),
    Defence(
        "what was taken away is void in older visas",
        Line(f"{GATE}.hear_changed", "self._hold_from(heard.grant_id, heard.revision)", "pass"),
        gate.test_what_was_taken_away_voids_visas_of_an_older_revision_in_whatever_order_it_is_heard,
    ),
    Defence(
        "a gateway remembers no answer from before an end",
        Line("gateway.session:Desk.keep_access", " and heard == self.heard", ""),
        desk.test_what_was_asked_before_an_end_and_comes_after_it_is_not_remembered,
    ),
    Defence(
        "a visa is for its patient only",
        Line(f"{GATE}._admit_to_record", "patient_id not in (None, visa.patient_id)", "False"),
        gate.test_nobody_passes_for_another_record,
    ),
    Defence(
        "a visa of nobody's opens nothing",
        Line(f"{GATE}._admit_to_record", "visa.patient_id is None or ", ""),
        gate.test_a_patients_visa_without_a_patient_opens_nothing,
    ),
    Defence(
        "a limit holds",
        Line(f"{GATE}._admit_to_record", "limit not in visa.limits", "False"),
        gate.test_a_limit_holds,
    ),
    Defence(
        "a role is asked for",
        Line(f"{GATE}.admit_staff", "(roles and visa.role not in roles)", "False"),
        gate.test_staff_pass_by_role,
    ),
    Defence(
        "only staff are staff",
        Line(f"{GATE}.admit_staff", "visa.capacity is not Capacity.STAFF or ", ""),
        gate.test_a_patient_is_no_staff_and_a_machine_only_where_it_is_named,
    ),
    # Forms and headers
    Defence(
        "a form brings its proof",
        Line("gateway.protection:check_proof", "raise Forged", "return"),
        headers.test_a_form_without_its_proof_goes_no_further,
    ),
    Defence(
        "a form comes from a page of ours",
        Line(
            "gateway.protection:check_origin",
            'if site not in ("same-origin", "none"):',
            "if False:",
        ),
        partial(protection.test_a_form_from_elsewhere_does_not, {"Sec-Fetch-Site": "cross-site"}),
    ),
    Defence(
        "where a browser says nothing else, the origin is looked at",
        Line(
            "gateway.protection:check_origin",
            "origin != str(URL(request.app[CONFIG].public_url).origin())",
            "False",
        ),
        partial(protection.test_a_form_from_elsewhere_does_not, {"Origin": "null"}),
    ),
    Defence(
        "a proof belongs to one session",
        Line("gateway.protection:proof", "secret.encode()", 'b"the same"'),
        protection.test_the_proof_belongs_to_one_session_only,
    ),
    Defence("no browser keeps a page", Header("Cache-Control"), HEADERS),
    Defence("no browser guesses a type", Header("X-Content-Type-Options"), HEADERS),
    Defence("no address is told to another site", Header("Referrer-Policy"), HEADERS),
    Defence("nothing but TLS, for a year", Header("Strict-Transport-Security"), HEADERS),
    Defence("no other site frames a page", Header("X-Frame-Options"), HEADERS),
    Defence(
        "no script but our own runs",
        Setting(
            "gateway.protection:HEADERS",
            {"Content-Security-Policy": "script-src 'self' 'unsafe-inline'"},
        ),
        HEADERS,
    ),
    Defence(
        "no script reads the session",
        Line("gateway.session:begin", "httponly=True", "httponly=False"),
        COOKIE,
    ),
    Defence(
        "the session goes by TLS only",
        Line("gateway.session:begin", "secure=True", "secure=False"),
        COOKIE,
    ),
    Defence(
        "the session goes with no other site's form",
        Line("gateway.session:begin", 'samesite="Lax"', 'samesite="None"'),
        COOKIE,
    ),
    Defence(
        "a session's token is told to nobody but its browser",
        Line(
            "gateway.session:hash_of", "hashlib.sha256(token.encode()).digest()", "token.encode()"
        ),
        headers.test_what_the_others_know_a_session_by_opens_none,
    ),
    Defence(
        "a source can't be made up",
        Line("gateway.protection:source", "_within(address, trusted)", "True"),
        partial(
            protection.test_a_source_is_an_address_or_a_network_and_cannot_be_made_up,
            "203.0.113.9",
            "198.51.100.1",
            "",
            "203.0.113.9",
        ),
    ),
    Defence(
        "a file's name stays inside its header",
        Setting("gateway.files:quote", lambda text, safe: text),
        partial(
            protection.test_a_file_name_never_breaks_out_of_its_header,
            'a"; x="b',
            "inline; filename=\"a__ x=_b\"; filename*=UTF-8''a%22%3B%20x%3D%22b",
        ),
    ),
    Defence(
        "after the log-in it goes on here",
        Line(
            "gateway.reading:way_back",
            'if plain and "//" not in wanted and "/." not in wanted',
            "if wanted",
        ),
        partial(reading.test_the_way_back_is_one_of_our_own_pages, "//evil.example", "/"),
    ),
    # Pages
    Defence(
        "what people typed is text",
        Setting("gateway.rendering:ENVIRONMENT", ENVIRONMENT.overlay(autoescape=False)),
        pages.test_names_of_any_kind_are_shown_as_text,
    ),
    Defence(
        "a gap is an error",
        Setting("gateway.rendering:ENVIRONMENT", ENVIRONMENT.overlay(undefined=Undefined)),
        rendering.test_a_name_that_nobody_gave_is_an_error,
    ),
    # Encryption
    Defence(
        "what is sealed is bound to what it belongs to",
        Line("libs.runtime.keyring:KeyRing.unwrap", "belongs_to=belongs_to", 'belongs_to="rosa"'),
        keyring.test_a_key_belongs_to_one_patient_only,
    ),
    Defence(
        "each piece is sealed with a nonce of its own",
        Setting("libs.runtime.keyring:os", type("Os", (), {"urandom": staticmethod(bytes)})),
        keyring.test_the_same_text_is_never_sealed_the_same_way_twice,
    ),
    # Passwords, codes, links and sessions
    Defence(
        "wrong tries are counted",
        Setting(
            "services.identity.domain.throttle:LIMITS",
            dict.fromkeys(Scope, 1_000_000),
        ),
        guessing.test_ten_wrong_tries_from_one_source_are_the_most_until_it_pauses,
    ),
    Defence(
        "tries are counted before they are looked at",
        Line("services.identity.guessing:_count", "raise _refusal(exceeded)", "pass"),
        guessing.test_fifty_tries_at_once_are_ten,
    ),
    Defence(
        "nobody's password costs as much as somebody's",
        Line(
            "services.identity.hashing:Hashing.fits",
            "usable = len(password) <= LONGEST",
            "usable = len(password) <= LONGEST\n    if known is None: return False",
        ),
        hashing.test_nobodys_password_costs_as_much_as_somebodys,
    ),
    Defence(
        "a one-time code counts once",
        Line("services.identity.store.accounts:use_code", "AND code_used_step < $2", ""),
        logging_in.test_fifty_logins_with_one_code_are_one,
    ),
    Defence(
        "staff need a code",
        Line(
            "services.identity.handlers.logging_in:_come_in",
            "if not passed:",
            "if False:",
        ),
        logging_in.test_a_code_is_good_for_a_step_on_either_side_and_once,
    ),
    Defence(
        "a common password is not taken",
        Setting("services.identity.domain.password:common", lambda _: False),
        partial(password_rules.test_a_password_that_many_use_is_known_under_its_dress, "Passw0rd!"),
    ),
    Defence(
        "five wrong dates of birth lock a link",
        Line("services.identity.domain.invitation:wrong_date", ">= WRONG_DATES", ">= 1_000_000"),
        registration.test_five_wrong_dates_of_birth_lock_the_link,
    ),
    Defence(
        "a link is one that we made",
        Line(
            "services.identity.domain.link:Links.read",
            "genuine and self.token(purpose, target) == token",
            "genuine or True",
        ),
        partial(
            passwords.test_no_other_link_sets_a_password,
            changed=lambda token, _: token.replace(".1.", ".2."),
        ),
    ),
    Defence(
        "logging in ends the session that came along",
        Line(
            "services.identity.handlers.logging_in:_come_in",
            "if asked.earlier_session:",
            "if False:",
        ),
        logging_in.test_a_new_login_has_a_new_token_and_ends_the_one_that_came_along,
    ),
    Defence(
        "a session is over when nobody uses it",
        Line("services.identity.domain.session:Session.holds", "now < self.idle_ends_at and ", ""),
        sessions.test_an_idle_session_is_over_to_the_second,
    ),
    # Rows and walls
    Defence(
        "a message is asked for by whose it is",
        Line(
            "services.messaging.store.messages:get_message",
            "AND m.patient_id = $3",
            "AND $3::uuid IS NOT NULL",
        ),
        conversations.test_nobody_else_gets_in,
    ),
    Defence(
        "a draft is its writer's",
        Line(
            "services.messaging.store.drafts:lock_draft",
            "AND account_id = $2 AND patient_id = $3",
            "AND $2::uuid IS NOT NULL AND $3::uuid IS NOT NULL",
        ),
        drafts.test_a_draft_is_its_writers_alone,
    ),
    Defence(
        "no patient has a queue",
        Line("libs.access.gate:Gate.admit_staff", "raise NotAllowed", "return visa"),
        queue.test_another_practice_and_a_patient_see_no_queue,
    ),
    Defence(
        "a wall stands for the owner of a table too",
        Sql(
            f"ALTER TABLE {WALL} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {WALL} FORCE ROW LEVEL SECURITY",
        ),
        walls.test_every_table_with_a_practice_is_behind_a_wall_even_for_its_owner,
    ),
    Defence(
        "a table has a wall",
        Sql(
            f"ALTER TABLE {WALL} DISABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {WALL} ENABLE ROW LEVEL SECURITY",
        ),
        walls.test_without_a_wall_there_is_an_error_and_behind_another_there_is_nothing,
    ),
    Defence(
        "a wall has no hole",
        Sql(f"CREATE POLICY hole ON {WALL} USING (true)", f"DROP POLICY hole ON {WALL}"),
        walls.test_without_a_wall_there_is_an_error_and_behind_another_there_is_nothing,
    ),
    Defence(
        "no service goes around the walls",
        Sql("ALTER ROLE records BYPASSRLS", "ALTER ROLE records NOBYPASSRLS"),
        walls.test_a_services_role_owns_nothing_and_may_not_go_around_the_walls,
    ),
    Defence(
        "who came in is never rewritten",
        Sql(
            "GRANT UPDATE ON identity.sign_in TO identity",
            "REVOKE UPDATE ON identity.sign_in FROM identity",
        ),
        partial(
            roles.test_a_services_role_may_do_what_the_policy_says_and_nothing_else, role="identity"
        ),
    ),
    Defence(
        "no service reads another's tables",
        Sql(
            "GRANT USAGE ON SCHEMA records TO messaging; GRANT SELECT ON records.patient TO messaging",
            "REVOKE SELECT ON records.patient FROM messaging; REVOKE USAGE ON SCHEMA records FROM messaging",
        ),
        partial(
            roles.test_a_services_role_may_do_what_the_policy_says_and_nothing_else,
            role="messaging",
        ),
    ),
    # Once, and in time
    Defence(
        "a form sent twice does one thing",
        Line("libs.runtime.once:earlier", "if mine:", "if True:"),
        once.test_twenty_at_once_are_one,
    ),
    Defence(
        "an event heard twice does one thing",
        Line(
            "libs.runtime.inbox:first_time",
            "ON CONFLICT DO NOTHING",
            "ON CONFLICT (consumer, event_id) DO UPDATE SET consumer = $1",
        ),
        following.test_the_same_event_does_what_it_does_once,
    ),
    Defence(
        "a failure is answered",
        Line("libs.runtime.broker:connected", "middlewares=[Deliver]", "middlewares=[]"),
        answering.test_a_refusal_and_a_failure_are_answers_too,
    ),
    Defence(
        "nothing is begun that nobody waits for",
        Line("libs.runtime.broker:Deliver._answer", "msg.headers.get(DEADLINE) or ", ""),
        answering.test_a_request_that_comes_too_late_is_not_begun,
    ),
    Defence(
        "a failure's message is in no log",
        Setting("libs.runtime.broker:describe", lambda error: {"error": repr(error)}),
        answering.test_a_log_tells_the_kind_of_a_failure_and_nothing_of_its_message,
    ),
    # Servers and files
    Defence(
        "NATS syncs before it acknowledges",
        Line(
            "deploy.nats_config:render",
            "in STORE.items())",
            'in STORE.items() if name != "sync_interval")',
        ),
        nats_config.test_the_server_takes_the_configuration_and_syncs_before_it_acknowledges,
    ),
    Defence(
        "only its owner reads a key",
        Line("deploy.keys:kept", "touch(mode=0o600)", "touch(mode=0o644)"),
        nats_config.test_keys_are_made_once_and_only_their_owner_reads_them,
    ),
    Defence(
        "a program is no document",
        Setting("libs.vault.media:is_named_like_one", lambda _: False),
        partial(
            media.test_programs_and_scripts_and_archives_of_them_are_not_kept,
            b"%PDF-1.7",
            "letter.pdf.exe",
        ),
    ),
    Defence(
        "a page that nobody decided about is not let by",
        Setting("gateway.app:PAGES", ()),
        policy.test_every_page_is_in_the_policy_and_no_other,
    ),
)
