"""What each interface may answer, once more: a copy that neither the ledgers nor the code read.

The code takes its codes from the ledgers; a slip of the pen there would change answers, and nothing else
would notice.
"""

from __future__ import annotations

import pytest

from sottovoce.contracts import rows

GATEWAY = {
    "| 100-001 100-002 100-003 100-004 100-012 100-013 100-014 100-016 100-020 100-021 110-016": [
        "PUT /onlineagent/{agentid}",
        "PUT /onlineagent/{agentid}/loginex",
        "PUT /onlineagent/{agentid}/forcelogin",
        "PUT /onlineagent/{agentid}/forceloginex",
        "PUT /onlineagent/{agentid}/forceloginexwithoutphone",
    ],
    "| 100-007 110-002 110-003 110-016": [
        "POST /onlineagent/{agentid}/modifyaccountpwd",
        "POST /onlineagent/{agentid}/modifyaccountpwdex",
    ],
    "100-005 100-006 100-007 100-008 |": [
        "DELETE /onlineagent/{agentid}/logout",
    ],
    "| 100-006 100-007": [
        "DELETE /onlineagent/{agentid}/forcelogout",
        "GET /onlineagent/{agentid}/agentskills",
        "POST /onlineagent/{agentid}/setselfrecord/{recordflag}/{recordbeforetalking}",
        "POST /onlineagent/{agentid}/autoenteridle/{flag}",
        "POST /onlineagent/{agentid}/autoanswer/{isautoanswer}",
        "POST /onlineagent/{agentid}/sendnotelet/{receiver}",
        "POST /onlineagent/{agentid}/notifybulletin",
        "POST /onlineagent/{agentid}/settalkright",
        "POST/PUT /voicecall/{agentid}/phonehangup",
        "DELETE /voicecall/{agentid}/releasephone",
        "POST /voicecall/{agentid}/requestcall/{callid}/{skilltype}",
        "GET /agentgroup/{agentid}/restreason",
        "GET /agentgroup/{agentid}/agentbyskill/{skillid}",
        "GET /agentgroup/{agentid}/queryagentstatus",
        "GET /agentgroup/{agentid}/iscallout",
        "GET /agentgroup/{agentid}/iscensor",
        "GET /agentgroup/{agentid}/isspymonitor",
        "GET /agentgroup/{agentid}/ismonitor",
        "GET /agentgroup/{agentid}/isreportmanager",
        "GET /agentgroup/{agentid}/issystem",
        "GET /agentgroup/{agentid}/ispickup",
        "GET /agentgroup/{agentid}/loggedinagentphoneonvdn",
        "GET /agentgroup/{agentid}/agentlistbystatus",
        "GET /agentgroup/{agentid}/agentrestinfo",
        "GET /agentgroup/{agentid}/idleagent",
        "GET /agentgroup/{agentid}/agentidsbyskill/{skillid}",
        "GET /agentgroup/{agentid}/onlineagentonvdn",
        "GET /agentgroup/{agentid}/alllocalagentstatus",
        "GET /agentgroup/{agentid}/allagentstatus",
        "POST /agentgroup/{agentid}/agentinfonoskills",
        "GET /agentgroup/{agentid}/grouponvdn",
        "GET /agentgroup/{agentid}/agentwasnameonvdn",
        "GET /agentgroup/{agentid}/queryagentstatusandskill",
        "GET /agentgroup/{agentid}/agentbyconfigedskill/{skillid}",
        "POST /queuedevice/{agentid}/queryacdstat",
        "GET /calldata/{agentid}/allcallid",
        "GET /calldata/{agentid}/callnums",
        "GET /calldata/{agentid}/isprocesscall",
        "GET /calldata/{agentid}/remotenumbers",
        "DELETE /recordplay/{agentid}/stoprecord",
        "PUT /textchat/{workno}/answer/{callid}",
        "DELETE /textchat/{workno}/reject/{callid}",
        "DELETE /textchat/{workno}/drop/{callid}",
        "POST/PUT /onlineagent/{agentid}/handshake",
        "PUT /onlineagent/{agentid}/heartbeat",
        "POST /onlineagent/{agentid}/syncagentinfo",
        "POST /onlineagent/{agentid}/sendnoteletex",
        "PUT /voicecall/{agentid}/snatchpickup",
        "GET /agentgroup/{agentid}/agentbylist",
        "GET /agentgroup/{agentid}/allonlineagents",
    ],
    "100-005 | 100-006 100-007": [
        "DELETE /onlineagent/{agentid}/forcelogoutwithreason/{reason}",
    ],
    "000-002 100-006 100-007 100-009 |": [
        "POST /onlineagent/{agentid}/saybusy",
    ],
    "100-006 100-007 100-009 |": [
        "POST /onlineagent/{agentid}/cancelbusy",
    ],
    "| 100-006 100-007 100-009": [
        "POST /onlineagent/{agentid}/sayfree",
        "POST /onlineagent/{agentid}/rest/{time}/{restcause}",
        "POST /onlineagent/{agentid}/cancelrest",
        "POST /onlineagent/{agentid}/work",
        "POST /onlineagent/{agentid}/cancelwork",
    ],
    "000-002 | 100-006 100-007": [
        "GET /onlineagent/{agentid}/agentstatus",
    ],
    "000-002 100-006 100-007 |": [
        "POST /onlineagent/{agentid}/resetskill/{autoflag}",
        "POST /voicecall/{agentid}/seconddialex",
    ],
    "| 000-001 100-006 100-007": [
        "GET /agentevent/{agentid}",
    ],
    "| 100-006 100-007 100-013 100-014": ["POST /onlineagent/{agentid}/bindphone"],
    "100-006 100-007 | 200-001": [
        "PUT /voicecall/{agentid}/callout",
    ],
    "100-006 100-007 200-002 |": [
        "PUT /voicecall/{agentid}/answer",
    ],
    "100-006 100-007 | 200-013 200-014": [
        "POST /voicecall/{agentid}/hold",
    ],
    "100-006 100-007 | 200-015 200-016": [
        "POST /voicecall/{agentid}/gethold",
    ],
    "100-006 100-007 | 200-003 200-004": [
        "POST /voicecall/{agentid}/beginmute",
    ],
    "100-006 100-007 | 200-007 200-008": [
        "POST /voicecall/{agentid}/endmute",
    ],
    "100-006 100-007 |": [
        "GET /onlineagent/{agentid}/agentskillsbyworkno/{workno}",
        "PUT /voicecall/{agentid}/callinner",
        "POST/PUT /voicecall/{agentid}/phonepickup",
        "POST /voicecall/{agentid}/seconddial/{number}",
        "GET /calldata/{agentid}/appdata",
        "PUT /voicecall/{agentid}/callinnerskill",
    ],
    "| 100-006 100-007 106-002": ["PUT /textchat/{workno}/chatmessage"],
    "| 100-006 100-007 106-003": [
        "PUT /textchat/{workno}/internalcall/{destno}",
        "POST /textchat/{workno}/transfer",
    ],
    "100-007 | 100-006": ["PUT /calldata/{agentid}/assignuserinqueue"],
    "100-006 100-007 | 200-018": ["POST /voicecall/{agentid}/innerhelp"],
    "100-006 100-007 | 200-001 200-012": ["POST /voicecall/{agentid}/transfer"],
    "| 100-006 100-007 200-012": ["POST /voicecall/{agentid}/canceltransfer"],
    "100-006 100-007 200-013 200-014 |": ["POST /voicecall/{agentid}/connecthold/{callid}"],
    "100-006 100-007 200-010 200-011 |": ["POST /voicecall/{agentid}/confjoin"],
    "100-006 100-007 200-023 200-024 |": ["POST /voicecall/{agentid}/disconnect/{number}"],
    "| 100-006 100-007 200-025": ["POST /voicecall/{agentid}/dropcall/{callid}"],
    "| 100-006 100-007 200-009": ["POST /voicecall/{agentid}/reportsound"],
    "| 100-006 100-007 200-002": ["POST /voicecall/{agentid}/reject"],
    "| 100-006 100-007 104-002 500-008": [
        "PUT /recordplay/{agentid}/record",
        "PUT /recordplay/{agentid}/recordwithoutfilename",
    ],
    "| 100-006 100-007 104-002 500-004": ["POST /recordplay/{agentid}/pauserecord"],
    "| 100-006 100-007 104-005 500-007": ["PUT /recordplay/{agentid}/play"],
    "| 100-006 100-007 104-005": ["GET /recordfile/{agentid}"],
    "| 100-006 100-007 500-003": ["POST /recordplay/{agentid}/pauseplay"],
    "| 100-006 100-007 500-005": ["POST /recordplay/{agentid}/resumeplay"],
    "| 100-006 100-007 500-009": ["DELETE /recordplay/{agentid}/stopplay"],
    "| 100-006 100-007 500-002": ["POST /recordplay/{agentid}/forefast/{time}"],
    "| 100-006 100-007 500-001": ["POST /recordplay/{agentid}/backfast/{time}"],
    "| 100-006 100-007 500-006": ["POST /recordplay/{agentid}/resumerecord"],
    "100-006 100-007 | 200-017": [
        "DELETE /voicecall/{agentid}/release",
        "DELETE /voicecall/{agentid}",
    ],
    "| 100-006 900-001 900-002 900-003 900-005": [
        "PUT /qualitycontrol/{agentid}/addinsert/{workNo}",
    ],
    "100-006 900-001 900-002 900-003 900-005 |": [
        "PUT /qualitycontrol/{agentid}/addsupervise/{workNo}",
    ],
    "100-006 900-001 900-002 900-003 |": [
        "PUT /qualitycontrol/{agentid}/intercept/{workNo}",
        "DELETE /qualitycontrol/{agentid}/{workNo}",
        "POST /qualitycontrol/{agentid}/switch/{workNo}",
        "POST /qualitycontrol/{agentid}/forcebusy/{workNo}",
        "PUT /qualitycontrol/{agentid}/intercept/{workNo}/{callId}",
    ],
    "100-006 900-001 900-002 900-003 900-004 |": [
        "POST /qualitycontrol/{agentid}/requestwhisperagent",
        "POST /qualitycontrol/{agentid}/requeststopwhisperagent",
        "POST /qualitycontrol/{agentid}/requestswitchinsertwhisperagent",
    ],
    "| 100-006 900-001 900-002 900-003": [
        "POST /qualitycontrol/{agentid}/forceidle/{workNo}",
        "POST /qualitycontrol/{agentid}/forcerest/{workNo}/{time}/{reason}",
        "POST /qualitycontrol/{agentid}/forcelogout/{workNo}",
        "POST /qualitycontrol/{agentid}/forcedropcall/{callid}",
        "POST /qualitycontrol/{agentid}/beginmonitor",
        "POST /qualitycontrol/{agentid}/endmonitor",
        "GET /qualitycontrol/{agentid}/allagent",
        "POST /qualitycontrol/{agentid}/setselfrecord/{recordflag}/{recordbeforetalking}",
        "POST /qualitycontrol/{agentid}/cancelselfrecord",
    ],
    "| 100-006 100-007 300-002": [
        "GET /agentgroup/{agentid}/agentbyworkno/{workno}",
    ],
    "| 100-006 100-007 400-002": [
        "GET /calldata/{agentid}/callinfo",
        "GET /calldata/{agentid}/callinfobeforeanswer",
        "GET /calldata/{agentid}/callinfobycallid/{callid}",
        "GET /calldata/{agentid}/waitcallinfo/{skillid}",
    ],
    "| 100-006 100-007 400-001": [
        "PUT /calldata/{agentid}",
    ],
    "000-002 100-006 100-007 400-001 |": [
        "PUT /calldata/{agentid}/setcalldataex",
    ],
    "| 100-006 100-007 900-002": [
        "GET /calldata/{agentid}/allcallinfoinvdn",
        "GET /calldata/{agentid}/allcallinfo/{workno}",
        "GET /calldata/{agentid}/agentholdnum/{workno}",
    ],
    "100-006 100-007 100-011 900-002 |": [
        "GET /calldata/{agentid}/allcallinfoEx/{workno}",
    ],
    "100-006 300-001 400-003 | 100-007": [
        "GET /calldata/{agentid}/holdlist",
    ],
    "100-006 100-007 300-001 400-003 |": [
        "GET /calldata/{agentid}/holdlistex/{workno}",
    ],
    "100-001 100-006 900-001 900-002 900-003 |": [
        "POST /qualitycontrol/{agentid}/adjustskill",
    ],
    "100-006 100-007 600-005 |": [
        "GET /queuedevice/{agentid}/agentvdnskill",
    ],
    "100-006 100-007 600-004 |": [
        "GET /queuedevice/{agentid}/ivrinfo",
    ],
    "| 100-006 100-007 600-001": [
        "GET /queuedevice/{agentid}/agentskill/{workno}",
    ],
    "| 100-006 100-007 600-002": [
        "GET /queuedevice/{agentid}/vdnskill/{vdnid}",
    ],
    "| 100-006 100-007 600-003": [
        "GET /queuedevice/{agentid}/innoinfo",
    ],
    "100-006 | 100-007": [
        "GET /queuedevice/{agentid}/waitnumbyagent",
        "GET /queuedevice/{agentid}/waitnum",
        "GET /queuedevice/{agentid}/skillwaitnum/{skillid}",
        "PUT /onlineagent/{agentid}/updateGuid",
    ],
    "| 100-006 100-007 300-004": [
        "GET /agentgroup/{agentid}/agentongroup",
        "GET /agentgroup/{agentid}/agentongroupex",
    ],
    "| 100-006 100-007 300-003 300-004": [
        "GET /agentgroup/{agentid}/groupbyagent/{workno}",
    ],
}
"""What pages list, a bar, what is inferred: the interfaces."""
QUALITY = {
    "0407000 required query_contacts |": "details",
    "0407000 optional show_contact | 004": "detail",
    "0407000 optional file_appeal | 004 005 009": "complain",
    "0408000 required add_plan |": "addQualityTask",
    "0408000 optional begin_plan | 004 005": "beginQualityTask",
    "0408000 required update_plan | 004": "updateQualityTask",
    "0408000 optional delete_plan | 004": "deleteQualityTask",
    "0408000 optional query_plans |": "queryQualityTask",
    "0408000 optional stop_plan | 004 005": "stopQualityTask",
    "0409000 required delete_task | 004 005 006": "deleteQualityTask",
    "0409000 required update_task | 004 005 006 008": "updateQualityTask",
    "0409000 required terminate_task | 004 005 006": "terminateQualityTask",
    "0409000 required take_effect | 004 005 006": "takeEffectQualityTask",
    "0409000 optional query_tasks |": "queryQualityTask",
    "0409000 required appoint_task | 004 005 006": "appointQualityTask",
    "0409000 required create_task | 008": "createQualityTask",
    "0409000 optional revise_result | 004 005 006": "modifyResultQualityTask",
    "0409000 optional complete_item | 004 005 006": "completeQualityTask",
    "0409000 optional query_task_items | 004": "callsQualityTask",
    "0410000 optional reassign_quality_item | 004 005 006 009": "reassginQualityTask",
    "0410000 optional revise_quality_item | 004 005 006 009": "modifyQualityItemResult",
    "0410000 optional judge_quality_item | 004 005 006 009": "appealItem",
    "0410000 optional query_quality_items |": "queryQualityItem",
    "0410000 optional show_quality_item | 004": "queryQualityItemDetail",
    "0410000 optional show_quality_scores | 004": "queryQualityItemResult",
    "0410000 optional show_quality_history | 004": "queryQualityHistory",
    "0412000 optional edit_score_profiles | 007": "createAppraiseScore",
    "0412000 optional edit_score_profiles | 004": "applyAppraiseScore",
    "0412000 optional edit_score_profiles | 004 005": "deleteAppraiseScore",
    "0412000 required query_score_profiles |": "queryAppraiseScore",
    "0412000 optional edit_score_profiles | 004 007": "modifyAppraiseScore",
    "0406000 optional edit_scenarios | 004": "deleteScenario updateScenarioStatus",
    "0406000 optional edit_scenarios | 007": "createScenario",
    "0406000 optional query_scenarios | 004": "queryScenario",
    "0406000 optional edit_scenarios | 004 007": "updateScenario",
    "0406000 optional query_scenarios |": "queryAllScenario",
    "1010200 none | 404": "detail credit",
}
"""Success, user, operation, a bar, last digits of failures: the interfaces' names."""


