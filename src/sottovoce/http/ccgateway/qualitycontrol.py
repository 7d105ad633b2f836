"""qualitycontrol: live supervision and forced states (cc-gateway.md Part 2)."""

from __future__ import annotations

from pydantic import Field

from sottovoce.domain.agents import Trigger
from sottovoce.domain.supervision import Mode
from sottovoce.http.ccgateway.agentgroup import encode_agents
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.states import SWITCH
from sottovoce.http.ccgateway.words import AgentNumber, AgentNumbers, Form, Number, SelfRecord, Skills, Text
from sottovoce.live.availability import AdjustSkills, ForceState
from sottovoce.live.presence import ForceSignOut
from sottovoce.live.recording import RecordTalksOf
from sottovoce.live.supervising import ChangeMode, DropCall, Intercept
from sottovoce.live.watching import Unwatch, Watch

INTERFACES = Interfaces("qualitycontrol")
serves = INTERFACES.serves
asks = INTERFACES.asks


class Target(Form):
    """The agent whom it is about; of the inspector's VDN."""

    target: AgentNumber = Field(alias="workNo")


class TargetCall(Target):
    """The agent, and which of the agent's calls."""

    call: Text = Field(alias="callId", max_length=64)


class WhisperTarget(Form):
    """The agent to whisper to. The page prints it as optional, but nothing else names the agent."""

    target: AgentNumber = Field(alias="whisperagentid")


class RunningTarget(Form):
    """The agent supervised; without it the one supervised now."""

    target: AgentNumber | None = Field(None, alias="whisperagentid")


class SwitchTarget(RunningTarget):
    """The mode wanted: 0 listen, 1 insert, 2 whisper."""

    switchtype: Number = Field(ge=0, le=2)


class ForcedRest(Target):
    """How long (s) and why."""

    time: Number = Field(ge=1, le=86_399)
    reason: Number = Field(ge=1, le=255)


class AnyCall(Form):
    """A call of the VDN. Clients may put any text there."""

    call: Text = Field(alias="callid", max_length=64)


class SkillsOfTarget(Target):
    """The queues that the agent shall be in, and no others."""

    in_body = True

    skills: Skills


class Targets(Form):
    """Agents of the inspector's VDN; the client known sends 500 at a time, parted by `;` [Java]."""

    targets: AgentNumbers = Field(alias="agents", min_length=1)


class SelfRecordOfTargets(SelfRecord, Targets):
    """What of whose talks is recorded."""


# Take the agent's call over [2403].
asks("PUT", "/intercept/{workNo}", Target, lambda by, form: Intercept(by, form.target))
# Take that call of the agent over [0437].
asks(
    "PUT", "/intercept/{workNo}/{callId}", TargetCall, lambda by, form: Intercept(by, form.target, form.call)
)
# From listening to inserting, and back [2410].
asks("POST", "/switch/{workNo}", Target, lambda by, form: ChangeMode(by, form.target, None))
# Change to one of the three modes [2414].
asks(
    "POST",
    "/requestswitchinsertwhisperagent",
    SwitchTarget,
    lambda by, form: ChangeMode(by, form.target, SWITCH[form.switchtype]),
)
# Make the agent busy, now or after the call [2405].
asks("POST", "/forcebusy/{workNo}", Target, lambda by, form: ForceState(by, form.target, Trigger.FORCE_BUSY))
# Make the agent idle [2406].
asks("POST", "/forceidle/{workNo}", Target, lambda by, form: ForceState(by, form.target, Trigger.FORCE_IDLE))
# Make the agent rest, now or after the call [2411].
asks(
    "POST",
    "/forcerest/{workNo}/{time}/{reason}",
    ForcedRest,
    lambda by, form: ForceState(by, form.target, Trigger.FORCE_REST, form.reason, form.time),
)
# Sign the agent out, whatever the agent does [2407].
asks("POST", "/forcelogout/{workNo}", Target, lambda by, form: ForceSignOut(by, form.target))
# End a call [2408].
asks("POST", "/forcedropcall/{callid:path}", AnyCall, lambda by, form: DropCall(by, form.call))
# Change the agent's queues [2409].
asks("POST", "/adjustskill", SkillsOfTarget, lambda by, form: AdjustSkills(by, form.target, form.skills))
# Record the agents' talks from the next on.
asks(
    "POST",
    "/setselfrecord/{recordflag}/{recordbeforetalking}",
    SelfRecordOfTargets,
    lambda by, form: RecordTalksOf(by, form.targets, form.on == 1, form.before == 1),
)
# As the server does by itself again.
asks("POST", "/cancelselfrecord", Targets, lambda by, form: RecordTalksOf(by, form.targets, False))
# Be told of the agents' states, too.
asks("POST", "/beginmonitor", Targets, lambda by, form: Watch(by, form.targets))
# Be told of theirs no more.
asks("POST", "/endmonitor", Targets, lambda by, form: Unwatch(by, form.targets))


@serves("GET", "/allagent", Form)
async def watched(caller: Caller, form: Form) -> Answer:
    """The agents whose states the inspector is told."""
    return Answer(encode_agents(caller, caller.desk.watched(caller.agent)))


@serves("PUT", "/addinsert/{workNo}", Target)
async def add_insert(caller: Caller, form: Target) -> None:
    """Step into the agent's call [2401]."""
    await caller.desk.supervise(caller.agent, form.target, Mode.INSERT)


@serves("PUT", "/addsupervise/{workNo}", Target)
async def add_supervise(caller: Caller, form: Target) -> None:
    """Listen to the agent [2402]."""
    await caller.desk.supervise(caller.agent, form.target, Mode.LISTEN)


@serves("DELETE", "/{workNo}", Target)
async def stop(caller: Caller, form: Target) -> None:
    """Leave the agent [2404]."""
    await caller.desk.stop(caller.agent, form.target)


@serves("POST", "/requestwhisperagent", WhisperTarget)
async def whisper(caller: Caller, form: WhisperTarget) -> None:
    """Whisper to the agent [2412]."""
    await caller.desk.supervise(caller.agent, form.target, Mode.WHISPER)


@serves("POST", "/requeststopwhisperagent", RunningTarget)
async def stop_whisper(caller: Caller, form: RunningTarget) -> None:
    """Stop whispering and leave the agent [2413]."""
    await caller.desk.stop(caller.agent, form.target, whisper=True)
