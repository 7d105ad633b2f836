"""Score profiles and business scenarios: `appraisescore/`, `scenariomanage/` [2417-2421, 2486-2490].

No documented interface takes one of them away again: they are made only when asked for (`--lasting`), and a
scenario is left disabled.
"""

from __future__ import annotations

from typing import Any

from sottovoce.compat.bench import Bench, needed
from sottovoce.compat.sqm.catalogue import Interfaces

_LASTING = "needs --lasting: nothing documented deletes it again"


async def walk(bench: Bench, known: Interfaces) -> None:
    """Check score profiles, then business scenarios."""
    await _profiles(bench, known)
    await _scenarios(bench, known)


async def _profiles(bench: Bench, known: Interfaces) -> None:
    query, create, modify = known.query_profiles, known.create_profile, known.modify_profile
    everything = {"page": 1, "limit": 10000}
    with bench.check(query.name, "answers as documented, to the page's own request") as check:
        reply = await bench.ask(query.path, everything)
        check.done(reply, query.code)
        check.like(query.answer, reply.document)
    name = f"{bench.name}-s"
    profile: dict[str, Any] = {"name": name, "lower_bound": 0, "upper_bound": 100, "base": 100}
    found: dict[str, Any] | None = None
    with bench.check(create.name, "makes a profile, which is listed") as check:
        needed(bench.lasting or None, _LASTING)
        check.done(await bench.ask(create.path, profile), create.code)
        listed = (await bench.ask(query.path, everything)).field("fundamental_score") or ()
        found = next((row for row in listed if row["name"] == name), None)
        check.that(found is not None, f"no {name} in {listed}")
    with bench.check(modify.name, "changes a profile") as check:
        needed(bench.lasting or None, _LASTING)
        made = needed(found, "no profile could be made")
        check.done(await bench.ask(modify.path, {**profile, "id": str(made["id"]), "base": 90}), modify.code)
        listed = (await bench.ask(query.path, everything)).field("fundamental_score") or ()
        bases = [row["base"] for row in listed if str(row["id"]) == str(made["id"])]
        check.that(bases == [90], f"base {bases}")
    for interface in (modify, known.apply_profile):
        with bench.check(interface.name, "declines an unknown profile") as check:
            check.declined(await bench.ask(interface.path, interface.example))


async def _scenarios(bench: Bench, known: Interfaces) -> None:
    create, find, update = known.create_scenario, known.query_scenario, known.update_scenario
    status, query = known.scenario_status, known.query_scenarios
    with bench.check(query.name, "answers as documented") as check:
        reply = await bench.ask(query.path, query.example)
        check.done(reply)
        check.like(query.answer, reply.document)
    group: str | None = None
    name = f"{bench.name}-g"
    with bench.check(create.name, "makes a scenario; its id is groupid_ and a UUID") as check:
        needed(bench.lasting or None, _LASTING)
        reply = await bench.ask(create.path, {**create.example, "group_name": name})
        check.done(reply, create.code)
        check.like(create.answer, reply.document)
        group = str(reply.field("group_id"))
        check.that(group.startswith("groupid_"), group)
    with bench.check(find.name, "answers as documented, times in milliseconds") as check:
        needed(bench.lasting or None, _LASTING)
        reply = await bench.ask(find.path, {"group_id": needed(group, "no scenario could be made")})
        check.done(reply)
        check.like(find.answer, reply.document)
        wanted = create.example["other"]["call_from"]
        check.that(reply.field("other").get("call_from") == wanted, f"{reply.field('other')}")
    with bench.check(update.name, "changes a scenario, times in seconds") as check:
        needed(bench.lasting or None, _LASTING)
        other = {"call_from": 1_622_536_490, "call_end": 1_625_042_093}
        body = {"group_id": needed(group, "no scenario could be made"), "group_name": f"{name}2"}
        reply = await bench.ask(update.path, {**body, "is_enable": 1, "other": other})
        check.done(reply, update.code)
        found = await bench.ask(find.path, {"group_id": group})
        check.that(found.field("group_name") == f"{name}2", found)
        check.that((found.field("other") or {}).get("call_from") == 1_622_536_490_000, found)
    with bench.check(status.name, "disables a scenario; queryAllScenario finds it by that") as check:
        needed(bench.lasting or None, _LASTING)
        body = {"group_id": needed(group, "no scenario could be made"), "is_enable": 0}
        check.done(await bench.ask(status.path, body), status.code)
        wanted = {"page": 1, "limit": 100, "scenarioName": f"{name}2", "scenarioStatus": "0"}
        rows = (await bench.ask(query.path, wanted)).field("data") or ()
        check.that(group in [row["group_id"] for row in rows], f"not in {rows}")
    for interface in (find, update, status):
        with bench.check(interface.name, "declines an unknown scenario") as check:
            check.declined(await bench.ask(interface.path, interface.example))
