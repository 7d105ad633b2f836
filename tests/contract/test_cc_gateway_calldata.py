"""calldata over the wire: what is known of calls, and the text that clients keep with them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

A, B, INSPECTOR, FOREIGN_INSPECTOR = 101, 102, 300, 309
DATA = "/calldata/{a}"
KIB16 = 16 * 1024


async def _set(client: LedgerClient, agent: int = A, **body: Any) -> str:
    answered = await client.ask(agent, "PUT", DATA + "/setcalldataex", content=json.dumps(body))
    return answered.retcode


async def test_a_screen_pop_finds_the_call(standing: Standing, client: LedgerClient) -> None:
    """Bars ask by the call's id at Ringing and at Auto_Answer, and read `.caller` of the result."""
    await standing.at_work(A)
    for autoanswer, event in (("true", "AgentEvent_Auto_Answer"), ("false", "AgentEvent_Ringing")):
        await client.ok(A, "POST", f"/onlineagent/{{a}}/autoanswer/{autoanswer}")
        customer = await standing.call_in()
        call = dict(await client.events(A))[event]["callid"]
        standing.clock.advance(3)
        found = await client.ok(A, "GET", f"{DATA}/callinfobycallid/{call}")
        assert found == {
            "callfeature": 0,
            "callid": call,
            "caller": "555",
            "called": "801",
            "callskill": "sales",
            "callskillid": 1,
            "orgicallednum": "801",
            "calldata": "",
            "begintime": found["begintime"],
            "endtime": 0,
            "userPriority": 0,
            "trunkNo": 65535,
            "logontimes": 3,
            "mediaType": 5,
            "mediaAbility": 1,
        }
        for tail in ("callinfobeforeanswer", "callinfo"):
            assert await client.ok(A, "GET", f"{DATA}/{tail}") == found
        customer.hang_up()
        await standing.quiet()
        over = await client.ok(A, "GET", f"{DATA}/callinfobycallid/{call}")
        assert over["endtime"] - over["begintime"] == 3000
        assert await client.refused(A, "GET", DATA + "/callinfobeforeanswer") == "400-002"


async def test_whose_calls_are_shown(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, INSPECTOR, FOREIGN_AGENT, FOREIGN_INSPECTOR)
    await standing.call_in()
    [call] = await client.ok(A, "GET", DATA + "/allcallid")
    info = await client.ok(A, "GET", DATA + "/callinfo")
    assert await client.ok(INSPECTOR, "GET", f"{DATA}/callinfobycallid/{call}") == info
    assert await client.ok(INSPECTOR, "GET", DATA + "/allcallinfoinvdn") == [info]
    assert await client.ok(FOREIGN_INSPECTOR, "GET", DATA + "/allcallinfoinvdn") == []
    for stranger in (B, FOREIGN_INSPECTOR):
        assert await client.refused(stranger, "GET", f"{DATA}/callinfobycallid/{call}") == "400-002"
    for agent in (A, INSPECTOR):
        assert await client.ok(agent, "GET", f"{DATA}/allcallinfo/{A}") == [info]
        assert await client.ok(agent, "GET", f"{DATA}/allcallinfoEx/{A}") == [call]
        assert await client.ok(agent, "GET", f"{DATA}/agentholdnum/{A}") == 0
    for tail in ("allcallinfo/101", "allcallinfoEx/101", "agentholdnum/101", "allcallinfoinvdn"):
        assert await client.refused(B, "GET", f"{DATA}/{tail}") == "900-002"
    for nobody in (FOREIGN_AGENT, 999, 103):
        assert await client.refused(INSPECTOR, "GET", f"{DATA}/allcallinfo/{nobody}") == "100-007"
    for agent, many in ((A, 1), (B, 0)):
        assert await client.ok(agent, "GET", DATA + "/callnums") == many
        assert await client.ok(agent, "GET", DATA + "/isprocesscall") is bool(many)
        assert await client.ok(agent, "GET", DATA + "/remotenumbers") == ["555"] * many


async def test_held_calls(standing: Standing, client: LedgerClient) -> None:
    """400-003 is an empty list to the demo; an error that it does not know would end its script."""
    await standing.at_work(A, B, INSPECTOR)
    assert await client.refused(A, "GET", DATA + "/holdlist") == "400-003"
    await standing.call_in()
    assert await client.refused(A, "GET", DATA + "/holdlist") == "400-003"
    assert await client.refused(INSPECTOR, "GET", f"{DATA}/holdlistex/{A}") == "400-003"
    assert await _set(client, calldata="account 12") == "0"
    await client.ok(A, "POST", "/voicecall/{a}/hold")
    [held] = await client.ok(A, "GET", DATA + "/holdlist")
    assert (held["caller"], held["callfeature"], held["calldata"]) == ("555", 0, "account 12")
    [seen] = await client.ok(INSPECTOR, "GET", f"{DATA}/holdlistex/{A}")
    assert seen == {name: held[name] for name in ("callfeature", "callid", "caller", "called", "callskill")}
    assert await client.ok(INSPECTOR, "GET", f"{DATA}/agentholdnum/{A}") == 1
    assert await client.refused(B, "GET", f"{DATA}/holdlistex/{A}") == "300-001"
    await client.ok(A, "POST", f"/voicecall/{{a}}/gethold?callid={held['callid']}")
    assert await client.refused(A, "GET", DATA + "/holdlist") == "400-003"


