"""Domain events in the wire's spelling: `eventType` and `content` of cc-gateway.md 3.8.1.

Contents are null, a bare string or an object, as the event's page shows; strings stay strings and
numbers numbers, since typed clients parse them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sottovoce.domain import events as domain
from sottovoce.domain.calls import InnerKind
from sottovoce.http.ccgateway.gateway import body_of
from sottovoce.http.ccgateway.retcodes import SUCCESS
from sottovoce.http.ccgateway.states import FEATURE, ORDINARY_CALL, QC_TYPE, VOICE, WATCHED
from sottovoce.http.family.answer import encode
from sottovoce.live.views import QueuedEvent

Content = Callable[[Any], object]

_AUDIO_FILE = 1
_NO_AGENT = 65_535
"""`lastReleaseAgentId` of a call that nobody had before [1373]."""
_NOTICE_KEYS = ["subtype", "monitoredagent", "agentname", "mediaserver"]


def milliseconds(at: datetime) -> int:
    """Milliseconds since the epoch."""
    return round(at.timestamp() * 1000)


def _nothing(event: domain.AgentEvent) -> None:
    return None


def _phone_alerting(event: domain.PhoneAlerting) -> dict[str, object] | None:
    """Clients take content for an incoming call, and none for their own call out [JEv, J2]."""
    if not event.call:
        return None
    return {"callid": event.call, "caller": event.caller, "called": event.called}


def _call(event: domain.CallHeld) -> str:
    return event.call


def _offer(event: domain.CallRinging | domain.CallAutoAnswered) -> dict[str, object]:
    agents = "A" if event.direction in (InnerKind.PLAIN, InnerKind.CONSULT) else ""
    by = event.transferred_by
    return {
        "caller": agents + event.caller,
        "called": agents + event.called,
        "callid": event.call,
        "type": "main",
        "feature": str(FEATURE[event.direction]),
        "transfer": "no" if by is None else "yes",
        "transfrom": "" if by is None else str(by),
        "mediaAbility": str(VOICE),
    }


def _ringing(event: domain.CallRinging) -> dict[str, object]:
    return {**_offer(event), "mediaType": str(ORDINARY_CALL)}


def _auto_answered(event: domain.CallAutoAnswered) -> dict[str, object]:
    return {**_offer(event), "mediaType": ORDINARY_CALL}


def _talking(event: domain.CallTalking) -> dict[str, object]:
    return {
        "caller": event.caller,
        "callid": event.call,
        "called": event.called,
        "feature": str(FEATURE[event.direction]),
        "type": "main",
        "mediaAbility": str(VOICE),
    }


def _alerting(event: domain.CustomerAlerting) -> dict[str, object]:
    colleague = "" if event.colleague is None else str(event.colleague)
    return {"callid": event.call, "otherPhoneWorkno": colleague, "otherPhone": event.number, "type": "main"}


def _assigned(event: domain.CallAssigned) -> dict[str, object]:
    return {
        "callId": event.call,
        "skillName": event.skill_name,
        "skillId": event.skill,
        "caller": event.caller,
        "called": event.called,
        "lastReleaseAgentId": _NO_AGENT,
        "mediaType": ORDINARY_CALL,
        "releaseAndReQueueCount": 0,
        "releaseAndReQueueCallFlag": 0,
    }


def _recording(event: domain.RecordingStarted | domain.RecordingFailed) -> dict[str, object]:
    return {
        "taskId": event.recording,
        "caller": event.caller,
        "called": event.called,
        "recordID": event.recording,
        "locationId": 0,
        "fileName": event.path,
        "fileMediaType": _AUDIO_FILE,
        "callId": event.call,
    }


def _recording_done(event: domain.RecordingDone) -> dict[str, object]:
    return {
        "beginTime": milliseconds(event.began_at),
        "endTime": milliseconds(event.ended_at),
        "taskId": event.recording,
        "fileMediaType": _AUDIO_FILE,
        "recordFormat": 0,
        "callId": event.call,
    }


def _chat(event: domain.ChatEvent) -> dict[str, object]:
    return {"callId": event.chat}


def _chat_between(event: domain.ChatRinging | domain.ChatOpen) -> dict[str, object]:
    return {**_chat(event), "caller": str(event.caller), "called": str(event.called), "isInnerCall": True}


def _supervision(event: domain.SupervisionStarted | domain.SupervisionEnded) -> dict[str, object]:
    return {"qcType": QC_TYPE[event.mode], "qcAgentId": event.inspector}


def _presence(event: domain.PresenceChanged) -> dict[str, object]:
    return _notice(event, "QC_AgentState_Login" if event.signed_in else "QC_AgentState_Logout")


def _watched(event: domain.WatchedStateChanged) -> dict[str, object]:
    return _notice(event, WATCHED[event.state])


def _notice(event: domain.WatchEvent, subtype: str) -> dict[str, object]:
    return {
        "subtype": subtype,
        "monitoredagent": str(event.subject),
        "agentname": event.name,
        "mediaserver": "CtiServer",
        "jsonKey": _NOTICE_KEYS,
    }


def _note(sender: int, text: str, name: str = "", at: datetime | None = None) -> dict[str, object]:
    """A text to an agent [C#e]: `receivetime` in ms, `timestring` the same for people, in UTC (inferred)."""
    return {
        "sender": str(sender),
        "receivetime": "" if at is None else str(milliseconds(at)),
        "sendername": name,
        "timestring": "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}",
        "context": text,
    }


def _text(event: domain.TextReceived) -> dict[str, object]:
    return _note(event.sender, event.text, event.name, event.at)


def _echo(event: domain.EchoWarned) -> dict[str, object]:
    text = f"The microphone of agent {event.target} returns the whisper: the customer may hear it."
    return _note(event.target, text)


def _taking(event: domain.TakingCallsChanged) -> dict[str, object]:
    full = "New calls are refused: the database is away and the disk is full. Calls that run go on."
    return _note(0, "New calls are taken again." if event.taking else full)


WIRE: Mapping[type[domain.AgentEvent], tuple[str, Content]] = {
    domain.InService: ("AgentOther_InService", _nothing),
    domain.ServiceShutdown: (
        "AgentOther_ShutdownService",
        lambda event: {"loginTime": str(milliseconds(event.signed_in_at))},
    ),
    domain.AgentReady: ("AgentState_Ready", _nothing),
    domain.AgentPreoccupied: ("AgentState_Busy", _nothing),
    domain.AgentWorking: ("AgentState_Work", _nothing),
    domain.AgentSetBusy: ("AgentState_SetNotReady_Success", lambda event: {"reason": str(event.reason)}),
    domain.AgentBusyCancelled: ("AgentState_CancelNotReady_Success", _nothing),
    domain.AgentSetRest: ("AgentState_SetRest_Success", lambda event: {"reason": str(event.cause)}),
    domain.AgentRestCancelled: ("AgentState_CancelRest_Success", _nothing),
    domain.RestTimedOut: ("AgentState_Rest_Timeout", _nothing),
    domain.AgentSetWork: ("AgentState_SetWork_Success", _nothing),
    domain.AgentWorkCancelled: ("AgentState_CancelWork_Success", _nothing),
    domain.PresenceChanged: ("QC_AgentState_Notify", _presence),
    domain.WatchedStateChanged: ("QC_AgentState_Notify", _watched),
    domain.PhoneAlerting: ("AgentOther_PhoneAlerting", _phone_alerting),
    domain.PhoneOffHook: ("AgentOther_PhoneOffhook", lambda event: {"type": "main"}),
    domain.PhoneUnavailable: ("AgentOther_PhoneBusy", _nothing),
    domain.PhoneReleased: (
        "AgentOther_PhoneRelease",
        lambda event: {"phoneState": 2 if event.by_agent else 3},
    ),
    domain.PhoneHeld: ("AgentEvent_linkagePhoneHold", lambda event: {"callId": event.call}),
    domain.PhoneResumed: ("AgentEvent_linkagePhoneUnHold", lambda event: {"callId": event.call}),
    domain.CallAssigned: ("AgentEvent_Incoming_CallInfo", _assigned),
    domain.CallRinging: ("AgentEvent_Ringing", _ringing),
    domain.CallAutoAnswered: ("AgentEvent_Auto_Answer", _auto_answered),
    domain.CustomerAlerting: ("AgentEvent_Customer_Alerting", _alerting),
    domain.CallTalking: ("AgentEvent_Talking", _talking),
    domain.CallHeld: ("AgentEvent_Hold", _call),
    domain.CallReleased: ("AgentEvent_Call_Release", _call),
    domain.CustomerReleased: (
        "AgentEvent_Customer_Release",
        lambda event: {"callid": event.call, "number": event.number},
    ),
    domain.CallNotAnswered: ("AgentEvent_No_Answer", _call),
    domain.CallOutFailed: ("AgentEvent_Call_Out_Fail", _call),
    domain.ConnectFailed: ("AgentEvent_Connect_Fail", _call),
    domain.InnerCallFailed: ("AgentEvent_Inside_Call_Fail", _call),
    domain.ConsultFailed: ("AgentEvent_Consult_Fail", _call),
    domain.Conferred: (
        "AgentEvent_Conference",
        lambda event: {"callid": event.call, "partner": ",".join(event.partners)},
    ),
    domain.TransferEnded: (
        "AgentEvent_SuccTransResult",
        lambda event: {"callid": event.call, "result": 0 if event.done else 1},
    ),
    domain.RecordingStarted: ("AgentMediaEvent_Record", _recording),
    domain.RecordingFailed: ("AgentMediaEvent_Record_Fail", _recording),
    domain.RecordingDone: ("AgentMediaEvent_StopRecordDone", _recording_done),
    domain.ChatPlaced: (
        "AgentChat_CallOutCreated",
        lambda event: {**_chat(event), "called": str(event.called)},
    ),
    domain.ChatRinging: ("AgentChat_Ring", lambda event: {**_chat_between(event), "attachData": ""}),
    domain.ChatOpen: ("AgentChat_Connected", _chat_between),
    domain.ChatSaid: (
        "AgentChat_DataRecved",
        lambda event: {
            **_chat(event),
            "sender": str(event.sender),
            "chatContent": event.text,
            "isInnerCall": True,
        },
    ),
    domain.ChatNotAnswered: ("AgentChat_CalloutFailed", _chat),
    domain.ChatOver: ("AgentChat_Disconnected", _chat),
    domain.PlaybackStarted: ("AgentMediaEvent_Play_Succ", _nothing),
    domain.PlaybackDone: ("AgentMediaEvent_StopPlayDone", _nothing),
    domain.SupervisionStarted: ("AgentOther_BeQcStart", _supervision),
    domain.SupervisionEnded: ("AgentOther_BeQcStop", _supervision),
    domain.NoteReceived: ("AgentOther_Note", _text),
    domain.BulletinReceived: ("AgentOther_Bulletin", _text),
    domain.EchoWarned: ("AgentOther_Note", _echo),
    domain.TakingCallsChanged: ("AgentOther_Note", _taking),
}


def encode_event(queued: QueuedEvent, *, with_time: bool) -> dict[str, object]:
    """The `event` object of a poll's answer. `workNo` is a string of digits, as clients compare it."""
    event_type, content = WIRE[type(queued.event)]
    encoded: dict[str, object] = {"eventType": event_type}
    if with_time:
        encoded["eventGenTime"] = milliseconds(queued.at)
    encoded["workNo"] = str(queued.event.agent)
    encoded["content"] = content(queued.event)
    if isinstance(queued.event, domain.WatchEvent):
        encoded["jsonKey"] = list(encoded)
    return encoded


EMPTY_POLL = encode(body_of("", SUCCESS))
"""What a poll without an event answers, to the byte: another spelling signs idle C# agents out."""
