"""The colours of the stylesheet, in both schemes, are told apart by everyone (WCAG 2.2)."""

import re

import pytest

from gateway.static_files import FOLDER

CSS = (FOLDER / "carespace.css").read_text("utf-8")

TEXT = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunk"), ("ink", "tint"), ("ink", "amber-tint"),
    ("ink", "green-tint"), ("ink", "plum-tint"), ("muted", "paper"), ("muted", "surface"),
    ("muted", "sunk"), ("muted", "tint"), ("brand", "paper"), ("brand", "surface"),
    ("brand", "tint"), ("brand-strong", "tint"), ("on-brand", "brand"),
    ("on-brand", "brand-strong"), ("amber", "amber-tint"), ("amber", "surface"),
    ("surface", "amber"), ("red", "red-tint"), ("red", "surface"), ("red", "paper"),
    ("on-red", "red"), ("green", "green-tint"), ("green", "surface"), ("green", "paper"),
    ("on-plum", "plum"), ("plum-ink", "plum-tint"), ("hero-ink", "hero"), ("hero-soft", "hero"),
    ("paper", "ink"),
]  # fmt: skip
EDGES = [
    ("edge", "surface"), ("edge", "paper"), ("edge", "sunk"), ("brand", "surface"),
    ("red", "surface"), ("red", "paper"), ("amber", "surface"), ("amber", "tint"),
    ("brand", "tint"), ("focus", "hero"),
]  # fmt: skip


def scheme(name: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\n *\}", CSS, re.DOTALL)[:2]
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", light))
    if name == "dark":
        tokens |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", dark))
    return tokens


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(name: str, text: str, ground: str) -> None:
    tokens = scheme(name)

    assert contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_the_edge_of_a_control_can_be_seen(name: str, edge: str, ground: str) -> None:
    tokens = scheme(name)

    assert contrast(tokens[edge], tokens[ground]) >= 3


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_focus_can_be_seen_on_every_ground(name: str) -> None:
    """A dark ring and an amber one around it: at least one of them stands out."""
    tokens = scheme(name)
    rings = (tokens["focus-ink"], tokens["focus"])

    for ground in ("paper", "surface", "sunk", "tint", "hero", "brand", "plum"):
        assert max(contrast(ring, tokens[ground]) for ring in rings) >= 3
