"""Credit over HTTP: what each scenario found on a call, in the pages' spelling."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.quality.inspected import bring, scenario, uuid_of
from tests.quality.standing import INSPECTOR, NOW, ONE, PLAIN, TWO, Answered, Standing

from sottovoce.domain.scoring import RuleKind
from sottovoce.http.ccisqm.words import ISQM
from sottovoce.quality import results

CALL = "822bbf4d-c4f8-473a-9144-199058375be8"
"""The call of the documented example."""


async def credit(standing: Standing, body: Any, **given: Any) -> Answered:
    return await standing.call("appraisecall/credit", body, None, base=ISQM, **given)


async def test_the_documented_example(standing: Standing) -> None:
    first, second = await scenario(standing, "first"), await scenario(standing, "second")
    contact = await standing.contact(uuid=UUID(CALL))
    dialog = "dialogRule153309ee-7031-4322-a8d4-3682bd6f09ac"
    silence = "silenceRule09c8ea6a-03a7-4302-a246-1accf1f7257e"
    await bring(
        standing,
        {
            "contact": contact,
            "scenario": "first",
            "rule": "967510375224315904",
            "name": "Greets",
            "points": 3,
            "revise_id": dialog,
        },
        {"contact": contact, "scenario": "first", "rule": "hidden", "points": 20, "revise_id": "dialogRule2"},
        {
            "contact": contact,
            "scenario": "second",
            "kind": "silence",
            "rule": "966506182489411584",
            "name": "Long silence",
            "valid": True,
            "revise_id": silence,
        },
        {"contact": contact, "scenario": "second", "points": 22, "rule": "r2", "revise_id": "dialogRule3"},
        {"contact": contact, "scenario": "second", "kind": "speed", "rule": "s", "revise_id": "speedRule1"},
    )
    answer = await credit(standing, {"call_uuid": CALL})
    assert answer.status == 200
    [whole] = answer.body
    assert whole["create_time"] == int(NOW.timestamp())
    by_name = {one["setting"]["group_name"]: one for one in whole["credit"]}
    assert by_name["first"]["score"] == 77
    assert isinstance(by_name["first"]["score"], int)
    assert by_name["first"]["rules"][0] == {
        "valid": False,
        "score": -3,
        "invalid_segment": [],
        "revise_id": dialog,
        "revise": -1,
        "setting": {"rule_id": "967510375224315904", "rule_name": "Greets"},
    }
    assert by_name["first"]["setting"] == {
        "group_id": first,
        "group_name": "first",
        "ignore_sensitive": 0,
        "description": "",
    }
    assert set(by_name["first"]) == {"score", "rules", "setting"}
    assert by_name["second"] == {
        "silence_rule": [
            {
                "valid": True,
                "score": 0,
                "invalid_segment": [],
                "revise_id": silence,
                "revise": -1,
                "name": "Long silence",
                "setting": {"silence_id": "966506182489411584", "name": "Long silence"},
            }
        ],
        "score": 75,
        "rules": [
            {
                "valid": False,
                "score": -22,
                "invalid_segment": [],
                "revise_id": "dialogRule3",
                "revise": -1,
                "setting": {"rule_id": "r2", "rule_name": "r2"},
            }
        ],
        "speed_rule": [
            {
                "valid": False,
                "score": -3,
                "invalid_segment": [],
                "revise_id": "speedRule1",
                "revise": -1,
                "name": "s",
                "setting": {"speed_id": "s", "name": "s"},
            }
        ],
        "setting": {"group_id": second, "group_name": "second", "ignore_sensitive": 0, "description": ""},
    }


async def test_the_other_kinds_segments_decimals_and_revisions(standing: Standing) -> None:
    await scenario(standing, ignore_sensitive=True, description="for sales")
    contact = await standing.contact()
    await bring(
        standing,
        {"contact": contact, "kind": 13, "rule": "i", "points": 0.5, "segments": "0-1200 3000-4500"},
        {"contact": contact, "kind": 60, "rule": "w", "name": "damn", "points": 50},
        {"contact": contact, "kind": 70, "rule": "m", "name": "Was kind", "valid": -1, "revise_id": "m1"},
    )
    async with standing.office.work(ONE, INSPECTOR) as work:
        await results.revise(
            work, result="m1", kept=False, remark="was not", contact=contact, kind=70, review_item=None
        )
    answer = await credit(standing, {"call_uuid": await uuid_of(standing, contact)})
    [found] = answer.body[0]["credit"]
    assert found["score"] == 99.5
    assert found["setting"]["ignore_sensitive"] == 1
    assert found["setting"]["description"] == "for sales"
    [interruption] = found["interposal_rule"]
    assert interruption["score"] == -0.5
    assert interruption["setting"] == {"interposal_id": "i", "name": "i"}
    assert interruption["invalid_segment"] == [
        {"start_time": 0, "end_time": 1200, "call_id": str(contact)},
        {"start_time": 3000, "end_time": 4500, "call_id": str(contact)},
    ]
    [word] = found["sensitive_word"]
    assert (word["valid"], word["score"]) == (False, -50)
    assert word["setting"] == {"sw_id": "w", "sw_name": "damn"}
    [manual] = found["manual_rule"]
    assert (manual["valid"], manual["score"], manual["revise"]) == (None, 0, 0)
    assert (manual["name"], manual["setting"]) == ("Was kind", {"rule_id": "m", "rule_name": "Was kind"})


async def test_rules_that_only_people_judge_give_the_machine_no_score(standing: Standing) -> None:
    await scenario(standing)
    contact = await standing.contact()
    await bring(standing, {"contact": contact, "kind": "manual", "valid": -1})
    answer = await credit(standing, {"call_uuid": await uuid_of(standing, contact)})
    assert answer.body[0]["create_time"] == int(NOW.timestamp())
    assert set(answer.body[0]["credit"][0]) == {"manual_rule", "setting"}


async def test_a_call_that_nothing_was_found_on_has_an_empty_list(standing: Standing) -> None:
    uuid = await uuid_of(standing, await standing.contact())
    answer = await credit(standing, {"call_uuid": uuid})
    assert (answer.status, answer.body) == (200, [])


async def test_an_unknown_call_is_not_found(standing: Standing) -> None:
    for unknown in (CALL, "no uuid", "17"):
        answer = await credit(standing, {"call_uuid": unknown})
        assert (answer.status, answer.code) == (200, "1010404"), unknown


async def test_every_kind_of_rule_has_a_block_of_its_own(standing: Standing) -> None:
    await scenario(standing, "Sales")
    contact = await standing.contact()
    await bring(
        standing, *({"contact": contact, "kind": str(int(kind)), "rule": kind.name} for kind in RuleKind)
    )
    [whole] = (await credit(standing, {"call_uuid": await uuid_of(standing, contact)})).body
    [found] = whole["credit"]
    blocks = [value for value in found.values() if isinstance(value, list)]
    assert [len(block) for block in blocks] == [1] * len(RuleKind)


async def test_another_tenant_s_call_is_not_found(standing: Standing) -> None:
    uuid = await uuid_of(standing, await standing.contact())
    assert (await credit(standing, {"call_uuid": uuid}, vdn=TWO)).code == "1010404"
    assert (await credit(standing, {"call_uuid": uuid})).status == 200


async def test_no_user_is_needed_and_none_is_looked_at(standing: Standing) -> None:
    uuid = await uuid_of(standing, await standing.contact())
    for user in (PLAIN, INSPECTOR):
        answer = await standing.call("appraisecall/credit", {"call_uuid": uuid}, user, base=ISQM)
        assert answer.body == []
    unauthorized = await credit(standing, {"call_uuid": uuid}, headers={"Authorization": "Bearer x"})
    assert (unauthorized.status, unauthorized.code) == (401, "1010401")


async def test_a_bad_call_uuid_is_named(standing: Standing) -> None:
    for body in ({}, {"call_uuid": None}, {"call_uuid": 7}, {"call_uuid": ["x"]}):
        answer = await credit(standing, body)
        assert (answer.status, answer.code) == (200, "1010400"), body
        assert answer.body["resultDesc"].startswith("call_uuid: "), body
