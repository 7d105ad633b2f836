"""One walk through everything that is served: each interface answers success, in the shape of its row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.contract.client import BASE, LedgerClient
from tests.contract.standing import Standing
from tests.quality.sounds import tone, write
from tests.quality.standing import NOW
from tests.quality.standing import Standing as QualityStanding

from sottovoce.config import RecordingSettings
from sottovoce.domain.directory import AgentId, Right, VdnId
from sottovoce.http.ccgateway.served import SERVED

A, B, C, INSPECTOR = 101, 102, 103, 300


async def _walk(standing: Standing, client: LedgerClient, agent: int, steps: str) -> None:
    for step in steps.split("\n"):
        if step.strip():
            verb, tail = step.split()
            await client.ok(agent, verb, tail)
            await standing.quiet()


async def _with_a_colleague(standing: Standing, client: LedgerClient) -> None:
    """A holds a customer; B answers by hand."""
    held = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
    calls: dict[str, dict[str, object]] = {
        "PUT /voicecall/{a}/callinner": {"called": str(B)},
        "PUT /voicecall/{a}/callinnerskill": {"called": "1"},
        "POST /voicecall/{a}/innerhelp": {"dstaddress": str(B)},
    }
    for step, body in calls.items():
        verb, tail = step.split()
        call = await client.ok(A, verb, tail, json=body)
        await standing.quiet()
        if "callinner" in tail:
            await client.ok(B, "POST", "/voicecall/{a}/reject", json={"callid": call})
            await client.ok(B, "POST", "/onlineagent/{a}/sayfree")
            await client.ask(A, "POST", f"/voicecall/{{a}}/dropcall/{call}")
        else:
            await client.ok(B, "PUT", f"/voicecall/{{a}}/answer?callid={call}")
        await standing.quiet()
    await client.ok(A, "POST", "/voicecall/{a}/confjoin", json={"callid": held})
    await client.ok(A, "POST", f"/voicecall/{{a}}/disconnect/{B}")
    await standing.quiet()
    for how in ("connecthold", "dropcall"):
        call = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
        consult = await client.ok(A, "POST", "/voicecall/{a}/innerhelp", json={"dstaddress": str(B)})
        await standing.quiet()
        await client.ok(B, "PUT", f"/voicecall/{{a}}/answer?callid={consult}")
        await client.ok(A, "POST", f"/voicecall/{{a}}/{how}/{call}")
        await standing.quiet()
        await client.ok(B, "DELETE", "/voicecall/{a}/release")
        await standing.quiet()
        await standing.call_in("555")
    body = {"devicetype": 5, "mode": 2, "address": "0778"}
    standing.lines.phone("0778")
    await client.ok(A, "POST", "/voicecall/{a}/transfer", json=body)
    await client.ok(A, "POST", "/voicecall/{a}/canceltransfer")
    await standing.quiet()
    await client.ok(A, "POST", "/voicecall/{a}/hold")


async def _with_a_writer(standing: Standing, client: LedgerClient) -> None:
    """A and B chat; C takes A's place."""
    await client.sign_in(C, force=True)
    for ends in ("reject", "drop"):
        await client.ok(A, "PUT", f"/textchat/{{a}}/internalcall/{B}")
        chat = dict(await client.events(A))["AgentChat_CallOutCreated"]["callId"]
        if ends == "drop":
            await client.ok(B, "PUT", f"/textchat/{{a}}/answer/{chat}")
            await client.ok(B, "PUT", "/textchat/{a}/chatmessage", json={"callId": chat, "content": "x"})
            handed = {"callid": chat, "addesstype": 1, "destaddr": str(C)}
            await client.ok(A, "POST", "/textchat/{a}/transfer", json=handed)
        await client.ok(B, "DELETE", f"/textchat/{{a}}/{ends}/{chat}")
    await client.ok(C, "DELETE", "/onlineagent/{a}/logout")


