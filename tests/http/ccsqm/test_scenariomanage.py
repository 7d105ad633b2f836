"""Scenarios over HTTP: milliseconds here, seconds there; by whom; in which tenant."""

from __future__ import annotations

import re
from typing import Any

from tests.quality.inspected import bring
from tests.quality.standing import BY_ROLE, FOREIGN, NOW, ONE, PLAIN, TWO, Standing

from sottovoce.domain.people import Role
from sottovoce.storage import audit

EXAMPLE = {"type": 0, "connected_call_type": 0, "call_from": 1622536490000, "call_end": 1625042093000}
"""`other` as printed on the page of createScenario."""
MADE_MS = int(NOW.timestamp()) * 1000


async def made(standing: Standing, name: str = "Sales", **fields: Any) -> str:
    body = {"group_name": name, "other": {}, **fields}
    answer = await standing.call("scenariomanage/createScenario", body)
    assert answer.ok, answer
    assert isinstance(answer.body["group_id"], str)
    return answer.body["group_id"]


async def shown(standing: Standing, scenario: str) -> dict[str, Any]:
    answer = await standing.call("scenariomanage/queryScenario", {"group_id": scenario})
    assert answer.ok, answer
    assert isinstance(answer.body, dict)
    return answer.body


async def listed(standing: Standing, **wanted: Any) -> tuple[int, list[str]]:
    body = {"page": 1, "limit": 10, **wanted}
    answer = await standing.call("scenariomanage/queryAllScenario", body)
    assert answer.code == "0406000"
    return answer.body["total"], [one["group_name"] for one in answer.body["data"]]


