"""The examples that the manual prints, replayed: requests as sent there, answers as shown there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import Standing

AGENT, OTHER, INSPECTOR = 49999, 291, 30169
BARE = b'{"message":"","retcode":"0"}'
BARE_SUCCESS = b'{"message":"success","retcode":"0"}'
SUCCESS = b'{"message":"success","retcode":"0","result":{}}'
EMPTY_RESULT = {"message": "", "retcode": "0", "result": {}}


@pytest.fixture
async def floor(standing: Standing) -> Standing:
    await standing.at_work(AGENT, INSPECTOR)
    await standing.call_in(to=3)
    await standing.client.events(AGENT)
    return standing


async def test_sign_in_with_everything_as_strings(client: LedgerClient) -> None:
    """[1202]: `status` "4", `releasephone` "false", `agenttype` "4"."""
    wish = {
        "password": "secret",
        "phonenum": "1291",
        "status": "4",
        "releasephone": "false",
        "agenttype": "4",
        "ip": "10.57.118.171",
    }
    answered = await client.sign_in(OTHER, **wish)
    assert list(answered.body) == ["message", "retcode", "result"]
    assert answered.result["workno"] == "291"
    assert isinstance(answered.result["vdnid"], int)
    assert len(answered.result["mediatype"]) == 3


@pytest.mark.parametrize(
    ("page", "verb", "tail"),
    [
        ("2401", "PUT", f"addinsert/{AGENT}"),
        ("2402", "PUT", f"addsupervise/{AGENT}"),
        ("2405", "POST", f"forcebusy/{AGENT}"),
        ("2406", "POST", f"forceidle/{AGENT}"),
        ("2407", "POST", f"forcelogout/{AGENT}"),
        ("2411", "POST", f"forcerest/{AGENT}/86399/255"),
        ("2412", "POST", f"requestwhisperagent?whisperagentid={AGENT}"),
    ],
)
async def test_supervision_answers_its_empty_result(
    floor: Standing, client: LedgerClient, page: str, verb: str, tail: str
) -> None:
    answered = await client.ask(INSPECTOR, verb, f"/qualitycontrol/{{a}}/{tail}")
    assert answered.body == EMPTY_RESULT, page


async def test_adjusting_skills(floor: Standing, client: LedgerClient) -> None:
    """[2409]."""
    body = json.loads('{"workNo":"49999","skills":[10,25]}')
    answered = await client.ask(INSPECTOR, "POST", "/qualitycontrol/{a}/adjustskill", json=body)
    assert answered.body == EMPTY_RESULT


async def test_being_inspected(floor: Standing, client: LedgerClient) -> None:
    """[0542]: `{"qcType":8,"qcAgentId":30169}`."""
    await client.ok(INSPECTOR, "PUT", f"/qualitycontrol/{{a}}/addsupervise/{AGENT}")
    await floor.quiet()
    answered = await client.ask(AGENT, "GET", "/agentevent/{a}")
    printed: dict[str, Any] = json.loads('{"qcType":8,"qcAgentId":30169}')
    assert answered.event == {"eventType": "AgentOther_BeQcStart", "workNo": "49999", "content": printed}
    assert b'"content":{"qcType":8,"qcAgentId":30169}' in answered.raw


@pytest.mark.parametrize(
    ("page", "verb", "tail", "answer"),
    [
        ("1209", "POST", "/onlineagent/{a}/resetskill/false?skillid=1;2;3&phonelinkage=1", BARE),
        ("1204", "POST", "/onlineagent/{a}/handshake", BARE_SUCCESS),
        ("1211", "POST", "/onlineagent/{a}/saybusy?reason=200&prolong=false", SUCCESS),
        ("1244", "POST", "/voicecall/{a}/seconddialex?number=1*%23", SUCCESS),
        ("1220", "DELETE", "/onlineagent/{a}/forcelogout", BARE_SUCCESS),
    ],
)
async def test_answers_to_the_letter(
    floor: Standing, client: LedgerClient, page: str, verb: str, tail: str, answer: bytes
) -> None:
    assert (await client.ask(AGENT, verb, tail)).raw == answer, page


async def test_busy_with_a_reason(floor: Standing, client: LedgerClient) -> None:
    """[1346]: `{"reason":"200"}`."""
    await client.ok(INSPECTOR, "POST", "/onlineagent/{a}/saybusy?reason=200")
    await floor.quiet()
    assert await client.events(INSPECTOR) == [("AgentState_SetNotReady_Success", {"reason": "200"})]
