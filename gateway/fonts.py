"""python -m gateway.fonts: make the portal's three fonts, small enough for a phone.

The pages say everything in the system's own fonts until these are made.
"""

import sys
from collections.abc import Iterable
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FOLDER = Path(__file__).parent / "static" / "fonts"
BUDGET = 45 * 1000
"""Bytes for all of them."""
LATIN = (*range(0x20, 0x7F), *range(0xA0, 0x100))
LATIN_EXTENDED = tuple(range(0x100, 0x180))
NAMES = tuple(map(ord, "ĀāĂăĄąĆćČčĎďĐđĒēĘęĚěĞğĢģĪīİıĶķŁłŃńŅņŇňŌōŐőŘřŚśŞşŠšŢţŤťŪūŮůŰűŹźŻżŽžȘșȚț"))
"""What people's names need in a heading, besides Latin."""
SIGNS = (0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x20AC, 0x2264, 0x2265)
SIGNS_OF_UNITS = (0x3BC, 0x2212, 0x2248, 0x2260)
TEXT_FEATURES = ("kern", "mark", "mkmk", "ccmp", "locl", "tnum", "liga")
HEADING_FEATURES = ("kern", "mark", "ccmp", "locl", "lnum", "tnum")
WEIGHT_OF_HEADINGS = 600
SIZE_OF_HEADINGS = 24

ATKINSON = "fontpkg_atkinson_hyperlegible"
LITERATA = "fontpkg_literata"


def make() -> dict[str, bytes]:
    """The three files by name: two for text and one for headings."""
    text = (*LATIN, *LATIN_EXTENDED, *SIGNS, *SIGNS_OF_UNITS)
    heading = instantiateVariableFont(
        _opened(LITERATA, "Literata[opsz,wght].ttf"),
        {"wght": WEIGHT_OF_HEADINGS, "opsz": SIZE_OF_HEADINGS},
    )
    return {
        "atkinson-400.woff2": _subset(
            _opened(ATKINSON, "AtkinsonHyperlegible-Regular.ttf"), text, TEXT_FEATURES
        ),
        "atkinson-700.woff2": _subset(
            _opened(ATKINSON, "AtkinsonHyperlegible-Bold.ttf"), text, TEXT_FEATURES
        ),
        "literata-600.woff2": _subset(heading, (*LATIN, *NAMES, *SIGNS), HEADING_FEATURES),
    }


def _opened(package: str, name: str) -> TTFont:
    return TTFont(BytesIO(files(package).joinpath("files", name).read_bytes()))


def _subset(font: TTFont, characters: Iterable[int], features: tuple[str, ...]) -> bytes:
    """The font with these characters only, packed as WOFF 2."""
    options = Options(layout_features=list(features), hinting=False, desubroutinize=True)
    options.name_IDs = [0, 1, 2, 13, 14]
    options.notdef_outline = True
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    font.flavor = "woff2"
    written = BytesIO()
    font.save(written)
    return written.getvalue()


def write(folder: Path) -> int:
    """Make the fonts and keep them; answers how many bytes they have in all."""
    made = make()
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in made.items():
        (folder / name).write_bytes(body)
    return sum(len(body) for body in made.values())


def main() -> None:
    total = write(FOLDER)
    sys.stdout.write(f"3 fonts, {total:,} bytes\n")


if __name__ == "__main__":
    main()
