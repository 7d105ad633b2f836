"""The shapes that an agent's talk with a customer takes when others come into it."""

from __future__ import annotations

from sottovoce.domain.directory import AgentId
from sottovoce.live.conferring import Merge
from sottovoce.live.consulting import Consult
from sottovoce.live.handling import CallOut, Hold, Release
from sottovoce.live.transferring import HandOver, How

A, B = AgentId(101), AgentId(102)
OUTSIDE = "0777"
SHAPES = (
    "talk",
    "held",
    "consult",
    "consulted",
    "asked in",
    "conference",
    "left",
    "second call",
    "two customers",
    "two outside",
    "transfer",
    "blind transfer",
    "transferred",
)


async def shaped(stage, shape: str) -> AgentId:
    """Agent 101 talks with 555; then make it that shape. Whom an inspector, 300, is to supervise there."""
    await stage.sign_in(A)
    await stage.call_in("555")
    await stage.sign_in(B, skills=False)
    await stage.sign_in(300)
    stage.lines.phone(OUTSIDE, ready=True)
    first = stage.desk.call_ids(A)[0]
    ask, call_out = stage.desk.ask, stage.desk.call_out
    if shape in ("asked in", "transfer", "blind transfer"):
        stage.phone(B).ready = False
    if shape in ("held", "second call", "two customers", "two outside"):
        await ask(Hold(A))
    if shape in ("second call", "two customers", "two outside"):
        await call_out(CallOut(A, OUTSIDE))
    elif shape in ("consult", "consulted", "asked in", "conference", "left"):
        await call_out(Consult(A, B, joins=shape in ("asked in", "conference", "left")))
    elif shape in ("transfer", "blind transfer", "transferred"):
        await ask(HandOver(A, B, How.BLIND if shape == "blind transfer" else How.ANSWERED))
    await stage.quiet()
    if shape in ("two customers", "two outside"):
        await ask(Merge(A, first, shape == "two customers"))
    if shape == "left":
        await ask(Release(A))
    await stage.quiet()
    return B if shape in ("consulted", "left", "transferred") else A
