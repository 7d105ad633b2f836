"""voicecall and qualitycontrol over the wire, every answer checked against the ledger."""

from __future__ import annotations

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

A, B, INSPECTOR, OTHER = 101, 102, 300, 301
QC = "/qualitycontrol/{a}/"
CALL = "/voicecall/{a}/"


async def test_placing_and_ending_a_call(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    standing.lines.phone("0555", ready=True)
    call = await client.ok(A, "PUT", CALL + "callout", json={"called": "0555", "skillid": "1"})
    await standing.quiet()
    assert await client.ok(A, "GET", "/calldata/{a}/allcallid") == [call]
    await client.ok(A, "DELETE", CALL + "release")
    await standing.quiet()
    types = [name for name, _ in await client.events(A)]
    wanted = ["AgentState_Busy", "AgentEvent_Talking", "AgentEvent_Call_Release", "AgentState_Ready"]
    assert [name for name in types if name in wanted] == wanted


@pytest.mark.parametrize(
    ("body", "retcode"),
    [
        ({}, "000-002"),
        ({"called": ""}, "000-002"),
        ({"called": "1" * 25}, "000-002"),
        ({"called": "0555", "skillid": "x"}, "000-002"),
        ({"called": "0555", "mediaability": 3}, "000-002"),
        ({"called": "hello"}, "200-001"),
        ({"called": "9555"}, "200-001"),
    ],
    ids=str,
)
async def test_numbers_that_cannot_be_called(
    standing: Standing, client: LedgerClient, body: dict[str, object], retcode: str
) -> None:
    await standing.at_work(A)
    assert await client.refused(A, "PUT", CALL + "callout", json=body) == retcode


async def test_consulting_joining_and_connecting(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    await standing.call_in()
    await standing.at_work(B)
    call = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
    table = [
        ("POST", "innerhelp", {}, "000-002"),
        ("POST", "innerhelp", {"dstaddress": "102", "devicetype": 3}, "000-002"),
        ("POST", "innerhelp", {"dstaddress": "102", "mode": 3}, "000-002"),
        ("POST", "innerhelp", {"dstaddress": "102", "callappdata": "x" * 16385}, "000-002"),
        ("POST", "innerhelp", {"dstaddress": "nobody"}, "000-002"),
        ("POST", "innerhelp", {"dstaddress": "101"}, "000-002"),
        ("POST", "innerhelp", {"dstaddress": "9", "devicetype": 1}, "000-002"),
        ("POST", "innerhelp", {"dstaddress": "103"}, "100-007"),
        ("POST", "innerhelp", {"dstaddress": str(FOREIGN_AGENT)}, "100-007"),
        ("PUT", "callinner", {"called": "102"}, "100-007"),
        ("PUT", "callinnerskill", {"called": "1"}, "100-007"),
        ("POST", "confjoin", {"callid": call}, "200-011"),
        ("POST", "confjoin", {}, "000-002"),
        ("POST", f"connecthold/{call}", None, "200-014"),
        ("POST", "dropcall/1-1", None, "200-025"),
        ("POST", "disconnect/999", None, "200-024"),
        ("POST", "disconnect/x", None, "000-002"),
        ("POST", "reject", {}, "200-002"),
    ]
    for verb, tail, body, retcode in table:
        sent = {} if body is None else {"json": body}
        assert await client.refused(A, verb, CALL + tail, **sent) == retcode, (tail, body)
    for tail, retcode in (("innerhelp", "200-018"), ("confjoin", "200-010"), ("disconnect/1", "200-023")):
        body = {"dstaddress": "101", "callid": call}
        assert await client.refused(B, "POST", CALL + tail, json=body) == retcode, tail
    assert await client.refused(B, "POST", CALL + f"connecthold/{call}") == "200-013"
    await client.events(A)
    consult = await client.ok(A, "POST", CALL + "innerhelp", json={"dstaddress": "102", "holdflag": "true"})
    await standing.quiet()
    assert await client.refused(A, "POST", CALL + "innerhelp", json={"dstaddress": "102"}) == "100-007"
    assert await client.ok(A, "GET", "/calldata/{a}/allcallid") == [consult, call]
    await client.ok(A, "POST", CALL + "confjoin", json={"callid": call})
    await standing.quiet()
    types = [name for name, _ in await client.events(A) if not name.startswith("AgentMedia")]
    assert types == [
        "AgentEvent_Hold",
        "AgentEvent_Customer_Alerting",
        "AgentEvent_Talking",
        "AgentEvent_Conference",
        "AgentEvent_Customer_Release",
    ]
    told = dict(await client.events(B))
    assert told["AgentEvent_Auto_Answer"]["caller"] == "A101"
    assert told["AgentEvent_Conference"] == {"callid": call, "partner": "555,101"}


TRANSFERS = [(1, 0), (1, 2), (2, 0), (2, 2), (4, 0), (4, 2), (5, 1), (5, 2), (5, 3), (5, 4)]


@pytest.mark.parametrize(("device", "mode"), TRANSFERS, ids=str)
async def test_transferring_to_every_device_in_every_mode(
    standing: Standing, client: LedgerClient, device: int, mode: int
) -> None:
    await standing.at_work(A)
    customer = await standing.call_in()
    await standing.at_work(B)
    standing.lines.phone("0777", ready=True)
    call = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
    await client.events(A)
    body = {"devicetype": str(device), "mode": mode, "callappdata": "note"}
    body["address"] = {1: "1", 2: str(B), 4: "801", 5: "0777"}[device]
    await client.ok(A, "POST", CALL + "transfer", json=body)
    await standing.quiet()
    types = [name for name, _ in await client.events(A)]
    if device == 5 and mode > 2:
        assert ("AgentEvent_Conference" in types) is (mode == 4)
        await client.ok(A, "DELETE", CALL + "release")
        await standing.quiet()
        types += [name for name, _ in await client.events(A)]
    assert ("AgentEvent_SuccTransResult" in types) is (mode == 2)
    assert types.count("AgentEvent_Call_Release") == (2 if mode == 3 else 1)
    assert "AgentState_Ready" in types
    assert customer.leg is not None
    if device == 5:
        assert standing.lines.phones["0777"].leg is not None
        return
    told = dict(await client.events(B))
    assert told["AgentEvent_Talking"]["callid"] == call
    assert (told["AgentEvent_Auto_Answer"]["transfer"], told["AgentEvent_Auto_Answer"]["transfrom"]) == (
        "yes",
        "101",
    )
    assert (await client.ok(B, "GET", f"/calldata/{{a}}/callinfobycallid/{call}"))["calldata"] == "note"


async def test_transfers_that_are_refused_lose_nothing(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    customer = await standing.call_in()
    await standing.at_work(B)
    every = [(device, mode) for device in range(7) for mode in range(6)]
    for device, mode in every:
        if (device, mode) not in TRANSFERS:
            body = {"devicetype": device, "mode": mode, "address": "1"}
            assert await client.refused(A, "POST", CALL + "transfer", json=body) == "000-002", body
    for device, mode, address, retcode in (
        (1, 0, "99", "000-002"),
        (1, 0, "", "000-002"),
        (2, 0, "101", "000-002"),
        (2, 2, "x", "000-002"),
        (2, 2, "103", "100-007"),
        (2, 0, str(FOREIGN_AGENT), "100-007"),
        (4, 0, "802", "000-002"),
        (5, 1, "hello", "200-001"),
        (5, 1, "9777", "200-001"),
        (5, 1, "801", "000-002"),
        (5, 2, "1102", "000-002"),
    ):
        body = {"devicetype": device, "mode": mode, "address": address}
        assert await client.refused(A, "POST", CALL + "transfer", json=body) == retcode, body
    body = {"devicetype": 2, "mode": 0, "address": str(A)}
    assert await client.refused(B, "POST", CALL + "transfer", json=body) == "200-012"
    assert await client.refused(A, "POST", CALL + "canceltransfer") == "200-012"
    assert await client.refused(A, "DELETE", CALL + "releasephone") == "100-007"
    assert await client.refused(B, "PUT", CALL + "snatchpickup?destWorkNo=101") == "100-007"
    assert await client.refused(B, "PUT", CALL + "snatchpickup") == "000-002"
    assert customer.up
    assert len(await client.ok(A, "GET", "/calldata/{a}/allcallid")) == 1


async def test_holding_muting_dialling(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    await standing.call_in()
    await client.events(A)
    for verb, tail in (
        ("POST", "hold"),
        ("POST", "gethold"),
        ("POST", "beginmute"),
        ("POST", "endmute"),
        ("POST", "seconddial/12%23*"),
        ("POST", "seconddialex?number=12%23*"),
    ):
        await client.ok(A, verb, CALL + tail)
    await standing.quiet()
    assert [name for name, _ in await client.events(A)] == ["AgentEvent_Hold", "AgentEvent_Talking"]
    for verb, tail, retcode in (
        ("POST", "gethold", "200-015"),
        ("POST", "endmute", "200-008"),
        ("POST", "seconddial/12A", "000-002"),
        ("POST", "seconddialex", "000-002"),
        ("POST", "seconddialex?number=" + "1" * 25, "000-002"),
    ):
        assert await client.refused(A, verb, CALL + tail) == retcode, tail
    await client.ok(A, "POST", CALL + "hold")
    assert await client.refused(A, "POST", CALL + "hold") == "200-014"
    await client.ok(A, "DELETE", "/voicecall/{a}")


async def test_lifting_the_phone_and_putting_it_down(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B)
    assert await client.refused(A, "PUT", CALL + "phonepickup") == "100-007"
    assert await client.refused(A, "PUT", CALL + "phonehangup") == "100-007"
    phone = standing.phone(A)
    phone.ready = standing.phone(B).ready = False
    await client.ok(B, "POST", "/onlineagent/{a}/saybusy")
    await standing.call_in()
    await client.events(A)
    assert await client.refused(A, "POST", CALL + "phonepickup") == "100-007"
    assert await client.events(A) == []
    phone.lifts = True
    await client.ok(A, "POST", CALL + "phonepickup")
    await standing.quiet()
    told = dict(await client.events(A))
    assert {"AgentOther_PhoneOffhook", "AgentEvent_Talking"} <= told.keys()
    await client.ok(A, "PUT", CALL + "phonehangup")
    await standing.quiet()
    told = dict(await client.events(A))
    assert {"AgentOther_PhoneRelease", "AgentEvent_Call_Release", "AgentState_Ready"} <= told.keys()


async def test_requesting_a_call_that_waits(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B)
    for agent in (A, B):
        await client.ok(agent, "POST", "/onlineagent/{a}/saybusy")
    await standing.call_in()
    [waiting] = await client.ok(A, "GET", "/calldata/{a}/waitcallinfo/1")
    call = waiting["callid"]
    assert await client.refused(A, "POST", CALL + f"requestcall/{call}/0") == "100-007", "busy"
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/false?skillid=2")
    await client.ok(A, "POST", "/onlineagent/{a}/cancelbusy")
    for tail, retcode in (
        (f"{call}/1", "000-002"),
        (f"{call}/x", "000-002"),
        (f"{call}/0?skillid=2", "100-007"),
        ("1-1/0", "100-007"),
    ):
        assert await client.refused(A, "POST", CALL + "requestcall/" + tail) == retcode, tail
    await client.ok(A, "POST", CALL + f"requestcall/{call}/0?skillid=0")
    await standing.quiet()
    assert dict(await client.events(A))["AgentEvent_Talking"]["callid"] == call


async def test_saying_the_agents_number(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    await standing.call_in()
    assert await client.refused(A, "POST", CALL + "reportsound", json={}) == "100-007", "there is no sound"
    (standing.folder / f"{A}.wav").touch()
    await client.ok(A, "POST", CALL + "reportsound", json={"workNo": "101"})
    await client.ok(A, "POST", CALL + "hold")
    assert await client.refused(A, "POST", CALL + "reportsound") == "200-009"
    await client.ok(A, "DELETE", CALL + "release")
    assert await client.refused(A, "POST", CALL + "reportsound") == "200-009"


async def test_without_a_call(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    table = {
        ("PUT", "answer"): "200-002",
        ("POST", "hold"): "200-013",
        ("POST", "gethold"): "200-015",
        ("POST", "beginmute"): "200-003",
        ("POST", "endmute"): "200-007",
        ("POST", "seconddial/1"): "100-007",
        ("DELETE", "release"): "200-017",
        ("DELETE", ""): "200-017",
    }
    found = {}
    for verb, tail in table:
        found[verb, tail] = await client.refused(A, verb, (CALL + tail).rstrip("/"))
    assert found == table


async def test_answering_by_hand(standing: Standing, client: LedgerClient) -> None:
    await client.sign_in(A, autoanswer="false")
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/true")
    await standing.call_in()
    ringing = dict(await client.events(A))["AgentEvent_Ringing"]
    assert (ringing["caller"], ringing["called"], ringing["type"]) == ("555", "801", "main")
    await client.ok(A, "PUT", CALL + f"answer?callid={ringing['callid']}")
    await standing.quiet()
    assert "AgentEvent_Talking" in dict(await client.events(A))


async def test_whispering_and_its_events(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    await client.events(A)
    await client.ok(INSPECTOR, "POST", QC + f"requestwhisperagent?whisperagentid={A}")
    await standing.quiet()
    assert await client.events(A) == [("AgentOther_BeQcStart", {"qcType": 20172, "qcAgentId": INSPECTOR})]
    assert [name for name, _ in await client.events(INSPECTOR)] == [
        "AgentState_Busy",
        "AgentOther_PhoneAlerting",
        "AgentOther_PhoneOffhook",
    ]
    await client.ok(INSPECTOR, "POST", QC + f"requeststopwhisperagent?whisperagentid={A}")
    await standing.quiet()
    assert await client.events(A) == [("AgentOther_BeQcStop", {"qcType": 20172, "qcAgentId": INSPECTOR})]
    assert [name for name, _ in await client.events(INSPECTOR)] == [
        "AgentOther_PhoneRelease",
        "AgentState_Ready",
    ]


async def test_every_way_in_and_out(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    steps = [
        ("PUT", f"addsupervise/{A}"),
        ("POST", f"switch/{A}"),
        ("POST", f"switch/{A}"),
        ("POST", f"requestswitchinsertwhisperagent?whisperagentid={A}&switchtype=2"),
        ("POST", "requestswitchinsertwhisperagent?switchtype=1"),
        ("POST", f"requestswitchinsertwhisperagent?whisperagentid={A}&switchtype=0"),
        ("DELETE", f"{A}"),
        ("PUT", f"addinsert/{A}"),
        ("DELETE", f"{A}"),
        ("POST", f"requestwhisperagent?whisperagentid={A}"),
        ("POST", "requeststopwhisperagent"),
        ("PUT", f"addsupervise/{A}"),
        ("PUT", f"intercept/{A}"),
    ]
    for verb, tail in steps:
        await client.ok(INSPECTOR, verb, QC + tail)
        await standing.quiet()
    assert "AgentEvent_Talking" in dict(await client.events(INSPECTOR))


async def test_intercepting_a_named_call(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    call = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
    await client.ok(INSPECTOR, "PUT", QC + f"addsupervise/{A}")
    await standing.quiet()
    assert await client.refused(INSPECTOR, "PUT", QC + f"intercept/{A}/1456402370-7") == "900-003"
    await client.ok(INSPECTOR, "PUT", QC + f"intercept/{A}/{call}")
    await standing.quiet()
    assert await client.ok(INSPECTOR, "GET", "/calldata/{a}/allcallid") == [call]


async def test_forcing(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, INSPECTOR)
    for tail in (f"forcebusy/{A}", f"forceidle/{A}", f"forcerest/{A}/60/1", f"forceidle/{A}"):
        await client.ok(INSPECTOR, "POST", QC + tail)
    await standing.quiet()
    assert await client.events(A) == [
        ("AgentState_SetNotReady_Success", {"reason": "3"}),
        ("AgentState_Ready", None),
        ("AgentState_SetRest_Success", {"reason": "1"}),
        ("AgentState_Ready", None),
    ]
    await client.ok(INSPECTOR, "POST", QC + "adjustskill", json={"workNo": str(A), "skills": [2]})
    seen = await client.ok(A, "GET", f"/agentgroup/{{a}}/agentbyworkno/{A}")
    assert [skill["id"] for skill in seen["skilllist"]] == [2]
    await standing.call_in()
    call = (await client.ok(B, "GET", "/calldata/{a}/allcallid"))[0]
    await client.ok(INSPECTOR, "POST", QC + f"forcedropcall/{call}")
    await standing.quiet()
    assert await client.ok(B, "GET", "/calldata/{a}/allcallid") == []
    await client.ok(INSPECTOR, "POST", QC + f"forcelogout/{A}")
    await standing.quiet()
    assert await client.refused(A, "GET", "/onlineagent/{a}/agentstatus") == "100-006"


ENTRIES = {
    "listen": ("PUT", "addsupervise/{}"),
    "insert": ("PUT", "addinsert/{}"),
    "whisper": ("POST", "requestwhisperagent?whisperagentid={}"),
}
LEAVING = {
    "stop": ("DELETE", "{}"),
    "stop whisper": ("POST", "requeststopwhisperagent?whisperagentid={}"),
    "toggle": ("POST", "switch/{}"),
    "switch": ("POST", "requestswitchinsertwhisperagent?whisperagentid={}&switchtype=0"),
    "intercept": ("PUT", "intercept/{}"),
}
FORCES = {
    "busy": ("POST", "forcebusy/{}"),
    "idle": ("POST", "forceidle/{}"),
    "rest": ("POST", "forcerest/{}/60/1"),
    "sign out": ("POST", "forcelogout/{}"),
}
LISTS_900_004 = {"whisper", "stop whisper", "switch"}


async def _refusals(client: LedgerClient, agent: int, target: object) -> dict[str, str]:
    return {
        name: await client.refused(agent, verb, QC + tail.format(target))
        for name, (verb, tail) in {**ENTRIES, **LEAVING, **FORCES}.items()
    }


def _no_such_agent() -> dict[str, str]:
    names = [*ENTRIES, *LEAVING, *FORCES]
    return {name: "900-004" if name in LISTS_900_004 else "900-003" for name in names}


@pytest.mark.parametrize("target", [FOREIGN_AGENT, 999, B], ids=["foreign", "unknown", "not signed in"])
async def test_unknown_foreign_and_absent_agents_look_the_same(
    standing: Standing, client: LedgerClient, target: int
) -> None:
    await standing.at_work(INSPECTOR)
    assert await _refusals(client, INSPECTOR, target) == _no_such_agent()


async def test_leaving_what_was_never_entered(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    for name, (verb, tail) in LEAVING.items():
        wanted = _no_such_agent()[name]
        assert await client.refused(INSPECTOR, verb, QC + tail.format(A)) == wanted, name
    assert await client.refused(INSPECTOR, "POST", QC + "requeststopwhisperagent") == "900-004"


async def test_stopping_twice(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    await client.ok(INSPECTOR, "POST", QC + f"requestwhisperagent?whisperagentid={A}")
    await standing.quiet()
    stop = QC + f"requeststopwhisperagent?whisperagentid={A}"
    await client.ok(INSPECTOR, "POST", stop)
    await standing.quiet()
    assert await client.refused(INSPECTOR, "POST", stop) == "900-004"


async def test_an_agent_without_the_right(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B)
    found = await _refusals(client, A, B)
    assert set(found.values()) == {"900-002"}, found
    assert await client.refused(A, "POST", QC + "forcedropcall/1-1") == "900-002"
    body = {"workNo": str(B), "skills": [1]}
    assert await client.refused(A, "POST", QC + "adjustskill", json=body) == "900-002"


async def test_oneself(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(INSPECTOR)
    for verb, tail in {**ENTRIES, **FORCES}.values():
        assert await client.refused(INSPECTOR, verb, QC + tail.format(INSPECTOR)) == "000-005", tail


async def test_an_inspector_who_is_not_idle(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await client.ok(INSPECTOR, "POST", "/onlineagent/{a}/saybusy")
    found = {
        name: await client.refused(INSPECTOR, verb, QC + tail.format(A))
        for name, (verb, tail) in ENTRIES.items()
    }
    assert found == {"listen": "900-005", "insert": "900-005", "whisper": "900-003"}


async def test_without_the_database(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    standing.store.available = False
    for verb, tail in ENTRIES.values():
        assert await client.refused(INSPECTOR, verb, QC + tail.format(A)) == "900-001", tail


@pytest.mark.parametrize(
    ("verb", "tail", "body", "retcode"),
    [
        ("POST", "requestwhisperagent", None, "000-002"),
        ("POST", "requestwhisperagent?whisperagentid=", None, "000-002"),
        ("POST", "requestwhisperagent?whisperagentid=60000", None, "000-002"),
        ("PUT", "addsupervise/100", None, "000-002"),
        ("POST", "requestswitchinsertwhisperagent?whisperagentid=101", None, "000-002"),
        ("POST", "requestswitchinsertwhisperagent?whisperagentid=101&switchtype=3", None, "000-002"),
        ("POST", "forcerest/101/0/1", None, "000-002"),
        ("POST", "forcerest/101/60/0", None, "000-002"),
        ("POST", "forcedropcall/a%2Fb%20c", None, "900-003"),
        ("POST", "forcedropcall/" + "x" * 65, None, "000-002"),
        ("POST", "adjustskill", {"skills": [1]}, "100-001"),
        ("POST", "adjustskill", {"workNo": "101"}, "100-001"),
        ("POST", "adjustskill", {"workNo": "101", "skills": [99]}, "100-001"),
        ("POST", "adjustskill", {"workNo": "101", "skills": list(range(1001))}, "100-001"),
        ("POST", "adjustskill", [], "000-002"),
    ],
)
async def test_bad_parameters(
    standing: Standing, client: LedgerClient, verb: str, tail: str, body: object, retcode: str
) -> None:
    await standing.at_work(A, INSPECTOR)
    assert await client.refused(INSPECTOR, verb, QC + tail, json=body) == retcode
