"""The portal's fonts: small, and with every letter that a name may need."""

from io import BytesIO
from pathlib import Path

from fontTools.ttLib import TTFont

from gateway import fonts

TEXT = "Zażółć gęślą jaźń – Škoda Đorđević, Þór, Ñandú, Łukasz’s ≤ 10 µg/L ≥ “3”"
HEADING = "Łukasz’s health – Škoda, Ñandú, Đorđević"


def test_the_fonts_are_made_within_their_budget(tmp_path: Path) -> None:
    total = fonts.write(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert set(made) == {"atkinson-400.woff2", "atkinson-700.woff2", "literata-600.woff2"}
    assert total == sum(len(body) for body in made.values()) <= fonts.BUDGET
    for name, body in made.items():
        font = TTFont(BytesIO(body))
        wanted = HEADING if name.startswith("literata") else TEXT
        assert font.flavor == "woff2"
        assert {ord(letter) for letter in wanted} <= set(font.getBestCmap())