async def _recorded_on_demand(folder: Path) -> set[str]:
    """What succeeds only where agents choose what is recorded."""
    standing = Standing(folder, recordings=RecordingSettings(enabled=False, on_demand=True))
    await standing.open()
    await standing.at_work(A, INSPECTOR)
    await standing.call_in("555")
    await _walk(
        standing,
        standing.client,
        INSPECTOR,
        f"""
        POST /qualitycontrol/{{a}}/setselfrecord/1/0?agents={A}
        POST /qualitycontrol/{{a}}/cancelselfrecord?agents={A}
        """,
    )
    await _walk(
        standing,
        standing.client,
        A,
        """
        POST /onlineagent/{a}/setselfrecord/1/0
        POST /onlineagent/{a}/setselfrecord/0/0
        PUT /recordplay/{a}/record?filename=1
        DELETE /recordplay/{a}/stoprecord
        PUT /recordplay/{a}/recordwithoutfilename
        """,
    )
    await standing.close()
    return standing.client.seen


async def _heard_again(standing: Standing, client: LedgerClient, quality: QualityStanding) -> None:
    """A talk of A's is played to A, who is idle, and downloaded."""
    standing.gateway.office = quality.office
    name = f"{int(NOW.timestamp())}-7-{A}-1"
    write(quality.office.recordings / f"1/2026/03/02/{name}.wav", tone(2))
    await quality.contact(A, began_at=NOW, recording=f"1/2026/03/02/{name}.wav")
    await client.ok(A, "PUT", "/recordplay/{a}/play", json={"voicepath": name})
    await standing.quiet()
    await _walk(
        standing,
        client,
        A,
        """
        POST /recordplay/{a}/pauseplay
        POST /recordplay/{a}/resumeplay
        POST /recordplay/{a}/forefast/1
        POST /recordplay/{a}/backfast/1
        DELETE /recordplay/{a}/stopplay
        """,
    )
    file = f"{BASE}/recordfile/{A}?recordId={name}"
    assert (await client.http.get(file, headers={"Guid": client.guids[A]})).status_code == 200
    client.seen.add("downloadRecordFile")


