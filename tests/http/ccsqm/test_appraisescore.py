"""Score profiles over HTTP: made, used, changed, deleted, listed; by whom; in which tenant."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.quality.standing import BY_ROLE, FOREIGN, ONE, PLAIN, TWO, Answered, Standing

from sottovoce.domain.people import Role
from sottovoce.storage import audit

OURS = {"name": "ours", "lower_bound": 0, "upper_bound": 100, "base": 80}


async def made(standing: Standing, **changed: Any) -> str:
    answer = await standing.call("appraisescore/createAppraiseScore", {**OURS, **changed})
    assert answer.ok, answer
    assert isinstance(answer.body["id"], str)
    return answer.body["id"]


async def listed(standing: Standing, page: int = 1, limit: int = 10000) -> Answered:
    """The documented example of a query."""
    answer = await standing.call("appraisescore/queryAppraiseScore", {"page": page, "limit": limit})
    assert answer.code == "0412000"
    return answer


async def test_a_profile_s_whole_life(standing: Standing) -> None:
    assert (await listed(standing)).body == {
        "resultCode": "0412000",
        "resultDesc": "Operation successful.",
        "using": "",
        "fundamental_score": [],
    }
    first = await made(standing)
    assert len(first) == 19
    second = await made(standing, name="finer", lower_bound="-5.5", upper_bound=120.25, base="100")
    for profile in (first, int(second), second):
        applied = await standing.call("appraisescore/applyAppraiseScore", {"id": profile})
        assert applied.body == {"resultCode": "0412000", "resultDesc": "Operation successful."}
    held = (await listed(standing)).body
    assert held["using"] == second
    assert held["fundamental_score"] == [
        {"id": first, **OURS},
        {"id": second, "name": "finer", "lower_bound": -5.5, "upper_bound": 120.25, "base": 100},
    ]
    assert [type(held["fundamental_score"][1][name]) for name in ("lower_bound", "base")] == [float, int]

    changed = {"id": first, "name": "ours too", "lower_bound": 1, "upper_bound": 2, "base": 1.5}
    assert (await standing.call("appraisescore/modifyAppraiseScore", changed)).code == "0412000"
    assert (await listed(standing)).body["fundamental_score"][0] == changed
    assert [one["id"] for one in (await listed(standing, 2, 1)).body["fundamental_score"]] == [second]
    assert (await listed(standing, 3, 1)).body["fundamental_score"] == []

    used = await standing.call("appraisescore/deleteAppraiseScore", {"id": second})
    assert (used.status, used.code) == (200, "0412005")
    assert (await standing.call("appraisescore/deleteAppraiseScore", {"id": first})).code == "0412000"
    assert [one["id"] for one in (await listed(standing)).body["fundamental_score"]] == [second]
    for gone in ("applyAppraiseScore", "deleteAppraiseScore"):
        assert (await standing.call(f"appraisescore/{gone}", {"id": first})).code == "0412004"
    assert (await standing.call("appraisescore/modifyAppraiseScore", changed)).code == "0412004"
    actions = [entry.action for entry in await audit.read(standing.engine, ONE)]
    assert actions == [
        f"score_profile.{verb}" for verb in ("create", "create", "apply", "apply", "modify", "delete")
    ]


async def test_a_name_is_free_again_once_its_profile_is_deleted(standing: Standing) -> None:
    first = await made(standing)
    other = await made(standing, name="other")
    assert (await standing.call("appraisescore/createAppraiseScore", OURS)).code == "0412007"
    taken = await standing.call("appraisescore/modifyAppraiseScore", {**OURS, "id": other})
    assert taken.code == "0412007"
    await standing.call("appraisescore/deleteAppraiseScore", {"id": first})
    assert await made(standing) != first


BAD: tuple[tuple[str, Any, str], ...] = (
    ("createAppraiseScore", {**OURS, "name": None}, "name"),
    ("createAppraiseScore", {**OURS, "name": 7}, "name"),
    ("createAppraiseScore", {**OURS, "name": "x" * 65}, "name"),
    ("createAppraiseScore", {**OURS, "base": True}, "base"),
    ("createAppraiseScore", {**OURS, "base": "eighty"}, "base"),
    ("createAppraiseScore", {**OURS, "base": 0.001}, "base"),
    ("createAppraiseScore", {**OURS, "base": [80]}, "base"),
    ("createAppraiseScore", {**OURS, "base": 101}, "base"),
    ("createAppraiseScore", {**OURS, "lower_bound": 81}, "base"),
    ("createAppraiseScore", {**OURS, "lower_bound": 101}, "lower_bound"),
    ("createAppraiseScore", {**OURS, "upper_bound": 1e7}, "upper_bound"),
    ("modifyAppraiseScore", OURS, "id"),
    ("modifyAppraiseScore", {**OURS, "id": 1.5}, "id"),
    ("applyAppraiseScore", {}, "id"),
    ("applyAppraiseScore", {"id": "x"}, "id"),
    ("deleteAppraiseScore", {"id": "1" * 21}, "id"),
    ("queryAppraiseScore", {"page": 1}, "limit"),
    ("queryAppraiseScore", {"page": 0, "limit": 10}, "page"),
    ("queryAppraiseScore", {"page": 2**62, "limit": 10}, "page"),
    ("queryAppraiseScore", {"page": 1, "limit": 10**7}, "limit"),
)


async def test_a_bad_field_is_named(standing: Standing) -> None:
    for name, body, field in BAD:
        answer = await standing.call(f"appraisescore/{name}", body)
        assert (answer.status, answer.code) == (200, "0412001"), (name, body)
        assert answer.body["resultDesc"].startswith(f"{field}: "), (name, body, answer)


EDITING = ("createAppraiseScore", "applyAppraiseScore", "modifyAppraiseScore", "deleteAppraiseScore")
MAY_QUERY = {Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER, Role.INSPECTOR, Role.TABLE_DIRECTOR}


async def test_every_role_meets_every_interface(standing: Standing) -> None:
    profile = await made(standing)
    for role, user in [*BY_ROLE.items(), (None, PLAIN)]:
        for name in EDITING:
            body = {**OURS, "name": f"{role} {name}", "id": profile}
            answer = await standing.call(f"appraisescore/{name}", body, user)
            wanted = "0412000" if role is Role.QUALITY_DIRECTOR else "0412003"
            if name == "deleteAppraiseScore" and role is Role.QUALITY_DIRECTOR:
                wanted = "0412005"
            assert (answer.status, answer.code) == (200, wanted), (role, name)
        answer = await standing.call("appraisescore/queryAppraiseScore", {"page": 1, "limit": 9}, user)
        assert answer.code == ("0412000" if role in MAY_QUERY else "0412003"), role


async def test_only_the_query_wants_a_user_named_and_somebody_must_act(standing: Standing) -> None:
    for name in (*EDITING, "queryAppraiseScore"):
        assert (await standing.call(f"appraisescore/{name}", {}, None)).code == "0412002"
        assert (await standing.call(f"appraisescore/{name}", {}, FOREIGN)).code == "0412002"


async def test_another_tenant_s_profiles_are_unknown(standing: Standing) -> None:
    profile = await made(standing)
    bodies = {"modifyAppraiseScore": {**OURS, "id": profile}}
    for name in EDITING[1:]:
        body = bodies.get(name, {"id": profile})
        answer = await standing.call(f"appraisescore/{name}", body, FOREIGN, vdn=TWO)
        assert answer.code == "0412004", name
    query = await standing.call(
        "appraisescore/queryAppraiseScore", {"page": 1, "limit": 10}, FOREIGN, vdn=TWO
    )
    assert query.body["fundamental_score"] == []
    same_name = await standing.call("appraisescore/createAppraiseScore", OURS, FOREIGN, vdn=TWO)
    assert same_name.ok


async def test_applying_at_once_leaves_exactly_one_in_use(standing: Standing) -> None:
    profiles = [await made(standing, name=f"profile {number}") for number in range(5)]
    answers = await asyncio.gather(
        *(standing.call("appraisescore/applyAppraiseScore", {"id": one}) for one in profiles)
    )
    assert {answer.code for answer in answers} == {"0412000"}
    assert (await listed(standing)).body["using"] in profiles