async def test_the_documented_example_is_made_and_shown(standing: Standing) -> None:
    body = {"group_name": "test", "description": "d", "ignore_sensitive": 1, "other": EXAMPLE}
    answer = await standing.call("scenariomanage/createScenario", body)
    assert re.fullmatch(r"groupid_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.body["group_id"])
    assert answer.body == {
        "group_id": answer.body["group_id"],
        "resultCode": "0406000",
        "resultDesc": "Operation successful.",
    }
    assert await shown(standing, answer.body["group_id"]) == {
        "group_id": answer.body["group_id"],
        "group_name": "test",
        "is_enable": 0,
        "other": EXAMPLE,
        "create_time": MADE_MS,
        "description": "d",
        "ignore_sensitive": 1,
        "rules": [],
        "silence_rules": [],
        "speed_rules": [],
        "interposal_rules": [],
    }


async def test_update_takes_seconds_and_leaves_what_is_absent(standing: Standing) -> None:
    scenario = await made(standing, description="d", ignore_sensitive="1", interaction_type=2, other=EXAMPLE)
    body: dict[str, Any] = {"group_id": scenario, "group_name": "Service", "is_enable": "1"}
    assert (await standing.call("scenariomanage/updateScenario", body)).body == {
        "resultCode": "0406000",
        "resultDesc": "Operation successful.",
    }
    after = await shown(standing, scenario)
    assert (after["group_name"], after["is_enable"], after["description"]) == ("Service", 1, "d")
    assert (after["other"], after["ignore_sensitive"]) == (EXAMPLE, 1)
    body |= {
        "description": "other",
        "ignore_sensitive": 0,
        "is_enable": 0,
        "interaction_type": 0,
        "other": {"call_from": 1622536490, "call_end": 1625042093, "type": 1},
        "rules": ["967510375224315904"],
        "silence_rules": ["a", "b"],
        "speed_rules": [],
        "interposal_rules": ["c"],
    }
    assert (await standing.call("scenariomanage/updateScenario", body)).ok
    assert await shown(standing, scenario) == {
        "group_id": scenario,
        "group_name": "Service",
        "is_enable": 0,
        "other": {"call_from": 1622536490000, "call_end": 1625042093000, "type": 1},
        "create_time": MADE_MS,
        "description": "other",
        "ignore_sensitive": 0,
        "rules": ["967510375224315904"],
        "silence_rules": ["a", "b"],
        "speed_rules": [],
        "interposal_rules": ["c"],
    }
    answer = await standing.call("scenariomanage/queryAllScenario", {"page": 1, "limit": 1})
    [row] = answer.body["data"]
    assert (row["rule_count"], row["interaction_type"], "rules" in row) == (4, 0, False)


async def test_switched_on_and_off(standing: Standing) -> None:
    scenario = await made(standing)
    for is_enable in (1, 1, 0):
        body = {"group_id": scenario, "is_enable": is_enable}
        assert (await standing.call("scenariomanage/updateScenarioStatus", body)).code == "0406000"
        assert (await shown(standing, scenario))["is_enable"] == is_enable


async def test_listed_by_name_status_and_time_the_newest_first(standing: Standing) -> None:
    for number, name in enumerate(("Sales", "After-sales", "100% service")):
        await made(standing, name)
        standing.clock.advance(60)
        if number == 1:
            half = MADE_MS + 60_000
    scenario = (await standing.call("scenariomanage/queryAllScenario", {"page": 1, "limit": 1})).body["data"][
        0
    ]
    await standing.call(
        "scenariomanage/updateScenarioStatus", {"group_id": scenario["group_id"], "is_enable": 1}
    )
    assert await listed(standing) == (3, ["100% service", "After-sales", "Sales"])
    assert await listed(standing, page=2, limit=2) == (3, ["Sales"])
    assert await listed(standing, scenarioName="sales") == (2, ["After-sales", "Sales"])
    assert await listed(standing, scenarioName="0%") == (1, ["100% service"])
    assert await listed(standing, scenarioName="_") == (0, [])
    assert await listed(standing, scenarioStatus="1") == (1, ["100% service"])
    assert await listed(standing, scenarioStatus="0") == (2, ["After-sales", "Sales"])
    assert await listed(standing, scenarioStatus="", scenarioName="") == await listed(standing)
    assert await listed(standing, startTime=str(half)) == (2, ["100% service", "After-sales"])
    assert await listed(standing, endTime=str(half // 1000)) == (2, ["After-sales", "Sales"])


async def test_a_deleted_scenario_is_gone_but_not_what_it_gave(standing: Standing) -> None:
    scenario = await made(standing)
    contact = await standing.contact()
    assert (await bring(standing, {"contact": contact})).mistakes, "it is off"
    await standing.call("scenariomanage/updateScenarioStatus", {"group_id": scenario, "is_enable": 1})
    await bring(standing, {"contact": contact})
    assert (await standing.call("scenariomanage/deleteScenario", {"group_id": scenario})).code == "0406000"
    for name in ("deleteScenario", "queryScenario"):
        answer = await standing.call(f"scenariomanage/{name}", {"group_id": scenario})
        assert (answer.status, answer.code) == (200, "0406004")
    assert await listed(standing) == (0, [])
    assert (await bring(standing, {"contact": contact, "rule": "r2"})).mistakes
    assert await made(standing) != scenario
    actions = [entry.action for entry in await audit.read(standing.engine, ONE)]
    assert actions == [
        "scenario.create",
        "scenario.switch",
        "score.machine",
        "results.import",
        "scenario.delete",
        "scenario.create",
    ]


async def test_a_name_is_given_once(standing: Standing) -> None:
    await made(standing)
    other = await made(standing, "Service")
    body = {"group_name": "Sales", "other": {}}
    assert (await standing.call("scenariomanage/createScenario", body)).code == "0406007"
    body = {"group_name": "Sales", "group_id": other, "is_enable": 1}
    assert (await standing.call("scenariomanage/updateScenario", body)).code == "0406007"


async def test_of_other_only_what_is_plain_and_short_is_kept(standing: Standing) -> None:
    other: dict[str, Any] = {"type": 0, "flag": True, "text": "t", "call_from": None}
    odd = {
        "list": [1],
        "object": {},
        "none": None,
        "long": "x" * 257,
        "huge": 2**80,
        "nul": "a\0",
        "half": 1.5,
    }
    scenario = await made(standing, other={**other, **odd})
    assert (await shown(standing, scenario))["other"] == {"type": 0, "flag": True, "text": "t"}
    many = {f"field{number}": number for number in range(50)}
    scenario = await made(standing, "Service", other=many)
    assert len((await shown(standing, scenario))["other"]) == 20


CREATE = {"group_name": "x", "other": {}}
UPDATE = {"group_id": "groupid_x", "group_name": "x", "is_enable": 1}


BAD: tuple[tuple[str, Any, str], ...] = (
    ("createScenario", {"other": {}}, "group_name"),
    ("createScenario", {**CREATE, "group_name": "x" * 129}, "group_name"),
    ("createScenario", {"group_name": "x"}, "other"),
    ("createScenario", {**CREATE, "other": []}, "other"),
    ("createScenario", {**CREATE, "other": {"call_from": "x"}}, "other.call_from"),
    ("createScenario", {**CREATE, "other": {"call_from": 2, "call_end": 1}}, "other.call_end"),
    ("createScenario", {**CREATE, "ignore_sensitive": 2}, "ignore_sensitive"),
    ("createScenario", {**CREATE, "interaction_type": 1}, "interaction_type"),
    ("createScenario", {**CREATE, "description": 5}, "description"),
    ("updateScenario", {**UPDATE, "is_enable": None}, "is_enable"),
    ("updateScenario", {**UPDATE, "is_enable": True}, "is_enable"),
    ("updateScenario", {**UPDATE, "group_name": None}, "group_name"),
    ("updateScenario", {**UPDATE, "other": {"call_from": 10**12}}, "other.call_from"),
    ("updateScenario", {**UPDATE, "rules": "a"}, "rules"),
    ("updateScenario", {**UPDATE, "rules": [1]}, "rules.0"),
    ("updateScenarioStatus", {"group_id": "x", "is_enable": 3}, "is_enable"),
    ("updateScenarioStatus", {"is_enable": 1}, "group_id"),
    ("queryScenario", {}, "group_id"),
    ("queryScenario", {"group_id": 5}, "group_id"),
    ("deleteScenario", {"group_id": "a\0"}, "group_id"),
    ("queryAllScenario", {"page": 1}, "limit"),
    ("queryAllScenario", {"page": 1, "limit": 0}, "limit"),
    ("queryAllScenario", {"page": 1, "limit": 1, "scenarioStatus": "on"}, "scenarioStatus"),
    ("queryAllScenario", {"page": 1, "limit": 1, "startTime": "2026-01-01"}, "startTime"),
)


async def test_a_bad_field_is_named(standing: Standing) -> None:
    for name, body, field in BAD:
        answer = await standing.call(f"scenariomanage/{name}", body)
        assert (answer.status, answer.code) == (200, "0406001"), (name, body)
        assert answer.body["resultDesc"].startswith(f"{field}: "), (name, body, answer)


async def test_settings_that_do_not_fit_an_existing_scenario_name_their_field(standing: Standing) -> None:
    scenario = await made(standing)
    body = {**UPDATE, "group_id": scenario, "silence_rules": ["a", "a"]}
    answer = await standing.call("scenariomanage/updateScenario", body)
    assert answer.code == "0406001"
    assert answer.body["resultDesc"].startswith("silence_rules: ")


MAY_QUERY = {Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER, Role.INSPECTOR, Role.TABLE_DIRECTOR}


async def test_every_role_meets_every_interface(standing: Standing) -> None:
    for role, user in [*BY_ROLE.items(), (None, PLAIN)]:
        scenario = await made(standing, f"for {role}")
        edits = {
            "createScenario": {"group_name": f"by {role}", "other": {}},
            "updateScenario": {"group_id": scenario, "group_name": f"of {role}", "is_enable": 1},
            "updateScenarioStatus": {"group_id": scenario, "is_enable": 0},
        }
        queries = {
            "queryScenario": {"group_id": scenario},
            "queryAllScenario": {"page": 1, "limit": 10},
        }
        for name, body in {**edits, **queries, "deleteScenario": {"group_id": scenario}}.items():
            answer = await standing.call(f"scenariomanage/{name}", body, user)
            allowed = role in MAY_QUERY if name in queries else role is Role.QUALITY_DIRECTOR
            assert answer.ok is allowed, (role, name)
            assert allowed or answer.code == "0406003", (role, name)


async def test_another_tenant_s_scenarios_are_unknown(standing: Standing) -> None:
    scenario = await made(standing)
    for name in ("updateScenario", "updateScenarioStatus", "queryScenario", "deleteScenario"):
        body = {**UPDATE, "group_id": scenario}
        answer = await standing.call(f"scenariomanage/{name}", body, FOREIGN, vdn=TWO)
        assert answer.code == "0406004", name
        assert (await standing.call(f"scenariomanage/{name}", body, FOREIGN)).code == "0406002", name
        assert (await standing.call(f"scenariomanage/{name}", body, None)).code == "0406002", name
    everything = {"page": 1, "limit": 10}
    answer = await standing.call("scenariomanage/queryAllScenario", everything, FOREIGN, vdn=TWO)
    assert (answer.body["total"], answer.body["data"]) == (0, [])
    assert (await standing.call("scenariomanage/createScenario", CREATE, FOREIGN, vdn=TWO)).ok
    assert (await shown(standing, scenario))["group_name"] == "Sales"