async def test_everything_served_succeeds_once(
    standing: Standing, client: LedgerClient, quality: QualityStanding, tmp_path: Path
) -> None:
    await standing.at_work(A, INSPECTOR)
    await _heard_again(standing, client, quality)
    await client.sign_in(B, force=True)
    await _walk(
        standing,
        client,
        B,
        """
        POST /onlineagent/{a}/resetskill/true
        POST /onlineagent/{a}/autoenteridle/true
        POST /onlineagent/{a}/autoanswer/false
        POST /onlineagent/{a}/settalkright?flag=1
        POST /onlineagent/{a}/sendnotelet/101?content=x
        POST /onlineagent/{a}/rest/60/0
        POST /onlineagent/{a}/cancelrest
        POST /onlineagent/{a}/work
        POST /onlineagent/{a}/cancelwork
        POST /onlineagent/{a}/saybusy
        POST /onlineagent/{a}/cancelbusy
        POST /onlineagent/{a}/sayfree
        POST /onlineagent/{a}/handshake
        PUT /onlineagent/{a}/heartbeat
        GET /onlineagent/{a}/agentstatus
        GET /onlineagent/{a}/agentskills
        GET /onlineagent/{a}/agentskillsbyworkno/101
        GET /queuedevice/{a}/waitnum
        GET /queuedevice/{a}/waitnumbyagent
        GET /queuedevice/{a}/skillwaitnum/1
        GET /queuedevice/{a}/agentvdnskill
        GET /queuedevice/{a}/vdnskill/1
        GET /queuedevice/{a}/agentskill/101
        GET /queuedevice/{a}/innoinfo
        PUT /onlineagent/{a}/updateGuid
        POST /onlineagent/{a}/syncagentinfo
        """,
    )
    for how in ("pwd?oldpassword=secret&newpassword=Secret-02", "pwdex"):
        body = {"json": {"oldPassword": "Secret-02", "newPassword": "Secret-03"}} if how == "pwdex" else {}
        await client.ok(B, "POST", f"/onlineagent/{{a}}/modifyaccount{how}", **body)
    await client.ok(B, "POST", "/onlineagent/{a}/sendnoteletex", json={"agentIds": [A, B]})
    await client.ok(B, "POST", "/onlineagent/{a}/notifybulletin", json={"targettype": 0, "targetname": "day"})
    await standing.call_in("555")
    await _walk(
        standing,
        client,
        A,
        """
        POST /voicecall/{a}/hold
        POST /voicecall/{a}/gethold
        POST /recordplay/{a}/pauserecord
        POST /recordplay/{a}/resumerecord
        POST /voicecall/{a}/beginmute
        POST /voicecall/{a}/endmute
        POST /voicecall/{a}/seconddial/1
        POST /voicecall/{a}/seconddialex?number=1
        GET /calldata/{a}/callinfo
        GET /calldata/{a}/callinfobeforeanswer
        GET /calldata/{a}/allcallid
        GET /calldata/{a}/allcallinfo/101
        GET /calldata/{a}/allcallinfoEx/101
        GET /calldata/{a}/agentholdnum/101
        GET /calldata/{a}/waitcallinfo/1
        GET /calldata/{a}/callnums
        GET /calldata/{a}/isprocesscall
        GET /calldata/{a}/remotenumbers
        PUT /calldata/{a}?calldata=x
        GET /calldata/{a}/appdata
        POST /voicecall/{a}/hold
        GET /calldata/{a}/holdlist
        """,
    )
    await client.ok(A, "PUT", "/calldata/{a}/setcalldataex", json={"calldata": "x"})
    await client.ok(A, "POST", "/queuedevice/{a}/queryacdstat", json={"skills": [1]})
    await client.ok(B, "POST", "/onlineagent/{a}/saybusy")
    waiting = await standing.call_in("558")
    moved = (await client.ok(B, "GET", "/calldata/{a}/waitcallinfo/1"))[0]["callid"]
    await client.ok(B, "PUT", "/calldata/{a}/assignuserinqueue", json={"callid": moved, "skillid": 2})
    waiting.hang_up()
    await standing.quiet()
    await client.ok(B, "POST", "/onlineagent/{a}/cancelbusy")
    assert await client.refused(A, "GET", "/queuedevice/{a}/ivrinfo") == "600-004"
    await _with_a_colleague(standing, client)
    await _with_a_writer(standing, client)
    await standing.call_in("556")
    await _walk(standing, client, B, "PUT /voicecall/{a}/answer\nDELETE /voicecall/{a}")
    call = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
    await _walk(
        standing,
        client,
        INSPECTOR,
        f"""
        GET /calldata/{{a}}/holdlistex/{A}
        GET /calldata/{{a}}/callinfobycallid/{call}
        GET /calldata/{{a}}/allcallinfoinvdn
        GET /agentgroup/{{a}}/iscensor
        GET /agentgroup/{{a}}/iscallout
        GET /agentgroup/{{a}}/ismonitor
        GET /agentgroup/{{a}}/isspymonitor
        GET /agentgroup/{{a}}/isreportmanager
        GET /agentgroup/{{a}}/issystem
        GET /agentgroup/{{a}}/ispickup
        GET /agentgroup/{{a}}/restreason
        GET /agentgroup/{{a}}/queryagentstatus
        GET /agentgroup/{{a}}/queryagentstatusandskill
        GET /agentgroup/{{a}}/alllocalagentstatus
        GET /agentgroup/{{a}}/agentlistbystatus?status=4
        GET /agentgroup/{{a}}/idleagent
        GET /agentgroup/{{a}}/agentongroup
        GET /agentgroup/{{a}}/agentongroupex?groupid=0
        GET /agentgroup/{{a}}/groupbyagent/{A}
        GET /agentgroup/{{a}}/grouponvdn
        GET /agentgroup/{{a}}/agentbyskill/1
        GET /agentgroup/{{a}}/agentidsbyskill/1
        GET /agentgroup/{{a}}/agentbyconfigedskill/1
        GET /agentgroup/{{a}}/allonlineagents
        GET /agentgroup/{{a}}/agentbylist
        GET /agentgroup/{{a}}/agentwasnameonvdn
        GET /agentgroup/{{a}}/loggedinagentphoneonvdn
        GET /agentgroup/{{a}}/agentrestinfo
        GET /agentgroup/{{a}}/agentbyworkno/{A}
        GET /agentgroup/{{a}}/onlineagentonvdn
        GET /agentgroup/{{a}}/allagentstatus
        POST /qualitycontrol/{{a}}/beginmonitor?agents={A};{B}
        GET /qualitycontrol/{{a}}/allagent
        POST /qualitycontrol/{{a}}/endmonitor?agents={A};{B}
        PUT /qualitycontrol/{{a}}/addinsert/{A}
        POST /qualitycontrol/{{a}}/switch/{A}
        DELETE /qualitycontrol/{{a}}/{A}
        POST /qualitycontrol/{{a}}/requestwhisperagent?whisperagentid={A}
        POST /qualitycontrol/{{a}}/requeststopwhisperagent?whisperagentid={A}
        PUT /qualitycontrol/{{a}}/addsupervise/{A}
        POST /qualitycontrol/{{a}}/requestswitchinsertwhisperagent?whisperagentid={A}&switchtype=2
        PUT /qualitycontrol/{{a}}/intercept/{A}/{call}
        POST /qualitycontrol/{{a}}/forcedropcall/{call}
        POST /qualitycontrol/{{a}}/forcebusy/{A}
        POST /qualitycontrol/{{a}}/forceidle/{A}
        POST /qualitycontrol/{{a}}/forcerest/{A}/60/1
        POST /qualitycontrol/{{a}}/forcelogout/{A}
        """,
    )
    await client.ok(INSPECTOR, "POST", "/agentgroup/{a}/agentinfonoskills", json={"agentlist": [A]})
    body = {"workNo": str(B), "skills": [1]}
    await client.ok(INSPECTOR, "POST", "/qualitycontrol/{a}/adjustskill", json=body)
    standing.lines.phone("0777", ready=True)
    await client.ok(B, "PUT", "/voicecall/{a}/callout", json={"called": "0777"})
    await standing.quiet()
    await client.ok(B, "DELETE", "/voicecall/{a}/release")
    await standing.at_work(C)
    standing.phone(C).ready = False
    await client.ok(B, "POST", "/onlineagent/{a}/saybusy")
    await standing.call_in("557")
    await client.ok(B, "POST", "/onlineagent/{a}/cancelbusy")
    profile = standing.store.profiles[VdnId(1)]
    one = replace(profile.agents[AgentId(B)], rights=frozenset({Right.PICK_UP}))
    standing.store.profiles[VdnId(1)] = replace(profile, agents={**profile.agents, AgentId(B): one})
    await standing.desk.reload(VdnId(1))
    await client.ok(B, "POST", "/voicecall/{a}/phonehangup")
    standing.phone(B).ready, standing.phone(B).lifts = False, True
    await client.ok(B, "PUT", f"/voicecall/{{a}}/snatchpickup?destWorkNo={C}")
    await standing.quiet()
    await client.ok(B, "POST", "/voicecall/{a}/phonepickup")
    await standing.quiet()
    await client.ok(B, "PUT", "/voicecall/{a}/answer")
    (standing.folder / "agent.wav").touch()
    await client.ok(B, "POST", "/voicecall/{a}/reportsound", json={})
    await client.ok(B, "DELETE", "/voicecall/{a}/release")
    await standing.quiet()
    for agent in (A, B, C):
        await client.ask(agent, "POST", "/onlineagent/{a}/saybusy")
    await standing.call_in("559")
    waiting = (await client.ok(INSPECTOR, "GET", "/calldata/{a}/allcallinfoinvdn"))[-1]["callid"]
    await client.ok(B, "POST", "/onlineagent/{a}/resetskill/false?skillid=9")
    await client.ok(B, "POST", "/onlineagent/{a}/cancelbusy")
    await client.ok(B, "POST", f"/voicecall/{{a}}/requestcall/{waiting}/0?skillid=1")
    await standing.quiet()
    await client.ok(B, "POST", "/voicecall/{a}/reject", json={})
    await standing.quiet()
    await _walk(standing, client, B, "DELETE /voicecall/{a}/releasephone\nDELETE /onlineagent/{a}/logout")
    for how in ("loginex", "forceloginex", "forceloginexwithoutphone"):
        await client.sign_in(B, how=how, password="Secret-03")
    await client.ok(B, "POST", "/onlineagent/{a}/bindphone", json={"phonenum": str(1000 + B)})
    await client.ok(B, "DELETE", "/onlineagent/{a}/logout")
    for how in ("forcelogout", "forcelogoutwithreason/1"):
        await client.sign_in(B, password="Secret-03")
        await client.ok(B, "DELETE", f"/onlineagent/{{a}}/{how}")
    client.seen |= await _recorded_on_demand(tmp_path)
    assert client.seen == {interface.name for interface in SERVED} - {"queryIVRInfoOnVdn"}
