"""Every domain event in the wire's spelling (cc-gateway.md 3.8.1, 2.17)."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState
from sottovoce.domain.calls import CallDirection, InnerKind
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.domain.events import AgentEvent
from sottovoce.domain.legs import RecordingId
from sottovoce.domain.supervision import Mode
from sottovoce.http.ccgateway.events import EMPTY_POLL, WIRE, encode_event
from sottovoce.live.views import QueuedEvent

A, B = AgentId(101), AgentId(30169)
CALL = "1456402370-7"
T = datetime(2026, 1, 1, tzinfo=UTC)
MS = 1_767_225_600_000
OFFER = {
    "caller": "555",
    "called": "800",
    "callid": CALL,
    "type": "main",
    "feature": "0",
    "transfer": "no",
    "transfrom": "",
    "mediaAbility": "1",
}
RECORD = {
    "taskId": "r1",
    "caller": "555",
    "called": "800",
    "recordID": "r1",
    "locationId": 0,
    "fileName": "/r/1.wav",
    "fileMediaType": 1,
    "callId": CALL,
}
TEXT = {
    "sender": "30169",
    "receivetime": str(MS),
    "sendername": "Ann",
    "timestring": "2026-01-01 00:00:00",
    "context": "Hello",
}
IN, OUT = CallDirection.INBOUND, CallDirection.OUTBOUND

CASES: list[tuple[AgentEvent, str, object]] = [
    (events.PlaybackStarted(A), "AgentMediaEvent_Play_Succ", None),
    (events.PlaybackDone(A), "AgentMediaEvent_StopPlayDone", None),
    (events.InService(A), "AgentOther_InService", None),
    (events.ServiceShutdown(A, T, "x"), "AgentOther_ShutdownService", {"loginTime": str(MS)}),
    (events.AgentReady(A), "AgentState_Ready", None),
    (events.AgentPreoccupied(A), "AgentState_Busy", None),
    (events.AgentWorking(A), "AgentState_Work", None),
    (events.AgentSetBusy(A, 200), "AgentState_SetNotReady_Success", {"reason": "200"}),
    (events.AgentBusyCancelled(A), "AgentState_CancelNotReady_Success", None),
    (events.AgentSetRest(A, 7, 60), "AgentState_SetRest_Success", {"reason": "7"}),
    (events.AgentRestCancelled(A), "AgentState_CancelRest_Success", None),
    (events.RestTimedOut(A), "AgentState_Rest_Timeout", None),
    (events.AgentSetWork(A), "AgentState_SetWork_Success", None),
    (events.AgentWorkCancelled(A), "AgentState_CancelWork_Success", None),
    (
        events.PresenceChanged(A, B, "Ann", True),
        "QC_AgentState_Notify",
        {
            "subtype": "QC_AgentState_Login",
            "monitoredagent": "30169",
            "agentname": "Ann",
            "mediaserver": "CtiServer",
            "jsonKey": ["subtype", "monitoredagent", "agentname", "mediaserver"],
        },
    ),
    *(
        (
            events.WatchedStateChanged(A, B, "Ann", state),
            "QC_AgentState_Notify",
            {
                "subtype": f"QC_AgentState_{subtype}",
                "monitoredagent": "30169",
                "agentname": "Ann",
                "mediaserver": "CtiServer",
                "jsonKey": ["subtype", "monitoredagent", "agentname", "mediaserver"],
            },
        )
        for state, subtype in {
            AgentState.IDLE: "Idle",
            AgentState.BUSY: "Busy",
            AgentState.WRAP_UP: "Work",
            AgentState.REST: "Rest",
            AgentState.PREOCCUPIED: "WaitAlerting",
            AgentState.ANSWERING: "WaitAnswer",
            AgentState.TALKING: "Active",
        }.items()
    ),
    (events.NoteReceived(A, B, "Ann", "Hello", T), "AgentOther_Note", TEXT),
    (events.BulletinReceived(A, B, "Ann", "Hello", T), "AgentOther_Bulletin", TEXT),
    (events.PhoneAlerting(A), "AgentOther_PhoneAlerting", None),
    (
        events.PhoneAlerting(A, CALL, "555", "800"),
        "AgentOther_PhoneAlerting",
        {"callid": CALL, "caller": "555", "called": "800"},
    ),
    (events.PhoneOffHook(A), "AgentOther_PhoneOffhook", {"type": "main"}),
    (events.PhoneUnavailable(A), "AgentOther_PhoneBusy", None),
    (events.PhoneReleased(A), "AgentOther_PhoneRelease", {"phoneState": 3}),
    (events.PhoneReleased(A, by_agent=True), "AgentOther_PhoneRelease", {"phoneState": 2}),
    (events.PhoneHeld(A, CALL, B), "AgentEvent_linkagePhoneHold", {"callId": CALL}),
    (events.PhoneResumed(A, CALL, B), "AgentEvent_linkagePhoneUnHold", {"callId": CALL}),
    (
        events.CallAssigned(A, CALL, "555", "800", SkillId(3), "Sales"),
        "AgentEvent_Incoming_CallInfo",
        {
            "callId": CALL,
            "skillName": "Sales",
            "skillId": 3,
            "caller": "555",
            "called": "800",
            "lastReleaseAgentId": 65535,
            "mediaType": 5,
            "releaseAndReQueueCount": 0,
            "releaseAndReQueueCallFlag": 0,
        },
    ),
    (events.CallRinging(A, CALL, "555", "800", IN), "AgentEvent_Ringing", {**OFFER, "mediaType": "5"}),
    (events.CallAutoAnswered(A, CALL, "555", "800", IN), "AgentEvent_Auto_Answer", {**OFFER, "mediaType": 5}),
    (
        events.CallRinging(A, CALL, "102", "101", InnerKind.CONSULT),
        "AgentEvent_Ringing",
        {**OFFER, "caller": "A102", "called": "A101", "feature": "51", "mediaType": "5"},
    ),
    (
        events.CallRinging(A, CALL, "555", "800", IN, B),
        "AgentEvent_Ringing",
        {**OFFER, "transfer": "yes", "transfrom": "30169", "mediaType": "5"},
    ),
    (
        events.CustomerAlerting(A, CALL, "555"),
        "AgentEvent_Customer_Alerting",
        {"callid": CALL, "otherPhoneWorkno": "", "otherPhone": "555", "type": "main"},
    ),
    (
        events.CustomerAlerting(A, CALL, "30169", B),
        "AgentEvent_Customer_Alerting",
        {"callid": CALL, "otherPhoneWorkno": "30169", "otherPhone": "30169", "type": "main"},
    ),
    (
        events.CallTalking(A, CALL, "555", "800", OUT),
        "AgentEvent_Talking",
        {
            "caller": "555",
            "callid": CALL,
            "called": "800",
            "feature": "7",
            "type": "main",
            "mediaAbility": "1",
        },
    ),
    (events.CallHeld(A, CALL), "AgentEvent_Hold", CALL),
    (events.CallReleased(A, CALL), "AgentEvent_Call_Release", CALL),
    (
        events.CustomerReleased(A, CALL, "555"),
        "AgentEvent_Customer_Release",
        {"callid": CALL, "number": "555"},
    ),
    (events.CallNotAnswered(A, CALL), "AgentEvent_No_Answer", CALL),
    (events.CallOutFailed(A, CALL, "busy"), "AgentEvent_Call_Out_Fail", CALL),
    (events.ConnectFailed(A, CALL), "AgentEvent_Connect_Fail", CALL),
    (events.InnerCallFailed(A, CALL), "AgentEvent_Inside_Call_Fail", CALL),
    (events.ChatPlaced(A, CALL, B), "AgentChat_CallOutCreated", {"callId": CALL, "called": "30169"}),
    (
        events.ChatRinging(A, CALL, B, A),
        "AgentChat_Ring",
        {"callId": CALL, "caller": "30169", "called": "101", "isInnerCall": True, "attachData": ""},
    ),
    (
        events.ChatOpen(A, CALL, B, A),
        "AgentChat_Connected",
        {"callId": CALL, "caller": "30169", "called": "101", "isInnerCall": True},
    ),
    (
        events.ChatSaid(A, CALL, B, "hello"),
        "AgentChat_DataRecved",
        {"callId": CALL, "sender": "30169", "chatContent": "hello", "isInnerCall": True},
    ),
    (events.ChatNotAnswered(A, CALL), "AgentChat_CalloutFailed", {"callId": CALL}),
    (events.ChatOver(A, CALL), "AgentChat_Disconnected", {"callId": CALL}),
    (events.ConsultFailed(A, CALL), "AgentEvent_Consult_Fail", CALL),
    (
        events.Conferred(A, CALL, ("555", "49997")),
        "AgentEvent_Conference",
        {"callid": CALL, "partner": "555,49997"},
    ),
    (events.TransferEnded(A, CALL, True), "AgentEvent_SuccTransResult", {"callid": CALL, "result": 0}),
    (events.TransferEnded(A, CALL, False), "AgentEvent_SuccTransResult", {"callid": CALL, "result": 1}),
    (
        events.RecordingStarted(A, CALL, RecordingId("r1"), "/r/1.wav", "555", "800"),
        "AgentMediaEvent_Record",
        RECORD,
    ),
    (
        events.RecordingFailed(A, CALL, RecordingId("r1"), "/r/1.wav", "555", "800", "full"),
        "AgentMediaEvent_Record_Fail",
        RECORD,
    ),
    (
        events.RecordingDone(A, CALL, RecordingId("r1"), T, T),
        "AgentMediaEvent_StopRecordDone",
        {
            "beginTime": MS,
            "endTime": MS,
            "taskId": "r1",
            "fileMediaType": 1,
            "recordFormat": 0,
            "callId": CALL,
        },
    ),
    (events.SupervisionStarted(A, B, Mode.LISTEN), "AgentOther_BeQcStart", {"qcType": 8, "qcAgentId": 30169}),
    (events.SupervisionStarted(A, B, Mode.INSERT), "AgentOther_BeQcStart", {"qcType": 9, "qcAgentId": 30169}),
    (
        events.SupervisionEnded(A, B, Mode.WHISPER),
        "AgentOther_BeQcStop",
        {"qcType": 20172, "qcAgentId": 30169},
    ),
]


@pytest.mark.parametrize(("event", "event_type", "content"), CASES, ids=lambda value: type(value).__name__)
def test_event(event: AgentEvent, event_type: str, content: object) -> None:
    encoded = encode_event(QueuedEvent(1, event, T), with_time=False)
    assert encoded.pop("eventType") == event_type
    assert encoded.pop("workNo") == "101"
    assert encoded.pop("content") == content
    assert list(encoded) in ([], ["jsonKey"])


def test_every_event_of_the_domain_has_a_wire_form() -> None:
    vocabulary = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, AgentEvent) and not kind.__subclasses__()
    }
    assert all(dataclasses.is_dataclass(kind) for kind in vocabulary)
    assert WIRE.keys() == vocabulary
    assert vocabulary - {type(event) for event, _, _ in CASES} == {
        events.EchoWarned,
        events.TakingCallsChanged,
    }


@pytest.mark.parametrize(
    "told", [events.EchoWarned(A, A, B), *(events.TakingCallsChanged(A, taking) for taking in (True, False))]
)
def test_an_echo_and_a_full_disk_are_told_as_notes(told: AgentEvent) -> None:
    encoded = encode_event(QueuedEvent(1, told, T), with_time=False)
    content = encoded["content"]
    assert encoded["eventType"] == "AgentOther_Note"
    assert isinstance(content, dict)
    assert content.keys() == {"sender", "receivetime", "sendername", "timestring", "context"}
    assert content["sender"].isdigit()


def test_times_by_setting_stand_between_type_and_receiver() -> None:
    encoded = encode_event(QueuedEvent(1, events.AgentReady(A), T), with_time=True)
    assert json.dumps(encoded) == (
        '{"eventType": "AgentState_Ready", "eventGenTime": 1767225600000, "workNo": "101", "content": null}'
    )


def test_a_presence_notice_names_its_keys_twice() -> None:
    notice = events.PresenceChanged(A, B, "Ann", False)
    encoded = encode_event(QueuedEvent(1, notice, T), with_time=False)
    assert encoded["jsonKey"] == ["eventType", "workNo", "content"]


def test_the_empty_poll_to_the_byte() -> None:
    assert EMPTY_POLL == b'{"message":"","retcode":"0"}'
    assert len(EMPTY_POLL) == 28
