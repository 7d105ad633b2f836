"""What of an answer is not as documented."""

from __future__ import annotations

from typing import Any

import pytest

from sottovoce.client.ccsqm.connection import ISQM, SQM
from sottovoce.compat.shapes import documented, one_or_many, unlike
from sottovoce.compat.sqm.catalogue import interfaces
from sottovoce.compat.sqm.interfaces import row_of
from sottovoce.contracts import Row, Schema, rows

OURS: Schema = {
    "type": "object",
    "required": ["total", "data", "more"],
    "additionalProperties": False,
    "x-mandatory": ["total", "data"],
    "properties": {
        "total": {"type": "integer", "minimum": 0},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "on"],
                "x-mandatory": ["name"],
                "properties": {
                    "id": {"type": "string", "format": "id", "pattern": "^[0-9]{1,20}$"},
                    "name": {"type": ["string", "null"], "maxLength": 3},
                    "on": {"type": "boolean"},
                    "score": {"type": "integer"},
                },
                "x-documented": {"score": {"type": ["number", "string"]}},
            },
        },
        "more": {"const": "0409000"},
    },
}
SHAPE = documented(OURS)
"""What a page says: neither what we always send nor our ranges."""


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
        ({"total": 1, "data": [{}]}, "data[0].name is missing"),
        ({"total": -1, "data": [{"name": "longer"}], "more": "0408000"}, None),
        ({"total": 1, "data": [], "more": 409000}, "more is 409000, not String"),
        ({"total": 1, "data": [{"name": "a", "id": "1\n"}]}, "data[0].id is '1\\n', not an id"),
        ({"total": 1, "data": [None]}, "data[0] is None, not Object"),
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
    shape = documented(row_of(f"{SQM}/qualityitem/queryQualityItemResult").answer or {})
    for printed in (scores, scores[0]):
        assert unlike(one_or_many(shape, printed), printed) is None
    assert unlike(one_or_many(shape, [1]), [1]) == "[0] is 1, not Object"
    made = {"resultCode": "0408000", "objId": "16625163654676154791", "resultDesc": "x"}
    plan = documented(row_of(f"{SQM}/regularqualitytask/addQualityTask").answer or {})
    assert unlike(plan, made) is None
    assert unlike(plan, {**made, "objId": 1}) == "objId is 1, not String"


def _documented(row: Row) -> bool:
    """Whether more of its page was found than a title."""
    return row.status == "done" and "only the title" not in row.inferred.get("path", "")


def test_every_documented_interface_is_checked_and_no_other() -> None:
    wanted = {row.path for row in rows("cc-sqm", "cc-isqm") if _documented(row) and not row.open}
    assert {one.path for one in interfaces("x", "1")} == wanted


def test_no_server_is_judged_by_what_is_only_ours() -> None:
    by_path = {one.path: one for one in interfaces("x", "1")}
    create = by_path[f"{SQM}/qualitytask/createQualityTask"]
    assert unlike(create.answer, {}) is None, "no page says that the id is answered"
    scenarios = by_path[f"{SQM}/scenariomanage/queryAllScenario"]
    assert scenarios.code is None, "the page shows no resultCode"
    assert unlike(scenarios.answer, {"total": 1, "resultCode": 0}) is None
    speech = by_path[f"{ISQM}/appraisecall/detail"]
    assert speech.answer["properties"]["segments"]["items"]["properties"]["speaker"]["title"] == "Number"
    assert by_path[f"{SQM}/appraisecall/complain"].mandatory[2] == "callGroupId"
