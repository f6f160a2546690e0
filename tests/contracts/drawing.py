"""docs/parts.md, worked out from the contracts: who asks whom, and who hears of what."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from libs.contracts import registry
from libs.contracts.base import owner, phrase

PARTS = (*registry.services(), "gateway")
HEAD = """\
# The parts, and what they say to each other

Worked out from `libs/contracts` by `make schemas`; the permissions on NATS are made of the same. `carespace asyncapi` says the same for machines, with the shape of every message.
"""
PLACES = """\
```mermaid
flowchart LR
  browser([browser]) -- HTTPS --> gateway
  machine([laboratory's machine]) -- HTTPS --> gateway
  operator([operator's command])
  subgraph NATS
    gateway
{services}
  end
  operator --> NATS
{schemas}
  notifier -- SMTP --> mail([mail server])
```
"""
ASKING = """
## Who asks whom

A line says how many requests the one may make of the other. Whoever is not named may not.

```mermaid
flowchart LR
{lines}
```
"""
HEARING = """
## Who hears of what

A full line is followed by a durable consumer, which misses nothing; a dotted one is heard at once by every replica, and not at all by one that is away.

```mermaid
flowchart LR
  everybody([every part])
{lines}
```
"""


def page() -> str:
    """The whole page."""
    services = registry.services()
    places = PLACES.format(
        services="\n".join(f"    {service}" for service in services),
        schemas="\n".join(f"  {each} --> {each}_db[(schema {each})]" for each in services),
    )
    asking = ASKING.format(lines="\n".join(_asking()))
    hearing = HEARING.format(lines="\n".join(_hearing()))
    return HEAD + "\n" + places + asking + hearing + "\n".join(_listed()) + "\n"


def _asking() -> Iterator[str]:
    counted = Counter(
        (asker, owner(request)) for request in registry.requests() for asker in request.askers
    )
    for (asker, asked), count in sorted(counted.items(), key=lambda each: (-each[1], each[0])):
        yield f"  {asker} -- {count} --> {asked}"


def _hearing() -> Iterator[str]:
    said: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for event in registry.events():
        for hearers, line in ((event.followers, "-->"), (event.listeners, "-.->")):
            every = set(hearers) >= set(PARTS)
            for hearer in ["everybody"] if every else hearers:
                said[(owner(event), line, hearer)].append(phrase(event))
    for (teller, line, hearer), phrases in sorted(said.items()):
        yield f'  {teller} {line}|"{"<br>".join(sorted(phrases))}"| {hearer}'


def _listed() -> Iterator[str]:
    """Every contract by name, with its promise."""
    contracts: list[type[Any]] = [*registry.requests(), *registry.events()]
    order = registry.services().index
    for service, own in groupby(sorted(contracts, key=lambda each: order(owner(each))), key=owner):
        mine = sorted(own, key=lambda each: each.subject)
        yield from ("", f"## {service}", "", "| subject | who may | what |", "|---|---|---|")
        for contract in mine:
            yield f"| `{contract.subject}` | {_who(contract)} | {_said(contract)} |"


def _who(contract: type[Any]) -> str:
    if contract in registry.requests():
        return "asked by " + ", ".join(contract.askers)
    heard = [("followed by ", contract.followers), ("heard by ", contract.listeners)]
    return "; ".join(how + ", ".join(who) for how, who in heard if who)


def _said(contract: type[Any]) -> str:
    return " ".join((contract.__doc__ or "").split("\n\n")[0].split()).replace("|", "\\|")
