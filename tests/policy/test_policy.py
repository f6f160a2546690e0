"""The policy knows every page and every request there is, and no others."""

import re
from pathlib import Path

from aiohttp import web

import gateway
from gateway.app import build
from gateway.config import Config
from libs.contracts import registry
from tests.policy.policy import ACTORS, FILE, POLICY, Page

AN_ID_READ = re.compile(r'(?:optional_id|form_id|cursor)\([\w.]+, "(\w+)"\)')


def pages() -> set[Page]:
    """Every method and path of the gateway as one-machine mode has it. HEAD goes with GET."""
    app = build(
        Config(nats_url="nats://127.0.0.1:1", public_url="http://x", mailbox_url="http://x")
    )
    return {
        Page(method=route.method, path=_canonical(route.resource))
        for route in app.router.routes()
        if route.method != "HEAD"
    }


def _canonical(resource: web.AbstractResource | None) -> str:
    assert resource is not None
    return resource.canonical


def test_every_page_is_in_the_policy_and_no_other() -> None:
    assert pages() - POLICY.pages.keys() == set(), "a page that the policy does not know"
    assert POLICY.pages.keys() - pages() == set(), "the policy knows a page that is not there"


def test_every_request_is_in_the_policy_and_no_other() -> None:
    subjects = {request.subject for request in registry.requests()}
    assert subjects - POLICY.requests.keys() == set(), "a request that the policy does not know"
    assert POLICY.requests.keys() - subjects == set(), "the policy knows one that is not there"


def test_who_may_ask_is_what_the_contracts_say() -> None:
    said = {request.subject: frozenset(request.askers) for request in registry.requests()}
    assert said == dict(POLICY.askers)


def test_what_is_not_the_gateways_to_ask_is_nobodys_through_it() -> None:
    for subject, cells in POLICY.requests.items():
        is_elsewheres = "gateway" not in POLICY.askers[subject]
        assert (set(cells.values()) == {"-"}) == is_elsewheres, subject


def test_every_id_that_a_page_reads_from_a_form_or_a_query_is_in_the_policy() -> None:
    here = Path(next(iter(gateway.__path__)))
    read = {name for file in here.rglob("*.py") for name in AN_ID_READ.findall(file.read_text())}
    assert read
    assert read <= {one.field for one in POLICY.ids}
    assert {one.page for one in POLICY.ids} <= POLICY.pages.keys()


def test_each_part_of_the_policy_names_its_columns_in_their_order() -> None:
    heads = [
        line for line in FILE.read_text().splitlines() if line.startswith("# ") and " an ed" in line
    ]
    assert len(heads) > 10
    for head in heads:
        assert tuple(head.split()[-len(ACTORS) :]) == ACTORS, head
