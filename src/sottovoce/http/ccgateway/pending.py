"""The interfaces that are known but not served: each answers with the family's own error, never a success.

Their rows in ``contracts/cc-gateway.yaml`` say `pending` or `wont`. They need a caller like all others, so
that a stranger learns nothing from them. The code they answer is inferred: a general failure that no client
takes for the end of its session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.decode import Form
from sottovoce.http.ccgateway.interface import Caller, Interface
from sottovoce.http.ccgateway.retcodes import INTERNAL, NOT_SIGNED_IN, RESOURCE_UNAVAILABLE

ANY_VERB = "DELETE GET POST PUT"
"""For paths whose verb no source names."""

_BY_AGENT: Mapping[str, Mapping[str, str]] = {
    "onlineagent": {
        "PUT": "loginex forceloginex forceloginexwithoutphone",
        "GET": "agentskillsbyworkno/{workno}",
        "POST": "setselfrecord/{recordflag}/{recordbeforetalking} sendnotelet/{receiver:path} notifybulletin "
        "setforwarding settalkright bindphone modifyaccountpwd sendnoteletex modifyaccountpwdex",
    },
    "voicecall": {
        "PUT": "previewcallout callinner snatchpickup callinnerskill",
        "PUT POST": "phonepickup phonehangup",
        "POST": "innerhelp connecthold/{callid} confjoin transfer canceltransfer beginmutevideo endmutevideo "
        "disconnect/{number} dropcall/{callid} reportsound requestcall/{callid}/{skilltype} reject",
        "DELETE": "releasephone",
    },
    "qualitycontrol": {
        "POST": "beginmonitor endmonitor setselfrecord/{recordflag}/{recordbeforetalking} cancelselfrecord "
        "registerDataToServer startVideoMonitor stopVideoMonitor startOrStopVideoPlay startVideoOperation "
        "deleteVideoTask",
        "GET": "allagent queryqctasks queryurlinfo queryvideorecordfile",
        "DELETE": "deleteqctask",
    },
    "agentgroup": {
        "GET": "restreason agentbyskill/{skillid} queryagentstatus iscallout isspymonitor ismonitor "
        "isreportmanager issystem ispickup loggedinagentphoneonvdn agentlistbystatus agentrestinfo idleagent "
        "agentongroup agentongroupex agentidsbyskill/{skillid} alllocalagentstatus groupbyagent/{workno} "
        "grouponvdn agentwasnameonvdn allchatagents queryagentstatusandskill agentbyconfigedskill/{skillid} "
        "agentbylist allonlineagents",
        "POST": "agentinfonoskills",
    },
    "queuedevice": {
        "GET": "ivrinfo waitnumbyagent waitnum skillwaitnum/{skillid} vdnskill/{vdnid} agentskill/{workNo} "
        "agentvdnskill innoinfo",
        "POST": "queryskillstat queryacdstat",
    },
    "calldata": {
        "PUT": "setcalldataex setcallbusinessdata getcallbusinessdata assignuserinqueue",
        "GET": "appdata callinfobeforeanswer callinfobycallid/{callid} allcallinfoinvdn allcallinfo/{workno} "
        "allcallinfoEx/{workno} holdlist holdlistex/{workno} agentholdnum/{workno} callnums "
        "ivrcallcount/{ivrid} ivrcallinfo/{ivrid} waitcallinfo/{skillid} callRecordInfoList "
        "queryselfcallrecordinfolist statistics isprocesscall privatecallinfo remotenumbers",
    },
    "recordplay": {
        "PUT": "record recordwithoutfilename play startrecordscreen",
        "POST": "pauserecord resumerecord pauseplay resumeplay forefast/{time} backfast/{time}",
        "DELETE": "stoprecord stopplay stoprecordscreen",
        "GET": "recordfile queryselfrecordfile queryrecordfilebycallid recordfilefromrecordid recordfileurl "
        "recordzipfileurl batchrecordzipfileurl queryrecordscore getconnecttoken",
    },
    "textchat": {
        "PUT": "internalcall/{destno} answer/{callid} chatmessage",
        "DELETE": "reject/{callid} drop/{callid}",
        "POST": "transfer sendmessagewithoutcall confirmmessage callsession",
        "GET": "callcontent",
        "GET POST": "mediafile",
    },
    "querymonitor": {
        "POST": "setagenttimeout/{flag} setmaxchatnum/{vdnid}/{chatnum}",
        "GET": "systemversion servertime systemstate clusterinfo clusterinfobyname/{clustername} "
        "agentclusterinfo/{workno} allagentclusterinfo skillstatisticinfo/{skillid}",
    },
    "agentconf": {
        "POST": "requestagentconf",
        "POST PUT": "answeragentconf",
        "DELETE": "rejectagentconf requestleaveagentconf",
        ANY_VERB: "releaseagentconf prolongtime applytoshiftpresident playvoicetoconf stopvoicetoconf "
        "modifyconfresource holdparticipant unholdparticipant",
    },
    "multimediaconf": {ANY_VERB: "requestconf inviteconf joinconfresult stopconf getconfstate"},
}

_OTHERS = (("GET", "/agentevent/allagentevent"), ("PUT", "/calldata/{agentid}"))
_AGENT_VARIABLE = {"textchat": "{workno}"}


async def _not_served(caller: Caller, form: Form) -> NoReturn:
    """Not served."""
    raise Refused(Code.INTERNAL, "the interface is not served")


def _interface(verbs: str, path: str) -> Interface:
    failure = RESOURCE_UNAVAILABLE if path.startswith("/qualitycontrol/") else INTERNAL
    return Interface(
        path=path,
        verbs=tuple(verbs.split()),
        name="notServed",
        serve=_not_served,
        form=Form,
        errors=(),
        inferred=(NOT_SIGNED_IN, failure),
        message="",
        open=False,
    )


def pending() -> Iterator[Interface]:
    """Every interface that is known and not served."""
    for verbs, path in _OTHERS:
        yield _interface(verbs, path)
    for word, by_verb in _BY_AGENT.items():
        agent = _AGENT_VARIABLE.get(word, "{agentid}")
        for verbs, tails in by_verb.items():
            for tail in tails.split():
                yield _interface(verbs, f"/{word}/{agent}/{tail}")
