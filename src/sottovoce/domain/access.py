"""Who may do what to whom: rights, the VDN's boundary, inspected inspectors."""

from __future__ import annotations

from sottovoce.domain.directory import AgentId, AgentProfile, Right, VdnProfile
from sottovoce.errors import Code, Refused

GUARDED = ("00", "0900")
"""Beginnings of numbers that cost more than whoever allowed "0" had in mind."""


def require(caller: AgentProfile, right: Right) -> None:
    """Raise NO_RIGHT unless the caller has it."""
    if right not in caller.rights:
        raise Refused(Code.NO_RIGHT, f"agent {caller.agent} lacks the right to {right}")


def is_inspector(agent: AgentProfile) -> bool:
    """Whether the agent has the inspection right."""
    return Right.INSPECT in agent.rights


def inspected(vdn: VdnProfile, caller: AgentProfile, target: AgentId) -> AgentProfile:
    """The agent that an inspector's command names.

    NO_RIGHT without the inspection right, TARGET_IS_SELF, TARGET_UNKNOWN alike for agents that do not
    exist and for those of another VDN, NO_RIGHT for an inspector unless the VDN allows that.
    """
    require(caller, Right.INSPECT)
    if target == caller.agent:
        raise Refused(Code.TARGET_IS_SELF, "nobody inspects themselves")
    profile = vdn.agents.get(target)
    if profile is None:
        raise Refused(Code.TARGET_UNKNOWN, f"no agent {target} in this VDN")
    if is_inspector(profile) and not vdn.inspect_inspectors:
        raise Refused(Code.NO_RIGHT, "this VDN does not let inspectors be inspected")
    return profile


def number_allowed(vdn: VdnProfile, number: str) -> bool:
    """Whether an outbound number passes the VDN's allow-list of prefixes.

    `+` and `00` are the same. Calls abroad (00) and to premium numbers (0900) are opened by prefixes
    that begin so, and by no shorter one: whoever allows "0" means the country's ordinary numbers.
    """
    number = _from_here(number)
    guarded = next((guard for guard in GUARDED if number.startswith(guard)), "")
    prefixes = map(_from_here, vdn.outbound_allowed)
    return any(number.startswith(prefix) and prefix.startswith(guarded) for prefix in prefixes)


def _from_here(number: str) -> str:
    """A number as it is dialled: the `+` of its international form is 00 (ITU-T E.123)."""
    return "00" + number[1:] if number.startswith("+") else number
