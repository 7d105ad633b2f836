"""VDNs for tests. An agent's phone is 1000 + the work number, its account `u<phone>`; passwords `secret`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.memory import ScryptPasswords

from sottovoce.domain.directory import (
    AccessCode,
    AgentGroup,
    AgentId,
    AgentProfile,
    PhoneAccount,
    RestCause,
    Right,
    Skill,
    SkillId,
    VdnId,
    VdnProfile,
)

PASSWORDS = ScryptPasswords()
SECRET = PASSWORDS.store("secret")
QUEUES = {1: "sales", 2: "help"}
CALLS, INSPECTS = frozenset({Right.CALL_OUT}), frozenset({Right.INSPECT})
NO_RIGHT: frozenset[Right] = frozenset()


def vdn(
    number: int,
    agents: Mapping[int, Collection[Right]],
    *,
    queues: Mapping[int, str] = QUEUES,
    codes: Mapping[str, tuple[int, bool]] | None = None,
    outbound: tuple[str, ...] = ("0", "5"),
    mutual: bool = False,
    all_serve: bool = False,
    causes: Mapping[int, str] | None = None,
    leader: int | None = None,
) -> VdnProfile:
    """A VDN of these agents and their rights. Inspectors are in no queue unless `all_serve`.

    `codes`: access code to its queue and whether it has early media; by itself `80<vdn>` to the first queue.
    `mutual`: inspectors may inspect inspectors. `causes` of rest. `leader` of group 0, the agents' one, which
    has a name only then.
    """
    codes = codes or {f"80{number}": (next(iter(queues)), False)}
    profiles = [
        AgentProfile(
            AgentId(agent),
            VdnId(number),
            f"Agent {agent}",
            SECRET,
            str(1000 + agent),
            tuple(map(SkillId, queues)) if all_serve or Right.INSPECT not in rights else (),
            frozenset(rights),
        )
        for agent, rights in agents.items()
    ]
    return VdnProfile(
        VdnId(number),
        f"VDN {number}",
        {one.agent: one for one in profiles},
        {SkillId(queue): Skill(SkillId(queue), name) for queue, name in queues.items()},
        {code: AccessCode(code, SkillId(queue), early) for code, (queue, early) in codes.items()},
        {str(1000 + agent): PhoneAccount(str(1000 + agent), f"u{1000 + agent}", {}) for agent in agents},
        outbound,
        mutual,
        tuple(RestCause(cause, name) for cause, name in (causes or {}).items()),
        () if leader is None else (AgentGroup(0, "day", AgentId(leader)),),
    )
