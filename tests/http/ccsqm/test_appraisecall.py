"""appraisecall: calls with the state of their inspection [2492], one call with all about it [2493, 2526]."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.quality.inspected import bring, scenario
from tests.quality.reviewing import put_task
from tests.quality.standing import ANN, BEN, FOREIGN, INSPECTOR, NOW, TABLE_LEADER, TWO, Standing

from sottovoce.domain.contacts import Analysis, Sentence, Speaker, Voice
from sottovoce.domain.reviews import TaskState
from sottovoce.http.ccisqm.words import ISQM
from sottovoce.plain import to_plain
from sottovoce.storage.database import transaction
from sottovoce.storage.tables import quality_items

ALL: dict[str, Any] = {
    "call_types": [0, 2],
    "limit": 10,
    "page": 1,
    "status": [],
    "upload_from": 0,
    "upload_to": 4_000_000_000,
}
HEARD = to_plain(Analysis(60.0, Voice(0.12345, 52.6, 9.0), Voice(0.5, 30.4, 3.0), silence_s=20.0))
SAID = [
    to_plain(Sentence("Where is my kettle?", Speaker.CUSTOMER, 0.5, 2.25)),
    to_plain(Sentence("Hm", None, 3, 4)),
]


async def test_a_call_in_the_list(standing: Standing) -> None:
    contact = await standing.contact(analysis=HEARD, status=2)
    answer = await standing.call("appraisecall/details", ALL)
    began = int((NOW - timedelta(days=1)).timestamp())
    assert answer.body == {
        "paging": {"total": 1},
        "data": [
            {
                "calls": [
                    {
                        "call_id": str(contact),
                        "call_time": began,
                        "call_type": 0,
                        "call_uuid": str(UUID(int=1)),
                        "deal": 0,
                        "duration": 60,
                        "file_name": "call-1.wav",
                        "left_channel": "customer",
                        "left_silence_time": 53,
                        "left_speech_ratio": 12.35,
                        "left_speed": None,
                        "right_channel": "agent",
                        "right_silence_time": 30,
                        "right_speech_ratio": 50.0,
                        "right_speed": None,
                        "upload_time": began + 60,
                        "staff_id": str(ANN),
                        "status": 2,
                        "staff_name": "Ann",
                        "automaticScore": None,
                        "manuallyScore": None,
                    }
                ]
            }
        ],
    }


async def uuids(standing: Standing, **wanted: Any) -> list[int]:
    answer = await standing.call("appraisecall/details", {**ALL, **wanted})
    assert answer.ok, answer.body
    return [UUID(one["calls"][0]["call_uuid"]).int for one in answer.body["data"]]


async def test_every_filter(standing: Standing) -> None:
    day = timedelta(days=1)
    began = int((NOW - day).timestamp())
    await standing.contact(101, status=2)
    await standing.contact(102, began_at=NOW - 2 * day, duration_s=60.4)
    await standing.contact(None, interaction=2, transcript=SAID, status=40)
    for wanted, found in (
        ({}, [3, 1, 2]),
        ({"call_types": []}, [3, 1, 2]),
        ({"call_types": ["2"]}, [3]),
        ({"status": [0, 1]}, [2]),
        ({"status": [40, "2"]}, [3, 1]),
        ({"call_from": began, "call_to": str(began)}, [3, 1]),
        ({"call_to": began - 1}, [2]),
        ({"upload_from": (began + 60) * 1000}, [3, 1]),
        ({"upload_to": began + 59}, [2]),
        ({"duration_min": 60, "duration_max": 61}, [3, 1, 2]),
        ({"duration_min": 61}, []),
        ({"duration_max": 60}, [3, 1]),
        ({"staff_id": str(BEN)}, [2]),
        ({"staff_id": int(BEN)}, [2]),
        ({"staff_name": "eN"}, [2]),
        ({"keyword": "kettle?"}, [3]),
        ({"keyword": "", "staff_id": "", "staff_name": None}, [3, 1, 2]),
        ({"limit": 2}, [3, 1]),
        ({"limit": 2, "page": 2}, [2]),
        ({"limit": 2, "page": 3}, []),
    ):
        assert await uuids(standing, **wanted) == found, wanted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", 1001),
        ("page", 0),
        ("page", "x"),
        ("status", 2),
        ("status", [4]),
        ("call_types", [1]),
        ("call_types", [None]),
        ("upload_from", None),
        ("upload_to", "tomorrow"),
        ("call_from", -1),
        ("duration_min", 2**40),
        ("staff_id", "Ann"),
        ("keyword", 7),
        ("staff_name", "a\x00b"),
    ],
)
async def test_a_wrong_field_is_named(standing: Standing, field: str, value: object) -> None:
    answer = await standing.call("appraisecall/details", {**ALL, field: value})
    assert (answer.status, answer.code) == (200, "0407001")
    assert answer.body["resultDesc"].startswith(field)


async def test_a_call_in_detail(standing: Standing) -> None:
    contact = await standing.contact(analysis=HEARD, transcript=SAID)
    listed = (await standing.call("appraisecall/details", ALL)).body["data"][0]["calls"][0]
    answer = await standing.call("appraisecall/detail", {"call_uuid": str(UUID(int=1))}, None)
    assert answer.code == "0407002", "this app has no user of its own"
    answer = await standing.call("appraisecall/detail", {"call_uuid": str(UUID(int=1))})
    del listed["staff_name"]
    assert answer.body == {
        **listed,
        "call_id": contact,
        "segments": [
            {
                "segment_id": 1,
                "speaker": "customer",
                "start_time": 500,
                "end_time": 2250,
                "asr_text": "Where is my kettle?",
                "status": 0,
            },
            {
                "segment_id": 2,
                "speaker": "",
                "start_time": 3000,
                "end_time": 4000,
                "asr_text": "Hm",
                "status": 0,
            },
        ],
        "rule_severity_violation_count": 0,
        "left_emotions": [],
    }
    spoken = await standing.call("appraisecall/detail", {"call_uuid": str(UUID(int=1))}, None, base=ISQM)
    assert "deal" not in spoken.body
    assert [segment.pop("speaker") for segment in spoken.body["segments"]] == [0, -1]
    assert "status" not in spoken.body["segments"][0]
    assert spoken.body["call_id"] == contact


@pytest.mark.parametrize(("agent", "staff"), [(199, "199"), (None, None)])
async def test_an_agent_who_is_no_user_is_told_by_their_work_number(
    standing: Standing, agent: int | None, staff: str | None
) -> None:
    await standing.contact(agent)
    found = (
        await standing.call("appraisecall/detail", {"call_uuid": str(UUID(int=1))}, None, base=ISQM)
    ).body
    assert found["staff_id"] == staff


async def test_scores_by_machine_and_by_hand_are_told_without_a_quality_item(standing: Standing) -> None:
    contact, uuid = await standing.contact(), str(UUID(int=1))
    await scenario(standing)
    await scenario(standing, "Tone")
    await bring(
        standing,
        {"contact": contact, "points": 30, "revise_id": "a"},
        {"contact": contact, "scenario": "Tone", "points": 2.5},
    )
    async with transaction(standing.engine) as connection:
        made = await put_task(connection, TaskState.IN_EFFECT, [contact])

    async def told() -> list[tuple[object, object]]:
        found = [
            (await standing.call("appraisecall/details", ALL)).body["data"][0]["calls"][0],
            (await standing.call("appraisecall/detail", {"call_uuid": uuid})).body,
            (await standing.call("appraisecall/detail", {"call_uuid": uuid}, None, base=ISQM)).body,
        ]
        [credit] = (await standing.call("appraisecall/credit", {"call_uuid": uuid}, None, base=ISQM)).body
        by_name = {one["setting"]["group_name"]: one for one in credit["credit"]}
        return [
            *((one["automaticScore"], one["manuallyScore"]) for one in found),
            *((by_name[name]["score"], by_name[name].get("manuallyScore")) for name in ("Sales", "Tone")),
        ]

    assert await told() == [(70, None)] * 3 + [(70, None), (97.5, None)]
    item = made.items[0].item
    rule = {"description": "was said later", "revise": 1, "reviseId": "a"}
    correction = {"isGroup": False, "ruleType": 10, "taskId": item, "uuid": uuid, "ruleInfo": rule}
    assert (await standing.call("qualitytask/modifyResultQualityTask", correction, INSPECTOR)).ok
    completion = {"isGroup": False, "callId": contact, "callGroupId": None, "qualityTaskCallId": item}
    assert (await standing.call("qualitytask/completeQualityTask", completion, INSPECTOR)).ok
    assert await told() == [(70, 97.5)] * 3 + [(70, 100), (97.5, 97.5)]
    async with transaction(standing.engine) as connection:
        assert not (await connection.execute(sa.select(quality_items))).all(), "and no item was needed"


async def test_one_channel_has_no_name(standing: Standing) -> None:
    await standing.contact(analysis=to_plain(Analysis(9.0, mixed=Voice(0.25, 6.0, 5.0), silence_s=6.0)))
    found = (await standing.call("appraisecall/detail", {"call_uuid": str(UUID(int=1))})).body
    assert (found["left_channel"], found["right_channel"]) == ("", "")
    assert (found["left_speech_ratio"], found["left_silence_time"]) == (25.0, 6)
    assert (found["right_speech_ratio"], found["right_silence_time"]) == (None, None)


async def test_unknown_foreign_and_out_of_reach_are_one_answer(standing: Standing) -> None:
    await standing.contact(103)
    told = []
    for uuid in (str(UUID(int=1)), str(UUID(int=7)), "no uuid", ""):
        for user in (TABLE_LEADER, ANN):
            told.append((await standing.call("appraisecall/detail", {"call_uuid": uuid}, user)).body)
    for vdn, user, base in ((TWO, FOREIGN, None), (TWO, None, ISQM)):
        options: dict[str, Any] = {"vdn": vdn} if base is None else {"vdn": vdn, "base": base}
        answer = await standing.call("appraisecall/detail", {"call_uuid": str(UUID(int=1))}, user, **options)
        told.append({**answer.body, "resultCode": answer.code.replace("1010404", "0407004")})
    assert {tuple(one.items()) for one in told} == {
        (("resultCode", "0407004"), ("resultDesc", "there is no such call"))
    }


async def test_a_user_is_needed_for_the_list(standing: Standing) -> None:
    assert (await standing.call("appraisecall/details", ALL, None)).code == "0407002"
    assert (await standing.call("appraisecall/details", ALL, FOREIGN)).code == "0407002"