async def test_two_calls_at_once(standing: Standing, client: LedgerClient) -> None:
    """An agent calls a colleague about a customer who is held, and makes it a conference: lists have both
    calls, data is set with either, and the conference has what came with it."""
    await standing.at_work(A)
    await standing.call_in()
    await standing.at_work(B, INSPECTOR)
    [first] = await client.ok(A, "GET", DATA + "/allcallid")
    assert await client.ok(A, "GET", DATA + "/remotenumbers") == ["555"]
    help_ = {"dstaddress": str(B), "callappdata": "about 555"}
    second = await client.ok(A, "POST", "/voicecall/{a}/innerhelp", json=help_)
    await standing.quiet()
    assert await client.ok(A, "GET", DATA + "/allcallid") == [second, first]
    assert await client.ok(A, "GET", DATA + "/callnums") == 2
    assert await client.ok(A, "GET", DATA + "/remotenumbers") == [str(B), "555"]
    assert await client.ok(B, "GET", DATA + "/remotenumbers") == [str(A)]
    assert [one["callid"] for one in await client.ok(A, "GET", DATA + "/holdlist")] == [first]
    assert await client.ok(INSPECTOR, "GET", f"{DATA}/agentholdnum/{A}") == 1
    for call, caller in ((first, "555"), (second, str(A))):
        shown = await client.ok(A, "GET", f"{DATA}/callinfobycallid/{call}")
        assert (shown["callid"], shown["caller"]) == (call, caller)
    assert await client.ok(B, "GET", DATA + "/appdata") == "about 555"
    assert await client.refused(B, "GET", f"{DATA}/callinfobycallid/{first}") == "400-002"
    assert await _set(client, calldata="order 7", callid=first) == "0"
    assert await client.ok(A, "GET", DATA + "/appdata") == "about 555"
    assert await client.ok(A, "GET", DATA + f"/appdata?callId={first}") == "order 7"
    joined = {"callid": first, "callappdata": "x" * 16385}
    assert await client.refused(A, "POST", "/voicecall/{a}/confjoin", json=joined) == "000-002"
    await client.ok(A, "POST", "/voicecall/{a}/confjoin", json={**joined, "callappdata": "order 8"})
    await standing.quiet()
    for agent, others in ((A, ["555", "102"]), (B, ["555", "101"])):
        assert await client.ok(agent, "GET", DATA + "/appdata") == "order 8"
        assert await client.ok(agent, "GET", DATA + "/remotenumbers") == others
        assert await client.ok(agent, "GET", DATA + "/allcallid") == [first]


async def test_waiting_calls(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, FOREIGN_AGENT)
    await client.ok(A, "POST", "/onlineagent/{a}/saybusy")
    for number in ("555", "556"):
        await standing.call_in(number)
        standing.clock.advance(2)
    waiting = await client.ok(A, "GET", DATA + "/waitcallinfo/1")
    assert [(one["caller"], one["logontimes"]) for one in waiting] == [("555", 4), ("556", 2)]
    assert await client.ok(A, "GET", DATA + "/waitcallinfo/2") == []
    assert await client.ok(FOREIGN_AGENT, "GET", DATA + "/waitcallinfo/1") == []
    assert await client.refused(A, "GET", DATA + "/waitcallinfo/9") == "400-002"
    assert await client.refused(A, "GET", DATA + "/waitcallinfo/x") == "000-002"


