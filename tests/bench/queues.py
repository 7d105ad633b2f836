"""What it costs to find out who gets which call, with a thousand calls waiting and a thousand agents."""

from __future__ import annotations

import statistics
import time

from tests.bench.tables import Say, Table

from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.live.acd import Free, SkillQueues

CALLS, AGENTS, SKILLS = 1000, 1000, 20
_ROUNDS = 15


async def measure(told: Say) -> list[Table]:
    """One table: a call for one agent, nobody for anybody, everybody served."""
    told("queues: a thousand calls and agents")
    rows = []
    three = [{SkillId(1 + (n + k) % SKILLS): 1 + k for k in range(3)} for n in range(AGENTS)]
    others = [{SkillId(100): 1} for _ in range(AGENTS)]
    for who, levels in (
        ("one agent", three[:1]),
        ("all, none with a skill that is asked for", others),
        ("all", three),
    ):
        lengths = [_timed(levels) for _ in range(_ROUNDS)]
        rows.append([who, str(lengths[0][0]), f"{statistics.median(length for _, length in lengths):.2f}"])
    title = f"Queues: {CALLS} calls wait, {AGENTS} agents with three of {SKILLS} skills each"
    return [Table(title, ["who is free", "calls given", "all of it, ms"], rows)]


def _timed(levels: list[dict[SkillId, int]]) -> tuple[int, float]:
    queues = SkillQueues()
    for n in range(CALLS):
        queues.enter(str(n), SkillId(1 + n % SKILLS), float(n))
    free = [Free(AgentId(101 + n), of, n) for n, of in enumerate(levels)]
    began, pairs = time.perf_counter(), 0
    for call, _ in queues.pairs(free):
        queues.leave(call)
        pairs += 1
    return pairs, (time.perf_counter() - began) * 1000
