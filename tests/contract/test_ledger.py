"""The judge of answers sees what a row does not allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.ledger import complaints, find

from sottovoce.contracts import Row, Schema, raw, rows
from sottovoce.contracts.judge import Judge

SQM = "/apiaccess/CCSQM/rest/ccisqm/v1"
DONE = {"resultCode": "0409000", "resultDesc": "Operation successful."}


def _scalar(family: str, name: str) -> Any:
    return Judge(raw(family)["components"]["schemas"][name])


@pytest.mark.parametrize(
    ("family", "name", "right", "wrong"),
    [
        ("cc-gateway", "Digits", ["0", "101"], ["", "1x", "-1", "101\n", "٣", 101, None]),
        ("cc-gateway", "Moment", [0, 10**12 + 1], [1, 10**12, -1, 1.0, 10**13 + 0.0, True, "0", None]),
        ("cc-gateway", "MomentText", ["0", "1772442000000"], ["1", "1772442000", "1772442000000\n", 0]),
        ("cc-gateway", "Duration", [0, 10**9 - 1], [-1, 10**9, 1.0, False, "1"]),
        ("cc-gateway", "Empty", [{}], [{"a": 1}, [], None, ""]),
        ("cc-sqm", "Id", ["1", "9" * 20], ["", "9" * 21, "1\n", 1, None]),
        ("cc-sqm", "Digits", ["0"], ["x", "1" * 21, 1]),
        ("cc-sqm", "Seconds", [0, 10**11 - 1], [-1, 10**11, 1.0, True, "1"]),
        ("cc-sqm", "Milliseconds", [0, 10**11], [1, 10**11 - 1, -1, 10.0**12, True]),
        ("cc-sqm", "SecondsText", ["1", "9" * 10], ["", "9" * 11, 1, "1\n"]),
        ("cc-sqm", "MillisecondsText", ["9" * 12, "9" * 14], ["9" * 11, "9" * 15, 1]),
        ("cc-sqm", "Date", ["2026-01-02"], ["2026-1-2", "2026-01-02\n", 20260102]),
        (
            "cc-sqm",
            "Uuid",
            ["c6a31191-6c69-486b-b8f9-c3412ef44bfd"],
            ["C6a31191-6c69-486b-b8f9-c3412ef44bfd", "c6a31191", "c6a31191-6c69-486b-b8f9-c3412ef44bfd\n"],
        ),
    ],
)
def test_the_scalars_of_answers(family: str, name: str, right: list[Any], wrong: list[Any]) -> None:
    judge = _scalar(family, name)
    assert [value for value in right if not judge.is_valid(value)] == []
    assert [value for value in wrong if judge.is_valid(value)] == []


def _objects(schema: Any, where: str) -> Iterator[tuple[str, Schema]]:
    if isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from _objects(inner, f"{where}[{number}]")
    if isinstance(schema, dict):
        if "properties" in schema:
            yield where, schema
        for name, inner in schema.items():
            if name != "x-documented":
                yield from _objects(inner, f"{where}.{name}")


MAY_BE_ABSENT = {"event", "jsonKey", "eventGenTime"}
"""Of an event that is polled for."""


def test_no_answer_is_open() -> None:
    """Each object is closed; a field that need not be there may be null."""
    count = 0
    for row in rows():
        for where, schema in _objects(row.answer, row.path):
            count += 1
            assert schema["additionalProperties"] is False, where
            needed = set(schema.get("required", ()))
            assert needed <= schema["properties"].keys(), where
            for name in schema["properties"].keys() - needed - MAY_BE_ABSENT:
                assert Judge(schema["properties"][name]).is_valid(None), f"{where} {name}"
            for name in needed & schema["properties"].keys():
                inner = schema["properties"][name]
                assert not Judge(inner).is_valid(None) or inner == {}, f"{where} {name}"
    assert count > 100


def _row(verb: str, path: str) -> Row:
    row = find(verb, path)
    assert row is not None
    return row


def test_an_answer_has_all_its_fields_and_no_others() -> None:
    row = _row("POST", f"{SQM}/qualitytask/createQualityTask")
    assert complaints(row, {**DONE, "objId": "1"}) == []
    assert complaints(row, DONE) == ["$: 'objId' is a required property"]
    assert len(complaints(row, {**DONE, "objId": "1", "more": 1})) == 1
    assert len(complaints(row, {**DONE, "resultCode": "0408000", "objId": "1"})) == 1
    assert len(complaints(row, {**DONE, "resultDesc": "Done.", "objId": None})) == 2


def test_null_only_where_a_field_may_be_absent() -> None:
    row = _row("POST", f"{SQM}/qualityitem/queryQualityHistory")
    step = {"assignee": "1", "newHandler": None, "assignTime": "1772442000000"}
    node = {"nodeName": "", "nodeId": "1", "remark": "", "createTime": "1772442000000", "handler": None}
    node["assignHistoryList"] = [step]
    whole = {"showAssgin": True, "workflowNodeList": [node], "canHandle": True, "showReassgin": False}
    assert complaints(row, whole) == []
    step["assignee"] = node["remark"] = None
    assert [text.partition(":")[0] for text in complaints(row, whole)] == [
        "$.workflowNodeList[0].remark",
        "$.workflowNodeList[0].assignHistoryList[0].assignee",
    ]


def test_ids_are_numbers_where_the_setting_says_so() -> None:
    row = _row("POST", f"{SQM}/appraisescore/createAppraiseScore")
    done = {**DONE, "resultCode": "0412000"}
    assert complaints(row, {**done, "id": "1"}) == []
    assert len(complaints(row, {**done, "id": 1})) == 1
    assert complaints(row, {**done, "id": 1}, numeric_ids=True) == []
    assert len(complaints(row, {**done, "id": "1"}, numeric_ids=True)) == 1


def test_the_row_of_a_request() -> None:
    assert _row("DELETE", "/agentgateway//resource/VoiceCall/101/?a=b").name == "releaseEx"
    assert _row("DELETE", "/agentgateway/resource/qualitycontrol/101/deleteqctask").name == "deleteQcTask"
    assert find("GET", "/agentgateway/resource/qualitycontrol/101/deleteqctask") is None
    assert find("POST", f"{SQM}/qualitytask/nothing") is None
