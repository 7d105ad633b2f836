"""Score profiles and business scenarios: `appraisescore/`, `scenariomanage/` [2417-2421, 2486-2490].

No documented interface takes one of them away again: they are made only when asked for (`--lasting`), and a
scenario is left disabled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sottovoce.compat.bench import Bench, first, needed
from sottovoce.compat.filters import Probe, Row, Rows, Span, bounds, containing, judge, one_of
from sottovoce.compat.sqm.calls import seconds
from sottovoce.compat.sqm.catalogue import Interfaces

_LASTING = "needs --lasting: nothing documented deletes it again"
_NO_PROFILE = "no profile could be made"
_NO_SCENARIO = "no scenario could be made"
_EVERY = {"page": 1, "limit": 10000}
_TOLD_TWICE = ("group_name", "is_enable", "description", "ignore_sensitive", "create_time", "other")
"""Fields that both the list and one scenario's answer have."""


async def walk(bench: Bench, known: Interfaces) -> None:
    """Check score profiles, then business scenarios."""
    await _profiles(bench, known)
    await _scenarios(bench, known)


async def _profiles(bench: Bench, known: Interfaces) -> None:
    query, create, modify = known.query_profiles, known.create_profile, known.modify_profile
    with bench.check(query.name, "answers as documented, to the page's own request") as check:
        reply = await bench.ask(query.path, _EVERY)
        check.done(reply, query.code)
        check.like(query.answer, reply.document)
    profile: dict[str, Any] = {"name": f"{bench.name}-s", "lower_bound": 1, "upper_bound": 99, "base": 98}
    made: str | None = None
    with bench.check(create.name, "makes a profile, which is listed with its values") as check:
        needed(bench.lasting or None, _LASTING)
        older = {str(row["id"]) for row in await _listed(bench, known)}
        check.done(await bench.ask(create.path, profile), create.code)
        new = [row for row in await _listed(bench, known) if str(row["id"]) not in older]
        check.that(len(new) == 1, f"{len(new)} more are listed than before")
        made = str(new[0]["id"])
        check.equal(new[0], profile)
    with bench.check(modify.name, "changes all values of a profile") as check:
        needed(bench.lasting or None, _LASTING)
        given = needed(made, _NO_PROFILE)
        changed = {"name": f"{bench.name}-t", "lower_bound": 2, "upper_bound": 100, "base": 90}
        check.done(await bench.ask(modify.path, {**changed, "id": given}), modify.code)
        row = first((row for row in await _listed(bench, known) if str(row["id"]) == given), "it is gone")
        check.equal(row, changed)
    with bench.check(query.name, "limit is the size of a page, and pages differ") as check:
        needed((await _listed(bench, known))[1:], "the server has less than two profiles")
        pages = [await _listed(bench, known, page=page, limit=1) for page in (1, 2)]
        check.that([len(page) for page in pages] == [1, 1] and pages[0] != pages[1], f"pages have {pages}")
    await _apply(bench, known, made)
    for interface in (modify, known.apply_profile):
        with bench.check(interface.name, "declines an unknown profile") as check:
            check.declined(await bench.ask(interface.path, interface.example))


async def _apply(bench: Bench, known: Interfaces, made: str | None) -> None:
    """Use the new profile for a moment, where there is one that can be put back into use."""
    interface = known.apply_profile
    with bench.check(interface.name, "using is the profile that was applied") as check:
        needed(bench.lasting or None, _LASTING)
        given = needed(made, _NO_PROFILE)
        before = str((await bench.ask(known.query_profiles.path, _EVERY)).field("using") or "")
        needed(before, "no profile is in use that could be put back")
        for profile in (given, before):
            check.done(await bench.ask(interface.path, {"id": profile}), interface.code)
            using = (await bench.ask(known.query_profiles.path, _EVERY)).field("using")
            check.that(str(using) == profile, f"using is {using}, applied was {profile}")


async def _listed(bench: Bench, known: Interfaces, **changed: Any) -> list[Mapping[str, Any]]:
    reply = await bench.ask(known.query_profiles.path, {**_EVERY, **changed})
    return list(reply.field("fundamental_score") or ())


