"""What of an answer is not as documented."""

from __future__ import annotations

from typing import Any

import pytest

from sottovoce.compat.shapes import FLAG, ID, NUMBER, NUMBER_OR_TEXT, TEXT, unlike
from sottovoce.compat.sqm import answers

SHAPE = {"total!": NUMBER, "data!": [{"id": ID, "name!": TEXT, "on": FLAG, "score": NUMBER_OR_TEXT}]}


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"total": 0, "data": []}, None),
        ({"total": 1.5, "data": [{"id": "16239241148860783173", "name": "", "more": {}}]}, None),
        ({"total": 1, "data": [{"id": 16239241148860783173, "name": "a", "on": True, "score": "-4"}]}, None),
        ({"total": 1, "data": [{"id": None, "name": "a"}]}, None),
        ({"total": "1", "data": []}, "total is '1', not Number"),
        ({"total": True, "data": []}, "total is True, not Number"),
        ({"total": 1}, "data is missing"),
        ({"total": 1, "data": {}}, "data is {}, not Array"),
        ({"total": 1, "data": [{"name": None}]}, "data[0].name is missing"),
        ({"total": 1, "data": [{"name": "a"}, {"name": 1}]}, "data[1].name is 1, not String"),
        ({"total": 1, "data": [{"name": "a", "id": 1.6e19}]}, "data[0].id is 1.6e+19, not an id"),
        ({"total": 1, "data": [{"name": "a", "on": 1}]}, "data[0].on is 1, not Boolean"),
        ([], "the answer is [], not Object"),
    ],
)
def test_the_first_difference_is_told(answer: Any, wrong: str | None) -> None:
    found = unlike(SHAPE, answer)
    assert found == wrong if wrong is None else str(found).startswith(wrong)


def test_the_pages_examples_fit() -> None:
    scores = [
        {
            "createTime": 1623743005,
            "ruleGroupName": "test3",
            "manuallyScore": 100,
            "automaticScore": 60,
            "credit": {
                "silence_rule": [
                    {
                        "valid": True,
                        "score": 0,
                        "invalid_segment": [],
                        "revise_id": "silenceRulec305afb4-d9bf-49ec-8d76-5ea03ef61ab7",
                        "revise": -1,
                        "name": "x",
                        "setting": {"silence_id": "920806740809748480", "name": "x"},
                    }
                ],
                "score": 60,
                "setting": {"group_id": "groupid_x", "group_name": "test3", "ignore_sensitive": 0},
            },
            "ruleGroupId": "groupid_1760cfbb-e24c-4c9f-92f7-2701f154577c",
        }
    ]
    assert unlike([answers.ITEM_RESULT], scores) is None
    made = {"resultCode": "0408000", "objId": "16625163654676154791", "resultDesc": "x"}
    assert unlike(answers.PLAN_MADE, made) is None
