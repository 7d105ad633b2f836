"""How a filter is judged by what it keeps and leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sottovoce.compat.bench import Bench, People
from sottovoce.compat.filters import Probe, Row, Rows, bounds, containing, equal, judge, unlike_filter
from sottovoce.compat.findings import CheckVerdict, Findings
from sottovoce.compat.wire import Wire

ROWS: dict[str, Row] = {
    "a": {"s": 10, "who": "1", "file": "first.wav"},
    "b": {"s": 20, "who": "2", "file": "second.wav"},
    "c": {"s": None, "who": "2", "file": "Second.wav"},
}


def lasted(row: Row) -> tuple[float, float] | None:
    return None if row["s"] is None else (row["s"], row["s"])


def kept(probe: Probe) -> dict[str, bool | None]:
    return {name: probe.fits(row) for name, row in ROWS.items()}


def test_bounds_lie_beyond_and_between_the_values() -> None:
    probes = bounds(ROWS, ("from", "to"), lasted, margin=1)
    assert [dict(probe.asked) for probe in probes["from"]] == [{"from": 8}, {"from": 15}, {"from": 22}]
    assert [kept(probe) for probe in probes["from"]] == [
        {"a": True, "b": True, "c": None},
        {"a": False, "b": True, "c": None},
        {"a": False, "b": False, "c": None},
    ]
    assert [list(kept(probe).values())[:2] for probe in probes["to"]] == [
        [False, False],
        [True, False],
        [True, True],
    ]


def test_what_may_be_rounded_is_not_judged() -> None:
    near = {"a": {"s": 10}, "b": {"s": 12}}
    probes = bounds(near, ("from", "to"), lasted, margin=1)["from"]
    assert [probe.asked["from"] for probe in probes] == [8, 14]
    assert bounds(near, ("from", "to"), lasted, lowest=9, highest=13)["to"][0].asked == {"to": 9}


def test_a_text_that_is_a_part_of_another_is_not_judged() -> None:
    probes = containing(ROWS, "file", lambda row: [row["file"]], 32)
    assert [probe.asked["file"] for probe in probes] == ["Second.wav", "second.wav", "nobody-said-this"]
    assert kept(probes[1]) == {"a": False, "b": True, "c": None}
    assert kept(containing(ROWS, "file", lambda row: None, 32)[0]) == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ({"b", "c"}, None),
        ({"b"}, "1 that fit are missing, c for one"),
        ({"a", "b", "c"}, "1 of 3 do not fit, a for one"),
    ],
)
def test_all_that_fit_and_nothing_else(found: set[str], wrong: str | None) -> None:
    probe = equal(ROWS, "who", lambda row: row["who"], "9")[1]
    assert unlike_filter(ROWS, {one: ROWS[one] for one in found}, probe.fits) == wrong


@pytest.mark.parametrize(
    ("rows", "ignores", "verdict"),
    [
        (ROWS, False, CheckVerdict.PASS),
        (ROWS, True, CheckVerdict.FAIL),
        ({}, False, CheckVerdict.SKIP),
        ({"a": {"who": None}}, False, CheckVerdict.SKIP),
    ],
)
async def test_what_cannot_be_told_apart_is_not_passed(
    rows: Rows, ignores: bool, verdict: CheckVerdict
) -> None:
    wire = Wire("http://127.0.0.1:1", "key", "secret")
    bench = Bench(wire, People("1"), Findings())

    async def ask(asked: Mapping[str, Any]) -> Rows | None:
        return {one: row for one, row in rows.items() if ignores or row["who"] == asked["who"]}

    await judge(bench, "one", "who", rows, equal(rows, "who", lambda row: row["who"], "9"), ask)
    await wire.close()
    assert [finding.verdict for finding in bench.findings.found] == [verdict]
