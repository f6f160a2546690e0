"""Results of any sort, for Hypothesis to draw."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from services.records.domain.result import (
    LOINC,
    Before,
    Code,
    Moment,
    ReferenceRange,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from services.records.domain.result import Precision as Exactly

_WORDS = st.sampled_from(
    ["Hemoglobin", "Glucosa en ayunas", "Hämatokrit", "Калий", "WBC COUNT", 'A<B & "C"', "Na+"]
)
_UNITS = st.sampled_from(["", "g/dL", "10*3/uL", "x 10^3/uL", "%", "mmol/L", "µg/L"])
_NUMBERS = st.decimals(
    min_value=-1000, max_value=100000, allow_nan=False, allow_infinity=False, places=2
)
_TEXTS = (
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]),
        min_size=1,
        max_size=60,
    )
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: text and text.lower() != "null")
)
_LINES = st.lists(_TEXTS, min_size=1, max_size=4).map("\n".join)
_TIMES = st.integers(631152000, 1793491200).map(lambda second: datetime.fromtimestamp(second, UTC))


@st.composite
def _moments(draw: st.DrawFn) -> Moment | None:
    precision = draw(st.sampled_from(Exactly))
    at = draw(_TIMES)
    if precision is Exactly.INSTANT:
        return Moment(at=at, precision=precision, zoned=draw(st.booleans()))
    at = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if precision in (Exactly.MONTH, Exactly.YEAR):
        at = at.replace(day=1)
    if precision is Exactly.YEAR:
        at = at.replace(month=1)
    return Moment(at=at, precision=precision, zoned=False)


@st.composite
def _values(draw: st.DrawFn) -> Value:  # noqa: PLR0911 - one for each kind
    match draw(st.sampled_from(ValueKind)):
        case ValueKind.QUANTITY:
            number, comparator = draw(_NUMBERS), draw(st.sampled_from(["", "<", "<=", ">", ">="]))
            return Value(
                kind=ValueKind.QUANTITY,
                text=f"{comparator}{number}",
                number=number,
                comparator=comparator,
                unit=draw(_UNITS),
            )
        case ValueKind.RANGE:
            low = abs(draw(_NUMBERS))
            return Value(kind=ValueKind.RANGE, text=f"{low}-{low + 3}", unit=draw(_UNITS))
        case ValueKind.RATIO:
            return Value(kind=ValueKind.RATIO, text=f"1:{abs(draw(_NUMBERS))}")
        case ValueKind.CODED:
            return Value(kind=ValueKind.CODED, text=draw(_TEXTS))
        case ValueKind.TIME:
            return Value(kind=ValueKind.TIME, text=draw(_TIMES).date().isoformat())
        case ValueKind.ABSENT:
            return Value(kind=ValueKind.ABSENT, text=draw(_TEXTS))
        case _:
            return Value(kind=ValueKind.TEXT, text=draw(_LINES), unit=draw(_UNITS))


@st.composite
def _before(draw: st.DrawFn) -> Before:
    was = draw(_values())
    return Before(value=was.text, unit=was.unit, corrected_at=draw(_TIMES))


@st.composite
def results(draw: st.DrawFn) -> list[Result]:
    """Results of any sort, each of its own."""
    made = []
    for number in range(draw(st.integers(0, 8))):
        name = draw(_WORDS)
        code = draw(
            st.sampled_from(
                [
                    Code(system=LOINC, code=f"{number}-8"),
                    Code(system="text", code=name),
                    Code(system="http://snomed.info/sct", code=f"1{number}"),
                    Code(system="urn:oid:1.2.3.4", code=f"X{number}"),
                    Code(system="", code=f"LOCAL {number}"),
                    Code(system="MY LAB", code=f"a b {number}"),
                    Code(system="L", code=f"HB{number}"),
                ]
            )
        )
        ends = sorted([draw(_NUMBERS), draw(_NUMBERS)])
        band = draw(
            st.sampled_from(
                [
                    (),
                    (ReferenceRange(low=ends[0], high=ends[1], text=f"{ends[0]} to {ends[1]}"),),
                    (ReferenceRange(high=ends[1], text=f"up to {ends[1]}"),),
                    (ReferenceRange(text="Not detected"),),
                ]
            )
        )
        made.append(
            Result(
                source_id=f"made {number}",
                patient_key="",
                code=code,
                name=name,
                value=draw(_values()),
                status=draw(
                    st.sampled_from(
                        [
                            ResultStatus.FINAL,
                            ResultStatus.PRELIMINARY,
                            ResultStatus.CORRECTED,
                            ResultStatus.CANCELLED,
                            ResultStatus.UNKNOWN,
                        ]
                    )
                ),
                collected=draw(_moments()),
                ranges=band,
                flags=draw(st.sampled_from([(), ("L",), ("H",), ("HH",), ("A",), ("N",)])),
                specimen=draw(st.sampled_from(["", "Blood", "Serum & plasma"])),
                performer=draw(st.sampled_from(["", "Quest", "Labor <Süd>"])),
                orderer=draw(st.sampled_from(["", "Dr. Okafor"])),
                comment=draw(st.one_of(st.just(""), _LINES)),
                before=tuple(draw(st.lists(_before(), max_size=3))),
            )
        )
    return made
