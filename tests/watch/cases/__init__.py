"""Every alert of ours, with what sets it off and what does not."""

from tests.watch.cases import behind, people

CASES = (*people.PAGES, *people.PARTS, *behind.EVENTS, *behind.MAIL, *behind.CAUSES)
