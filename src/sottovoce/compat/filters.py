"""What a filter has to answer: of the same list without it all that fit, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sottovoce.compat.bench import Bench, Untestable, Wrong

Row = Mapping[str, Any]
Rows = Mapping[str, Row]
"""By what tells them apart."""
Fits = Callable[[Row], bool | None]
"""Whether a row fits; None: no page says."""
_MOST_VALUES = 3


@dataclass(frozen=True, slots=True)
class Probe:
    """One value of a filter, and what it is to keep."""

    asked: Mapping[str, Any]
    fits: Fits


def unlike_filter(everything: Rows, found: Rows, fits: Fits, *, whole: bool = True) -> str | None:
    """What of `found` is not as `fits` wants it; None: nothing. A row of both is judged as listed without.

    Unless `found` is `whole`, nothing is missing from it.
    """
    wrong = [one for one, row in found.items() if fits(everything.get(one, row)) is False]
    if wrong:
        return f"{len(wrong)} of {len(found)} do not fit, {wrong[0]} for one"
    lost = [one for one, row in everything.items() if whole and one not in found and fits(row) is True]
    return f"{len(lost)} that fit are missing, {lost[0]} for one" if lost else None


async def judge(
    bench: Bench,
    interface: str,
    field: str,
    everything: Rows,
    probes: Iterable[Probe],
    ask: Callable[[Mapping[str, Any]], Awaitable[Rows | None]],
    *,
    whole: bool = True,
) -> None:
    """One check of one filter by its probes; `ask` answers what is kept (None: declined, as if nothing).

    It cannot be judged unless something of `everything` is to be kept and something to be left out.
    """
    with bench.check(interface, f"{field}: all that fit are there, and nothing else"):
        kept = left = False
        for probe in probes:
            told = [probe.fits(row) for row in everything.values()]
            kept, left = kept or True in told, left or False in told
            found = await ask(probe.asked)
            if found is None and True in told:
                raise Wrong(f"{_shown(probe)} is declined, and {told.count(True)} fit")
            if wrong := unlike_filter(everything, found or {}, probe.fits, whole=whole):
                raise Wrong(f"{_shown(probe)}: {wrong}")
        if not kept:
            raise Untestable("the server has nothing that fits, so it could not be judged")
        if not left:
            raise Untestable("the server has nothing to leave out, so it could not be judged")


def _shown(probe: Probe) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in probe.asked.items())


def equal(
    rows: Rows, field: str, value: Callable[[Row], Any], unknown: Any, *, many: bool = False
) -> list[Probe]:
    """Probes of a filter for one value, or (`many`) a list of them: some that occur, one that does not."""
    values = sorted({value(row) for row in rows.values()} - {None, ""}, key=str)
    return [
        Probe({field: [one] if many else one}, _is(value, one)) for one in [*values[:_MOST_VALUES], unknown]
    ]


def _is(value: Callable[[Row], Any], wanted: Any) -> Fits:
    def fits(row: Row) -> bool | None:
        found = value(row)
        return None if found in (None, "") else bool(found == wanted)

    return fits


Texts = Callable[[Row], Sequence[str] | None]
"""What a row has; None: not known."""


def containing(rows: Rows, field: str, texts: Texts, longest: int) -> list[Probe]:
    """Probes of a filter by a text: that of some rows, and one that none has.

    Whether a part of it is enough, or another case, is not told.
    """
    found = sorted({text for row in rows.values() for text in texts(row) or () if 0 < len(text) <= longest})
    chosen = [*found[:1], *found[-1:], "nobody-said-this"]
    return [Probe({field: text}, _has(texts, text)) for text in dict.fromkeys(chosen)]


def _has(texts: Texts, wanted: str) -> Fits:
    def fits(row: Row) -> bool | None:
        found = texts(row)
        if found is None or wanted in found:
            return None if found is None else True
        folded = wanted.casefold()
        return None if any(folded in text.casefold() for text in found) else False

    return fits


Span = tuple[float, float]
"""The least and the largest of a row's values."""


def bounds(
    rows: Rows,
    names: tuple[str, str],
    span: Callable[[Row], Span | None],
    *,
    margin: float = 0,
    lowest: int = 0,
    highest: float = math.inf,
) -> dict[str, list[Probe]]:
    """Probes of a filter's lower and upper bound (`names`), each at a whole number between or beyond values.

    What is within `margin` of a bound is not judged: it may be rounded, and whether a bound itself fits is
    seldom told. A row without values is not judged.
    """
    spans = [one for row in rows.values() if (one := span(row)) is not None]
    values = sorted({end for one in spans for end in one})
    cuts = _cuts(values, margin)
    low = [Probe({names[0]: cut}, _at_least(span, cut, margin)) for cut in cuts if lowest <= cut <= highest]
    high = [Probe({names[1]: cut}, _at_most(span, cut, margin)) for cut in cuts if lowest <= cut <= highest]
    return {names[0]: low, names[1]: high}


def _cuts(values: Sequence[float], margin: float) -> list[int]:
    """Whole numbers below the least, above the largest, and within the gap nearest to the middle."""
    if not values:
        return []
    beyond = math.floor(margin) + 1
    gaps = [
        (abs(place - len(values) / 2), math.floor(before + (after - before) / 2))
        for place, (before, after) in enumerate(pairwise(values), start=1)
        if after - before >= 2 * margin + 1
    ]
    middle = [min(gaps)[1]] if gaps else []
    return [math.floor(values[0]) - beyond, *middle, math.ceil(values[-1]) + beyond]


def _at_least(span: Callable[[Row], Span | None], cut: float, margin: float) -> Fits:
    def fits(row: Row) -> bool | None:
        ends = span(row)
        if ends is None:
            return None
        if ends[0] >= cut + margin:
            return True
        return False if ends[1] < cut and ends[1] <= cut - margin else None

    return fits


def _at_most(span: Callable[[Row], Span | None], cut: float, margin: float) -> Fits:
    def fits(row: Row) -> bool | None:
        ends = span(row)
        if ends is None:
            return None
        if ends[1] <= cut - margin:
            return True
        return False if ends[0] > cut and ends[0] >= cut + margin else None

    return fits


def one_of(value: Callable[[Row], Any], wanted: Collection[Any]) -> Fits:
    """Fits where the row's value is one of these; not judged where it has none."""

    def fits(row: Row) -> bool | None:
        found = value(row)
        return None if found in (None, "") else found in wanted

    return fits
