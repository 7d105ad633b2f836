"""The vocabulary in which the live half speaks to the outside: each event is addressed to one agent.

`agent` is always the receiver. Wire names and numbers are given to them in `http/ccgateway`
(CC-Gateway event catalogue; sequences in `docs/decisions/0005-supervision-races.md`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sottovoce.domain.agents import AgentState
from sottovoce.domain.calls import CallDirection, InnerKind
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.domain.legs import RecordingId
from sottovoce.domain.supervision import Mode


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """Something that `agent` is told."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class CallEvent(AgentEvent):
    """Something about a call that `agent` takes part in."""

    call: str


@dataclass(frozen=True, slots=True)
class PartiesEvent(CallEvent):
    """Something about a call, and between whom it is."""

    caller: str
    called: str
    """Between agents, both are work numbers."""
    direction: CallDirection | InnerKind


# Being at work


@dataclass(frozen=True, slots=True)
class InService(AgentEvent):
    """The agent signed in (AgentOther_InService)."""


@dataclass(frozen=True, slots=True)
class ServiceShutdown(AgentEvent):
    """The agent was signed out without asking (AgentOther_ShutdownService)."""

    signed_in_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class AgentReady(AgentEvent):
    """The agent became idle (AgentState_Ready)."""


@dataclass(frozen=True, slots=True)
class AgentPreoccupied(AgentEvent):
    """A call or a supervision took the agent (AgentState_Busy)."""


@dataclass(frozen=True, slots=True)
class AgentWorking(AgentEvent):
    """Wrap-up began after a call or at sign-in (AgentState_Work)."""


@dataclass(frozen=True, slots=True)
class AgentSetBusy(AgentEvent):
    """The agent became busy (AgentState_SetNotReady_Success). `reason`: `agents.BusyReason` or 200-250."""

    reason: int


@dataclass(frozen=True, slots=True)
class AgentBusyCancelled(AgentEvent):
    """Busy was cancelled, or a pending busy forgotten (AgentState_CancelNotReady_Success)."""


@dataclass(frozen=True, slots=True)
class AgentSetRest(AgentEvent):
    """The agent rests (AgentState_SetRest_Success). `cause` is 0-255, `seconds` the time asked for."""

    cause: int
    seconds: int


@dataclass(frozen=True, slots=True)
class AgentRestCancelled(AgentEvent):
    """The rest was cancelled (AgentState_CancelRest_Success)."""


@dataclass(frozen=True, slots=True)
class RestTimedOut(AgentEvent):
    """The rest lasted longer than asked for; it does not end by that (AgentState_Rest_Timeout)."""


@dataclass(frozen=True, slots=True)
class AgentSetWork(AgentEvent):
    """The agent asked for wrap-up and has it (AgentState_SetWork_Success)."""


@dataclass(frozen=True, slots=True)
class AgentWorkCancelled(AgentEvent):
    """Wrap-up was ended by the agent, who is idle (AgentState_CancelWork_Success)."""


@dataclass(frozen=True, slots=True)
class WatchEvent(AgentEvent):
    """To an inspector who asked for it, something of another agent (QC_AgentState_Notify)."""

    subject: AgentId
    name: str


@dataclass(frozen=True, slots=True)
class PresenceChanged(WatchEvent):
    """The other agent signed in or out."""

    signed_in: bool


@dataclass(frozen=True, slots=True)
class WatchedStateChanged(WatchEvent):
    """The other agent's state is another, or the first after a sign-in."""

    state: AgentState


@dataclass(frozen=True, slots=True)
class TextReceived(AgentEvent):
    """Something that another agent wrote."""

    sender: AgentId
    name: str
    """The sender's."""
    text: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class NoteReceived(TextReceived):
    """A note to this agent (AgentOther_Note)."""


@dataclass(frozen=True, slots=True)
class BulletinReceived(TextReceived):
    """A bulletin to a group or queue of this agent (AgentOther_Bulletin)."""


# The agent's phone


@dataclass(frozen=True, slots=True)
class PhoneAlerting(AgentEvent):
    """The agent's phone rings (AgentOther_PhoneAlerting): for the call that comes in, or, where none is
    named, for the agent's own call out or a supervision."""

    call: str = ""
    caller: str = ""
    called: str = ""


@dataclass(frozen=True, slots=True)
class PhoneOffHook(AgentEvent):
    """The agent's phone was lifted (AgentOther_PhoneOffhook)."""


@dataclass(frozen=True, slots=True)
class PhoneUnavailable(AgentEvent):
    """The agent's phone was rung and could not be had: busy, or not there (AgentOther_PhoneBusy)."""


@dataclass(frozen=True, slots=True)
class PhoneReleased(AgentEvent):
    """The agent's phone is free again (AgentOther_PhoneRelease)."""

    by_agent: bool = False
    """Whether the agent hung up; otherwise the platform did."""


@dataclass(frozen=True, slots=True)
class PhoneHeld(CallEvent):
    """The phone of `holder` put us on hold (AgentEvent_linkagePhoneHold).

    Told to the holder and to the holder's inspectors, whose whisper cannot arrive meanwhile.
    """

    holder: AgentId


@dataclass(frozen=True, slots=True)
class PhoneResumed(CallEvent):
    """The phone of `holder` took us back (AgentEvent_linkagePhoneUnHold)."""

    holder: AgentId


# Calls


@dataclass(frozen=True, slots=True)
class CallAssigned(CallEvent):
    """A queued call was given to the agent (AgentEvent_Incoming_CallInfo)."""

    caller: str
    called: str
    skill: SkillId
    skill_name: str


@dataclass(frozen=True, slots=True)
class CallRinging(PartiesEvent):
    """A call waits for the agent's `answer` (AgentEvent_Ringing)."""

    transferred_by: AgentId | None = None