def test_the_gateways_codes() -> None:
    found: dict[str, list[str]] = {}
    for row in rows("cc-gateway"):
        if row.status == "done":
            codes = f"{' '.join(sorted(row.listed))} | {' '.join(sorted(row.inferred))}"
            tail = row.path.removeprefix("/agentgateway/resource")
            found.setdefault(codes.strip(), []).append(f"{'/'.join(row.verbs)} {tail}")
    assert found == GATEWAY


def test_what_is_not_served_has_no_guid_or_fails_in_general() -> None:
    for row in rows("cc-gateway"):
        if row.status != "done":
            general = "900-003" if "/qualitycontrol/" in row.path else "100-007"
            assert (row.listed, {*row.inferred}) == ((), {"100-006", general}), row.path


def test_the_quality_familys_codes_users_and_rights() -> None:
    found: dict[str, list[str]] = {}
    for row in rows("cc-sqm", "cc-isqm"):
        if row.status == "done" and not row.open:
            asked = f"{row.success} {row.user} {row.operation}".strip()
            failures = " ".join(code.removeprefix(row.module) for code in row.listed)
            found.setdefault(f"{asked} | {failures}".strip(), []).append(row.name)
    assert {key: " ".join(names) for key, names in found.items()} == QUALITY


@pytest.mark.parametrize(
    ("family", "always"),
    [
        ("cc-gateway", {"000-002", "000-003", "000-005", "000-007"}),
        ("cc-sqm", {"001", "002", "003", "011", "012"}),
        ("cc-isqm", {"400", "401", "403", "500", "503"}),
    ],
)
def test_what_any_interface_may_answer(family: str, always: set[str]) -> None:
    for row in rows(family):
        if row.success:
            module = row.module if family != "cc-gateway" else ""
            assert set(row.always) == {module + code for code in always}, row.path
