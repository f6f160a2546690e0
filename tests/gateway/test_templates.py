"""Every template: it compiles, is tidy, says its words plainly, and carries nothing inline."""

import re
from pathlib import Path

import pytest
from jinja2 import nodes

from gateway.rendering import ENVIRONMENT, warm

TEMPLATES = Path(__file__).parents[2] / "gateway" / "templates"
NAMES = sorted(ENVIRONMENT.list_templates(["html"]))
FRAGMENTS = [name for name in NAMES if Path(name).name.startswith("_")]
NEVER_SAID = ("user", "users", "proxy", "token", "invalid", "submit", "oops")


def source(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def visible(name: str) -> str:
    """What a person may read of a template: no tags, no expressions, no comments."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", source(name), flags=re.DOTALL)
    text = re.sub(
        r"\{\{(.*?)\}\}", lambda found: " ".join(re.findall(r"'([^']*)'", found[1])), text
    )
    return re.sub(r"<[^>]*>", " ", text)


def test_every_template_compiles() -> None:
    warm()

    assert len(NAMES) > 60


@pytest.mark.parametrize("name", NAMES)
def test_a_template_imports_only_what_it_uses(name: str) -> None:
    tree = ENVIRONMENT.parse(source(name))
    imported = [
        names[1] if isinstance(names, tuple) else names
        for found in tree.find_all(nodes.FromImport)
        for names in found.names
    ]
    used = {found.name for found in tree.find_all(nodes.Name) if found.ctx == "load"}

    assert sorted(imported) == sorted(set(imported) & used)


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_is_one_macro_that_says_first_what_it_shows(name: str) -> None:
    macros = [macro.name for macro in ENVIRONMENT.parse(source(name)).find_all(nodes.Macro)]

    assert macros == [Path(name).stem.removeprefix("_")]
    assert re.match(r"\{# [A-Z].+\. ?.*#\}\n", source(name))


@pytest.mark.parametrize("name", FRAGMENTS)
def test_every_fragment_is_used(name: str) -> None:
    assert any(f'"{name}"' in source(other) for other in NAMES if other != name)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_inline(name: str) -> None:
    text = source(name)

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_form_that_changes_something_has_its_proof(name: str) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', source(name), re.DOTALL):
        assert "csrf_field()" in form
        if 'type="file"' in form or "file(" in form:
            assert form.index("csrf_field()") < form.index("file(")


@pytest.mark.parametrize("name", NAMES)
def test_some_words_are_never_said(name: str) -> None:
    text = visible(name).replace("Manage Users", "")  # what its page is called, and no person is
    said = set(re.findall(r"[a-z]+", text.lower()))

    assert not said & set(NEVER_SAID)


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_shouted_at(name: str) -> None:
    assert "!" not in visible(name).replace("such as ! or ?", "").replace("<!doctype", "")
