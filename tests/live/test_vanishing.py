"""Somebody vanishes out of a call, whatever shape it has: a phone whose BYE is lost falls silent, a worker
dies, a client says nothing more, an inspector's lease runs out. Who is left talks on, waits with music, or is
released."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.live.shapes import SHAPES, shaped

from sottovoce.config import AgentSettings
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.supervision import Mode
from sottovoce.live.state import LiveSettings
from sottovoce.media.engine import LegsLost, LegTimedOut

I = AgentId(300)  # noqa: E741
NAMES = {"555": "C", "0777": "D", "1101": "A", "1102": "B", "1300": "I", "♪": "M"}
SILENCE_S = 10
TABLE = """
talk           A:CI C:A I:AC          C> I:-
talk           A:CI C:A I:AC          A> I:-
held           A:I C:M I:A            C> I:-
held           A:I C:M I:A            A> I:-
consult        A:BI B:A C:M I:AB      C> A:BI B:A I:AB
consult        A:BI B:A C:M I:AB      A> I:-
consult        A:BI B:A C:M I:AB      B> A:I C:M I:A
consulted      A:B B:AI C:M I:AB      C> A:B B:AI I:AB
consulted      A:B B:AI C:M I:AB      A> I:-
consulted      A:B B:AI C:M I:AB      B> A:- C:M I:-
asked in       A:CI B:- C:A I:AC      C> I:-
asked in       A:CI B:- C:A I:AC      A> B:- C:M I:-
asked in       A:CI B:- C:A I:AC      B> A:CI C:A I:AC
conference     A:BCI B:AC C:AB I:ABC  C> I:-
conference     A:BCI B:AC C:AB I:ABC  A> B:C C:B I:-
conference     A:BCI B:AC C:AB I:ABC  B> A:CI C:A I:AC
left           B:CI C:B I:BC          C> I:-
left           B:CI C:B I:BC          B> I:-
second call    A:DI C:M D:A I:AD      C> A:DI D:A I:AD
second call    A:DI C:M D:A I:AD      A> I:-
second call    A:DI C:M D:A I:AD      D> A:I C:M I:A
two customers  A:CDI C:AD D:AC I:ACD  C> A:DI D:A I:AD
two customers  A:CDI C:AD D:AC I:ACD  A> C:D D:C I:-
two customers  A:CDI C:AD D:AC I:ACD  D> A:CI C:A I:AC
two outside    C:D D:C I:-            C> I:-
two outside    C:D D:C I:-            D> I:-
transfer       A:I B:- C:M I:A        C> I:-
transfer       A:I B:- C:M I:A        A> B:- C:M I:-
transfer       A:I B:- C:M I:A        B> A:CI C:A I:AC
blind transfer B:- C:M I:-            C> I:-
blind transfer B:- C:M I:-            B> A:CI C:A I:AC
transferred    B:CI C:B I:BC          C> I:-
transferred    B:CI C:B I:BC          B> I:-
"""
"""The shape, who hears whom in it, who vanishes, who hears whom then. M is music, I whispers."""
ROWS = [
    (row[:15].strip(), row[15:38].strip(), row[38], row[41:].strip()) for row in TABLE.strip().splitlines()
]


GIVEN_BACK = {"asked in": "A:C C:A", "transfer": "A:C C:A", "blind transfer": "C:M"}


@pytest.fixture
async def patient(new_stage):
    """A stage whose phones ring for longer than a client may be silent."""
    agents = AgentSettings(ring_timeout=60, wrap_up_limit=0, sign_out_after=SILENCE_S, supervision_lease=5)
    made = new_stage(LiveSettings(Path("/rec"), agents))
    await made.desk.open([VdnId(1)])
    yield made
    await made.desk.close()
    await made.tasks.close()


def told(stage) -> str:
    """Who hears whom: `A:BC B:- C:M`."""
    rows = {NAMES[who]: "".join(sorted(NAMES[one] for one in heard)) for who, heard in stage.hears().items()}
    return " ".join(f"{who}:{rows[who] or '-'}" for who in sorted(rows))


@pytest.mark.parametrize("how", ["times out", "worker"])
@pytest.mark.parametrize(("shape", "before", "who", "after"), ROWS, ids=lambda value: value.replace(" ", "_"))
async def test_a_phone_vanishes(patient, shape, before, who, after, how):
    target = await shaped(patient, shape)
    await patient.desk.supervise(I, target, Mode.WHISPER)
    await patient.quiet()
    assert told(patient) == before
    leg = patient.lines.phones[next(number for number, name in NAMES.items() if name == who)].leg
    patient.engine.tell(LegTimedOut(leg) if how == "times out" else LegsLost(frozenset({leg})))
    await patient.quiet()
    assert told(patient) == after


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_client_that_falls_silent_costs_nobody_a_call(patient, shape):
    """Sign-outs wait for the end of a call, the inspector's lease ends. Who only rings is signed out: the
    customer is the agent's again, or waits."""
    target = await shaped(patient, shape)
    before = told(patient)
    await patient.desk.supervise(I, target, Mode.INSERT)
    await patient.later(SILENCE_S + 1)
    assert told(patient) == GIVEN_BACK.get(shape, before)


@pytest.mark.parametrize("ends", ["stop", "lease", "phone", "worker"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_an_inspector_s_end_is_theirs_alone(patient, shape, ends):
    target = await shaped(patient, shape)
    before = told(patient)
    await patient.desk.supervise(I, target, Mode.INSERT)
    await patient.quiet()
    assert told(patient) != before
    if ends == "stop":
        await patient.desk.stop(I, target)
    elif ends == "lease":
        await patient.later(5)
    elif ends == "phone":
        patient.phone(I).hang_up()
    else:
        patient.engine.tell(LegsLost(frozenset({patient.phone(I).leg})))
    await patient.quiet()
    assert told(patient) == before
    assert patient.state(I) is AgentState.IDLE
