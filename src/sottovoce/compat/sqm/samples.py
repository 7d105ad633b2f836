"""The conditions of a sample: which calls createQualityTask and updateQualityTask take [2505, 2510].

A task of all calls is the measure: by each condition alone, all of its calls that fit must be drawn, and no
other; how many of them, by agent, is what the quantities say. The tasks are deleted as soon as they are read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sottovoce.compat.bench import Bench, Wrong, needed
from sottovoce.compat.filters import Probe, Row, Rows, Span, bounds, equal, judge, one_of
from sottovoce.compat.sqm import calls
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.interfaces import FROM, UNTIL, Interface, sample, task_body
from sottovoce.compat.sqm.made import items_of, named, staff
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.sqm.results import credits_of, rules_of

_EVERYTHING = {"qualityType": 3, "qualityNum": 100, "maxNum": 1000}
"""All calls of every agent."""
_CONDITIONS = (0, 1, 2)
_SCORED_CALLS = 40
_FEW = 2
"""The least quantity of the page, above 1."""


@dataclass(slots=True)
class Samples:
    """How one of the two interfaces is asked for samples, and what it drew."""

    bench: Bench
    known: Interfaces
    interface: Interface
    task: str | None = None
    """The task that is updated; None: each sample is one of a new task."""
    frame: dict[str, Row] = field(default_factory=dict)
    """All calls that can be drawn, by `call_uuid`."""
    number: int = 0

    @property
    def name(self) -> str:
        """What the task is called now."""
        return f"{self.bench.name}-s{self.number}"

    async def draw(self, changed: Mapping[str, Any]) -> Rows | None:
        """The calls that are drawn by these conditions; None: it was declined."""
        window = _milliseconds(self.bench.window or (FROM, UNTIL))
        times = {name: value for name, value in changed.items() if name.endswith("Millis")}
        columns = {name: value for name, value in changed.items() if name not in times}
        self.number += 1
        body = {
            "currentRole": "qualityDirector",
            **window,
            **times,
            "fixedColumns": sample(**_EVERYTHING | columns),
            "qualityTask": {"planName": self.name} | ({} if self.task is None else {"id": self.task}),
        }
        reply = await self.bench.ask(self.interface.path, body)
        if not reply.ok:
            return None
        row = await named(self.bench, self.known, self.name)
        drawn = await items_of(self.bench, self.known, str(row["planCode"]))
        if self.task is None:
            await self.bench.ask(self.known.delete.path, {"qualityTaskId": digits(row["id"])})
        found = [(str(call["call_uuid"]), {**item, **call}) for item in drawn for call in item["calls"]]
        if len(dict(found)) != len(found):
            raise Wrong(f"{len(found)} calls are drawn, but only {len(dict(found))} different ones")
        return dict(found)


def _milliseconds(window: tuple[int, int]) -> dict[str, int]:
    return {"startTimeMillis": window[0] * 1000, "endTimeMillis": window[1] * 1000}


async def walk(bench: Bench, known: Interfaces) -> None:
    """Every condition of both interfaces."""
    for interface, word in ((known.create, "create"), (known.update, "update")):
        if bench.fields and not any(one.startswith(word) for one in bench.fields):
            continue
        samples = Samples(bench, known, interface)
        if not await _begin(samples, update=interface is known.update):
            continue
        for name, probes in _probes(samples, await _scores(samples)).items():
            if bench.wants(f"{word}.{name}"):
                await judge(bench, interface.name, name, samples.frame, probes, samples.draw)
        for name, quantities in _QUANTITIES.items():
            if bench.wants(f"{word}.{name}"):
                await _counted(samples, name, quantities)
        if bench.wants(f"{word}.qualityCondition"):
            await _condition(samples)


async def _begin(samples: Samples, *, update: bool) -> bool:
    """Draw all calls; whether there are any."""
    bench, known = samples.bench, samples.known
    with bench.check(samples.interface.name, "draws all calls with 100 per cent, and none twice") as check:
        await calls.load(bench, known)
        if update:
            name = f"{bench.name}-u"
            made = await bench.ask(known.create.path, task_body(name, maxNum=_FEW))
            needed(made.ok or None, f"no task could be made to be changed: {made}")
            samples.task = digits((await named(bench, known, name))["id"])
        for kind in (0, 2):
            samples.frame |= await samples.draw({"interactionType": kind}) or {}
        needed(samples.frame, "no call could be sampled")
        listed = calls.by_uuid(bench.calls)
        foreign = [one for one in samples.frame if bench.window is None and one not in listed]
        check.that(not foreign, f"{len(foreign)} calls that details does not list, {foreign[:1]} for one")
    return bool(samples.frame)


def _probes(samples: Samples, scores: Mapping[str, Span]) -> dict[str, list[Probe]]:
    rows = samples.frame
    of_kind = {one: row for one, row in rows.items() if row.get("call_type") == 0} or rows
    kind = 0 if of_kind is not rows else 2

    def lasted(row: Row) -> Span | None:
        return None if row.get("duration") is None else (float(row["duration"]),) * 2

    def began(row: Row) -> Span | None:
        return None if row.get("call_time") is None else (float(row["call_time"]),) * 2

    def scored(row: Row) -> Span | None:
        return scores.get(str(row["call_uuid"]))

    in_ms = any(calls.seconds(row["call_time"]) != float(row["call_time"]) for row in rows.values())
    found = {
        **bounds(of_kind, ("durationStart", "durationEnd"), lasted, margin=1, highest=100_000_000),
        **bounds(of_kind, ("scoreStart", "scoreEnd"), scored, highest=10_000),
        **bounds(of_kind, ("startTimeMillis", "endTimeMillis"), began, margin=1000 if in_ms else 1, lowest=1),
        "staffIds": equal(of_kind, "staffIds", staff, calls.NOBODY, many=True),
    }
    alike = {name: [_of_kind(probe, kind) for probe in probes] for name, probes in found.items()}
    kinds = [
        Probe({"interactionType": one}, one_of(lambda row: row.get("call_type"), {one})) for one in (0, 2)
    ]
    return {**alike, "interactionType": kinds}


def _of_kind(probe: Probe, kind: int) -> Probe:
    """The same of calls of one kind, which a sample has to name."""
    return Probe(
        {**probe.asked, "interactionType": kind},
        lambda row: probe.fits(row) if row.get("call_type") in (None, kind) else False,
    )


async def _scores(samples: Samples) -> dict[str, Span]:
    """The least and the largest machine score of each call that has any and was not corrected."""
    bench = samples.bench
    if not any(bench.wants(f"{word}.{name}") for word in _WORDS for name in ("scoreStart", "scoreEnd")):
        return {}
    found: dict[str, Span] = {}
    for uuid in list(samples.frame)[:_SCORED_CALLS]:
        credits = await credits_of(bench, samples.known, uuid)
        scores = [float(one["score"]) for one in credits if one.get("score") is not None]
        if scores and all(rule.get("revise") == -1 for one in credits for _, rule in rules_of(one)):
            found[uuid] = (min(scores), max(scores))
    return found


@dataclass(frozen=True, slots=True)
class _Quantity:
    """Conditions, and how many of `all` calls of one agent (or of all agents) they may draw."""

    asked: Mapping[str, Any]
    least: Callable[[int], int]
    most: Callable[[int], int]
    by_agent: bool


def _number(count: int, kind: int) -> _Quantity:
    asked = {"qualityType": kind, "qualityNum": count}
    return _Quantity(asked, lambda n: min(n, count), lambda n: min(n, count), by_agent=kind == 2)


def _percent(share: int) -> _Quantity:
    return _Quantity(
        {"qualityType": 3, "qualityNum": share},
        lambda n: math.floor(n * share / 100),
        lambda n: math.ceil(n * share / 100),
        by_agent=True,
    )


_QUANTITIES = {
    "qualityType": (_number(_FEW, 1), _number(_FEW, 2), _percent(50)),
    "qualityNum": (_number(_FEW, 1), _number(_FEW + 1, 1), _percent(50), _percent(100)),
    "maxNum": (_Quantity({"maxNum": _FEW}, lambda n: min(n, 1), lambda n: _FEW, by_agent=False),),
}
_WORDS = ("create", "update")


async def _counted(samples: Samples, name: str, quantities: Sequence[_Quantity]) -> None:
    bench = samples.bench
    frame = [row for row in samples.frame.values() if row.get("call_type") in (None, 0)]
    agents = Counter(staff(row) for row in frame)
    with bench.check(
        samples.interface.name, f"{name}: so many calls are drawn, by agent where it says so"
    ) as check:
        needed(len(frame) > _FEW + 1 or None, f"the server has {len(frame)} calls, so it could not be judged")
        if name == "qualityType":
            needed(max(agents.values()) > _FEW or None, "no agent has more than two calls")
            needed(agents.keys() - {None, *agents.most_common(1)[0][:1]}, "all calls are of one agent")
        for quantity in quantities:
            drawn = list((await samples.draw(quantity.asked) or {}).values())
            groups = agents if quantity.by_agent else {None: len(frame)}
            for agent, count in groups.items():
                mine = [row for row in drawn if not quantity.by_agent or staff(row) == agent]
                wanted = f"{quantity.least(count)} to {quantity.most(count)}"
                check.that(
                    quantity.least(count) <= len(mine) <= quantity.most(count),
                    f"{dict(quantity.asked)}: {len(mine)} of {count} calls, not {wanted}",
                )


async def _condition(samples: Samples) -> None:
    """What its values mean is nowhere told, but that they tell calls apart by whether they were sampled."""
    bench, interface = samples.bench, samples.interface
    drawn: dict[int, set[str]] = {}
    sampled: set[str] = set()
    with bench.check(interface.name, "qualityCondition: its values do not all draw the same") as check:
        name = f"{bench.name}-{'v' if samples.task else 'c'}"
        made = await bench.ask(samples.known.create.path, task_body(name, maxNum=_FEW))
        check.done(made)
        row = await named(bench, samples.known, name)
        kept = await items_of(bench, samples.known, str(row["planCode"]))
        sampled = {str(call["call_uuid"]) for item in kept for call in item["calls"]}
        needed(len(samples.frame) > len(sampled) or None, "all calls are sampled, so it could not be judged")
        for value in _CONDITIONS:
            drawn[value] = set(await samples.draw({"qualityCondition": value}) or {})
        await bench.ask(samples.known.delete.path, {"qualityTaskId": digits(row["id"])})
        same = drawn[0] == drawn[1] == drawn[2]
        check.that(not same, f"each draws {len(drawn[0])} calls, of which a task has {len(sampled)}")
    with bench.check(interface.name, "qualityCondition: 0 fresh, 1 sampled, 2 all", inferred=True) as check:
        needed(drawn, "it could not be judged")
        check.that(not sampled & drawn[0], "0 draws what a task has already")
        check.that(sampled <= drawn[1], "1 does not draw what a task has already")
        check.that(drawn[0] | drawn[1] == drawn[2], "2 draws other calls than 0 and 1 together")
        check.that(not drawn[0] & drawn[1], "0 and 1 draw the same calls")