@dataclass(frozen=True, slots=True)
class CallAutoAnswered(PartiesEvent):
    """A call is answered for the agent (AgentEvent_Auto_Answer); CallTalking follows."""

    transferred_by: AgentId | None = None


@dataclass(frozen=True, slots=True)
class CustomerAlerting(CallEvent):
    """The other side rings, or an inbound caller hears the ringing (AgentEvent_Customer_Alerting)."""

    number: str
    colleague: AgentId | None = None
    """The agent who is rung, where it is one."""


@dataclass(frozen=True, slots=True)
class CallTalking(PartiesEvent):
    """Agent and customer hear each other: first, or again after a hold (AgentEvent_Talking)."""


@dataclass(frozen=True, slots=True)
class CallHeld(CallEvent):
    """The agent put the customer on hold (AgentEvent_Hold)."""


@dataclass(frozen=True, slots=True)
class CallReleased(CallEvent):
    """The agent's part in the call is over (AgentEvent_Call_Release)."""


@dataclass(frozen=True, slots=True)
class CustomerReleased(CallEvent):
    """The customer's part in the call is over (AgentEvent_Customer_Release)."""

    number: str


@dataclass(frozen=True, slots=True)
class CallNotAnswered(CallEvent):
    """The agent let the call ring too long (AgentEvent_No_Answer)."""


@dataclass(frozen=True, slots=True)
class CallOutFailed(CallEvent):
    """An outbound call came to nothing (AgentEvent_Call_Out_Fail)."""

    cause: str


@dataclass(frozen=True, slots=True)
class ConnectFailed(CallEvent):
    """A leg of a call could not be connected (AgentEvent_Connect_Fail)."""


@dataclass(frozen=True, slots=True)
class InnerCallFailed(CallEvent):
    """A call to another agent came to nothing (AgentEvent_Inside_Call_Fail)."""


@dataclass(frozen=True, slots=True)
class ConsultFailed(CallEvent):
    """Nobody could be consulted (AgentEvent_Consult_Fail)."""


@dataclass(frozen=True, slots=True)
class Conferred(CallEvent):
    """More than two are together in the call now (AgentEvent_Conference)."""

    partners: tuple[str, ...]
    """The others: customers' numbers, agents' work numbers."""


@dataclass(frozen=True, slots=True)
class TransferEnded(CallEvent):
    """Who was asked took the call over, or did not (AgentEvent_SuccTransResult)."""

    done: bool


# Recordings


@dataclass(frozen=True, slots=True)
class RecordingStarted(CallEvent):
    """A talk segment is recorded (AgentMediaEvent_Record)."""

    recording: RecordingId
    path: str
    """Below the recordings' folder."""
    caller: str
    called: str


@dataclass(frozen=True, slots=True)
class RecordingFailed(CallEvent):
    """A recording could not begin or ended by itself; the call goes on (AgentMediaEvent_Record_Fail)."""

    recording: RecordingId
    path: str
    caller: str
    called: str
    failure: str


@dataclass(frozen=True, slots=True)
class RecordingDone(CallEvent):
    """A talk segment's recording is closed (AgentMediaEvent_StopRecordDone)."""

    recording: RecordingId
    began_at: datetime
    ended_at: datetime


# Text chats between agents


@dataclass(frozen=True, slots=True)
class ChatEvent(AgentEvent):
    """Something about a chat that `agent` is in or asked for."""

    chat: str


@dataclass(frozen=True, slots=True)
class ChatPlaced(ChatEvent):
    """Another agent is being asked to chat (AgentChat_CallOutCreated)."""

    called: AgentId


@dataclass(frozen=True, slots=True)
class ChatRinging(ChatEvent):
    """The agent is asked to chat (AgentChat_Ring)."""

    caller: AgentId
    called: AgentId


@dataclass(frozen=True, slots=True)
class ChatOpen(ChatEvent):
    """The two may write to each other, first or after one has taken another's place (AgentChat_Connected)."""

    caller: AgentId
    called: AgentId


@dataclass(frozen=True, slots=True)
class ChatSaid(ChatEvent):
    """The other has written (AgentChat_DataRecved)."""

    sender: AgentId
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChatNotAnswered(ChatEvent):
    """Whom the agent asked did not come (AgentChat_CalloutFailed)."""


@dataclass(frozen=True, slots=True)
class ChatOver(ChatEvent):
    """The agent is in it, or asked for it, no more (AgentChat_Disconnected)."""


# Supervision


@dataclass(frozen=True, slots=True)
class PlaybackStarted(AgentEvent):
    """The agent hears a recording on their phone (AgentMediaEvent_Play_Succ)."""


@dataclass(frozen=True, slots=True)
class PlaybackDone(AgentEvent):
    """The agent hears it no more, or could not be reached (AgentMediaEvent_StopPlayDone)."""


@dataclass(frozen=True, slots=True)
class SupervisionStarted(AgentEvent):
    """To the supervised agent: `inspector` takes part in `mode`, first or changed (AgentOther_BeQcStart)."""

    inspector: AgentId
    mode: Mode


@dataclass(frozen=True, slots=True)
class SupervisionEnded(AgentEvent):
    """To the supervised agent: `inspector` left; `mode` was the last (AgentOther_BeQcStop)."""

    inspector: AgentId
    mode: Mode


@dataclass(frozen=True, slots=True)
class TakingCallsChanged(AgentEvent):
    """To each inspector: new calls are refused, for nothing of them could be kept, or are taken again."""

    taking: bool


@dataclass(frozen=True, slots=True)
class EchoWarned(AgentEvent):
    """To the inspector: the microphone of `target` carries the whisper back; the customer may hear it."""

    target: AgentId
    inspector: AgentId