async def _scenarios(bench: Bench, known: Interfaces) -> None:
    create, find, update = known.create_scenario, known.query_scenario, known.update_scenario
    status, query = known.scenario_status, known.query_scenarios
    with bench.check(query.name, "answers as documented") as check:
        reply = await bench.ask(query.path, query.example)
        check.done(reply)
        check.like(query.answer, reply.document)
    group: str | None = None
    name = f"{bench.name}-g"
    wanted = {"group_name": name, "description": "first", "ignore_sensitive": 1}
    with bench.check(create.name, "makes a scenario; its id is groupid_ and a UUID") as check:
        needed(bench.lasting or None, _LASTING)
        reply = await bench.ask(create.path, {**create.example, **wanted, "interaction_type": 2})
        check.done(reply, create.code)
        check.like(create.answer, reply.document)
        group = str(reply.field("group_id"))
        check.that(group.startswith("groupid_"), group)
    with bench.check(find.name, "has what was asked for, times in milliseconds") as check:
        needed(bench.lasting or None, _LASTING)
        reply = await bench.ask(find.path, {"group_id": needed(group, _NO_SCENARIO)})
        check.done(reply)
        check.like(find.answer, reply.document)
        told = {**reply.document, **(reply.field("other") or {})}
        check.equal(told, wanted | create.example["other"] | {"group_id": group})
    with bench.check(update.name, "changes a scenario, times in seconds") as check:
        needed(bench.lasting or None, _LASTING)
        other = {"call_from": 1_622_536_490, "call_end": 1_625_042_093}
        changed = {"group_name": f"{name}2", "description": "second", "ignore_sensitive": 0, "is_enable": 1}
        body = {"group_id": needed(group, _NO_SCENARIO), **changed, "other": other}
        check.done(await bench.ask(update.path, body), update.code)
        found = await bench.ask(find.path, {"group_id": group})
        told = {**found.document, **(found.field("other") or {})}
        check.equal(told, changed | {name: at * 1000 for name, at in other.items()})
    for value in (0, 1, 0):
        with bench.check(status.name, f"is_enable {value} is so then") as check:
            needed(bench.lasting or None, _LASTING)
            body = {"group_id": needed(group, _NO_SCENARIO), "is_enable": value}
            check.done(await bench.ask(status.path, body), status.code)
            found = await bench.ask(find.path, {"group_id": group})
            check.that(found.field("is_enable") == value, found)
    await _filters(bench, known)
    for interface in (find, update, status):
        with bench.check(interface.name, "declines an unknown scenario") as check:
            check.declined(await bench.ask(interface.path, interface.example))


async def _filters(bench: Bench, known: Interfaces) -> None:
    interface = known.query_scenarios
    everything: dict[str, Row] = {}

    async def ask(changed: Mapping[str, Any]) -> Rows | None:
        found: dict[str, Row] = {}
        for page in range(1, 11):
            reply = await bench.ask(interface.path, {"page": page, "limit": 100, **changed})
            rows = reply.field("data")
            if not reply.ok or not isinstance(rows, list):
                return None
            found |= {str(row["group_id"]): row for row in rows}
            if len(rows) < 100:
                break
        return found

    with bench.check(interface.name, "lists each scenario once, as queryScenario tells it") as check:
        everything |= needed(await ask({}), "the server has no scenario")
        total = (await bench.ask(interface.path, {"page": 1, "limit": 1})).field("total")
        check.that(total == len(everything), f"total {total}, listed are {len(everything)}")
        for row in list(everything.values())[:5]:
            one = await bench.ask(known.query_scenario.path, {"group_id": row["group_id"]})
            check.equal(one.document, {name: row[name] for name in _TOLD_TWICE if row.get(name) is not None})
    with bench.check(interface.name, "limit is the size of a page, and pages differ") as check:
        needed(len(everything) > 1 or None, "the server has less than two scenarios")
        replies = [await bench.ask(interface.path, {"page": page, "limit": 1}) for page in (1, 2)]
        ids = [[row["group_id"] for row in reply.field("data")] for reply in replies]
        check.that([len(page) for page in ids] == [1, 1] and ids[0] != ids[1], f"pages have {ids}")

    def name(row: Row) -> list[str]:
        return [str(row["group_name"])] if row.get("group_name") else []

    def made(row: Row) -> Span | None:
        return None if row.get("create_time") is None else (float(row["create_time"]),) * 2

    in_ms = any(seconds(row["create_time"]) != row["create_time"] for row in everything.values())
    probes = {
        "scenarioName": containing(everything, "scenarioName", name, 64),
        "scenarioStatus": [
            Probe({"scenarioStatus": one}, one_of(lambda row: str(row.get("is_enable")), {one}))
            for one in ("0", "1")
        ],
        **bounds(everything, ("startTime", "endTime"), made, margin=1000 if in_ms else 1, lowest=1),
    }
    for field, tried in probes.items():
        as_text = [Probe({name: str(value) for name, value in one.asked.items()}, one.fits) for one in tried]
        await judge(bench, interface.name, field, everything, as_text, ask)
