"""qualitycontrol: live supervision and forced states (cc-gateway.md Part 2)."""

from __future__ import annotations

from pydantic import Field

from sottovoce.domain.agents import Trigger
from sottovoce.domain.supervision import Mode
from sottovoce.http.ccgateway.gateway import Caller, Interfaces
from sottovoce.http.ccgateway.states import SWITCH
from sottovoce.http.ccgateway.words import AgentNumber, Form, Number, Skills, Text
from sottovoce.live import availability, presence, supervising

INTERFACES = Interfaces("qualitycontrol")
serves = INTERFACES.serves


class Target(Form):
    """The agent whom it is about; of the inspector's VDN."""

    target: AgentNumber = Field(alias="workNo")


@serves("PUT", "/addinsert/{workNo}", Target)
async def add_insert(caller: Caller, form: Target) -> None:
    """Step into the agent's call [2401]."""
    await caller.desk.supervise(caller.agent, form.target, Mode.INSERT)


@serves("PUT", "/addsupervise/{workNo}", Target)
async def add_supervise(caller: Caller, form: Target) -> None:
    """Listen to the agent [2402]."""
    await caller.desk.supervise(caller.agent, form.target, Mode.LISTEN)


@serves("PUT", "/intercept/{workNo}", Target)
async def intercept(caller: Caller, form: Target) -> None:
    """Take the agent's call over [2403]."""
    await caller.desk.ask(supervising.Intercept(caller.agent, form.target))


class TargetCall(Target):
    """The agent, and which of the agent's calls."""

    call: Text = Field(alias="callId", max_length=64)


@serves("PUT", "/intercept/{workNo}/{callId}", TargetCall)
async def intercept_call(caller: Caller, form: TargetCall) -> None:
    """Take that call of the agent over [0437]."""
    await caller.desk.ask(supervising.Intercept(caller.agent, form.target, form.call))


@serves("DELETE", "/{workNo}", Target)
async def stop(caller: Caller, form: Target) -> None:
    """Leave the agent [2404]."""
    await caller.desk.stop(caller.agent, form.target)


@serves("POST", "/switch/{workNo}", Target)
async def toggle(caller: Caller, form: Target) -> None:
    """From listening to inserting, and back [2410]."""
    await caller.desk.ask(supervising.ChangeMode(caller.agent, form.target, None))


class WhisperTarget(Form):
    """The agent to whisper to. The page prints it as optional, but nothing else names the agent."""

    target: AgentNumber = Field(alias="whisperagentid")


@serves("POST", "/requestwhisperagent", WhisperTarget)
async def whisper(caller: Caller, form: WhisperTarget) -> None:
    """Whisper to the agent [2412]."""
    await caller.desk.supervise(caller.agent, form.target, Mode.WHISPER)


class RunningTarget(Form):
    """The agent supervised; without it the one supervised now."""

    target: AgentNumber | None = Field(None, alias="whisperagentid")


@serves("POST", "/requeststopwhisperagent", RunningTarget)
async def stop_whisper(caller: Caller, form: RunningTarget) -> None:
    """Stop whispering and leave the agent [2413]."""
    await caller.desk.stop(caller.agent, form.target, whisper=True)


class SwitchTarget(RunningTarget):
    """The mode wanted: 0 listen, 1 insert, 2 whisper."""

    switchtype: Number = Field(ge=0, le=2)


@serves("POST", "/requestswitchinsertwhisperagent", SwitchTarget)
async def switch(caller: Caller, form: SwitchTarget) -> None:
    """Change to one of the three modes [2414]."""
    await caller.desk.ask(supervising.ChangeMode(caller.agent, form.target, SWITCH[form.switchtype]))


@serves("POST", "/forcebusy/{workNo}", Target)
async def force_busy(caller: Caller, form: Target) -> None:
    """Make the agent busy, now or after the call [2405]."""
    await caller.desk.ask(availability.ForceState(caller.agent, form.target, Trigger.FORCE_BUSY))


@serves("POST", "/forceidle/{workNo}", Target)
async def force_idle(caller: Caller, form: Target) -> None:
    """Make the agent idle [2406]."""
    await caller.desk.ask(availability.ForceState(caller.agent, form.target, Trigger.FORCE_IDLE))


class ForcedRest(Target):
    """How long (s) and why."""

    time: Number = Field(ge=1, le=86_399)
    reason: Number = Field(ge=1, le=255)


@serves("POST", "/forcerest/{workNo}/{time}/{reason}", ForcedRest)
async def force_rest(caller: Caller, form: ForcedRest) -> None:
    """Make the agent rest, now or after the call [2411]."""
    wish = availability.ForceState(caller.agent, form.target, Trigger.FORCE_REST, form.reason, form.time)
    await caller.desk.ask(wish)


@serves("POST", "/forcelogout/{workNo}", Target)
async def force_sign_out(caller: Caller, form: Target) -> None:
    """Sign the agent out, whatever the agent does [2407]."""
    await caller.desk.ask(presence.ForceSignOut(caller.agent, form.target))


class AnyCall(Form):
    """A call of the VDN. Clients may put any text there."""

    call: Text = Field(alias="callid", max_length=64)


@serves("POST", "/forcedropcall/{callid:path}", AnyCall)
async def force_drop_call(caller: Caller, form: AnyCall) -> None:
    """End a call [2408]."""
    await caller.desk.ask(supervising.DropCall(caller.agent, form.call))


class SkillsOfTarget(Target):
    """The queues that the agent shall be in, and no others."""

    in_body = True

    skills: Skills


@serves("POST", "/adjustskill", SkillsOfTarget)
async def adjust_skill(caller: Caller, form: SkillsOfTarget) -> None:
    """Change the agent's queues [2409]."""
    await caller.desk.ask(availability.AdjustSkills(caller.agent, form.target, tuple(form.skills)))