async def test_call_data_goes_with_the_call(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    assert await _set(client, calldata="x") == "400-001"
    assert await client.refused(A, "PUT", DATA + "?calldata=x") == "400-001"
    assert await client.refused(A, "GET", DATA + "/appdata") == "100-007"
    await standing.call_in()
    [call] = await client.ok(A, "GET", DATA + "/allcallid")
    assert await client.ok(A, "GET", DATA + "/appdata") == ""
    assert await client.ok(A, "PUT", f"{DATA}?calldata=account%2012&callid={call}") == {}
    assert await client.ok(A, "GET", f"{DATA}/appdata?callId={call}") == "account 12"
    for tail in ("callinfo", f"callinfobycallid/{call}"):
        assert (await client.ok(A, "GET", f"{DATA}/{tail}"))["calldata"] == "account 12"
    picture = await client.ok(A, "POST", "/onlineagent/{a}/syncagentinfo")
    assert picture["agentStateInfo"]["callData"] == picture["callinfo"]["calldata"] == "account 12"
    assert await _set(client, calldata="y", callid="1-1") == "400-001"
    assert await client.refused(A, "GET", DATA + "/appdata?callId=1-1") == "100-007"
    await client.ok(INSPECTOR, "PUT", f"/qualitycontrol/{{a}}/addsupervise/{A}")
    await standing.quiet()
    await client.ok(INSPECTOR, "PUT", f"/qualitycontrol/{{a}}/intercept/{A}")
    await standing.quiet()
    assert await client.ok(INSPECTOR, "GET", DATA + "/appdata") == "account 12"
    assert await _set(client, INSPECTOR, calldata="") == "0"
    assert await client.ok(INSPECTOR, "GET", DATA + "/appdata") == ""


async def test_a_call_out_brings_its_data(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    standing.lines.phone("0555", ready=True)
    body = {"called": "0555", "callappdata": "campaign 7"}
    await client.ok(A, "PUT", "/voicecall/{a}/callout", json=body)
    assert await client.ok(A, "GET", DATA + "/appdata") == "campaign 7"
    too_much = {"called": "0555", "callappdata": "€" * (KIB16 // 3 + 1)}
    await client.ok(A, "DELETE", "/voicecall/{a}/release")
    await standing.quiet()
    assert await client.refused(A, "PUT", "/voicecall/{a}/callout", json=too_much) == "000-002"
    assert await client.ok(A, "GET", DATA + "/allcallid") == []


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * KIB16, True),
        ("x" * (KIB16 + 1), False),
        ("é" * (KIB16 // 2), True),
        ("é" * (KIB16 // 2) + "x", False),
        ("😀" * (KIB16 // 4), True),
        ("😀" * (KIB16 // 4) + "x", False),
        ("x" * 65536, False),
    ],
    ids=["16 KiB", "a byte more", "two each", "two each and one", "four each", "four each and one", "64 kB"],
)
async def test_sixteen_kibibytes_of_utf_8(
    standing: Standing, client: LedgerClient, text: str, fits: bool
) -> None:
    await standing.at_work(A)
    await standing.call_in()
    await _set(client, calldata="before")
    wanted = ("0", text) if fits else ("000-002", "before")
    assert await _set(client, calldata=text) == wanted[0]
    assert await client.ok(A, "GET", DATA + "/appdata") == wanted[1]
    await _set(client, calldata="before")
    in_base64 = base64.b64encode(text.encode()).decode()
    assert await _set(client, calldata=in_base64, isDataEncoded="true") == wanted[0]
    assert await client.ok(A, "GET", DATA + "/appdata") == wanted[1]


@pytest.mark.parametrize(
    "body",
    [
        {"calldata": "not Base64!", "isDataEncoded": True},
        {"calldata": "YQ=", "isDataEncoded": True},
        {"calldata": base64.b64encode("你好".encode("gbk")).decode(), "isDataEncoded": True},
        {"calldata": base64.b64encode(b"\0").decode(), "isDataEncoded": True},
        {"calldata": "\0"},
        {"calldata": "\ud800"},
        {"calldata": {"a": 1}},
        {"calldata": "x", "isDataEncoded": "perhaps"},
        {"calldata": "x", "callid": "1" * 65},
    ],
    ids=str,
)
async def test_data_that_is_no_text(standing: Standing, client: LedgerClient, body: dict[str, Any]) -> None:
    await standing.at_work(A)
    await standing.call_in()
    await _set(client, calldata="before")
    assert await _set(client, **body) == "000-002"
    assert await client.ok(A, "GET", DATA + "/appdata") == "before"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50))
async def test_any_text_comes_back_by_every_way(standing: Standing, client: LedgerClient, text: str) -> None:
    if A not in client.guids:
        await standing.at_work(A)
        await standing.call_in()
    in_base64 = base64.b64encode(text.encode()).decode()
    for sent in (
        {"params": {"calldata": text}},
        {"json": {"calldata": text}},
        {"json": {"calldata": in_base64, "isDataEncoded": True}},
    ):
        tail = DATA if "params" in sent else DATA + "/setcalldataex"
        assert await client.ok(A, "PUT", tail, **sent) == {}
        assert await client.ok(A, "GET", DATA + "/appdata") == text
        assert await client.ok(A, "GET", DATA + "/appdata?isEncodeResult=True") == in_base64
        assert await client.ok(A, "GET", DATA + "/appdata?isEncodeResult=1") == text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("%E4%BD%A0%E5%A5%BD", "你好"), ("a+b%2B", "a b+"), ("%C4%E3", None), ("%00", None)],
    ids=["UTF-8", "blanks", "GBK", "NUL"],
)
async def test_the_bytes_of_a_query(
    standing: Standing, client: LedgerClient, sent: str, kept: str | None
) -> None:
    """What is no UTF-8 is refused, and never kept half."""
    await standing.at_work(A)
    await standing.call_in()
    answered = await client.ask(A, "PUT", f"{DATA}?calldata={sent}")
    assert answered.retcode == ("000-002" if kept is None else "0")
    assert await client.ok(A, "GET", DATA + "/appdata") == (kept or "")
