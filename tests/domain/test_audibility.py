"""The table of who hears whom, for every shape of a conversation."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.audibility import CallRole, Inspecting, Party, audibility, recorded
from sottovoce.domain.legs import LegId
from sottovoce.domain.supervision import Mode

C, D, A, B = LegId("C"), LegId("D"), LegId("A"), LegId("B")
I, J = LegId("I"), LegId("J")  # noqa: E741


def customer(leg=C, **state):
    return Party(leg, CallRole.CUSTOMER, **state)


def agent(leg=A, **state):
    return Party(leg, CallRole.AGENT, **state)


def on(mode, leg=I, target=A, **state):
    return Inspecting(leg, target, mode, **state)


def table(parties, inspecting=()):
    """The table in one line: listener before the colon, heard after it."""
    return " ".join(
        f"{leg}:{''.join(sorted(voices)) or '-'}" for leg, voices in audibility(parties, inspecting).items()
    )


LISTEN, WHISPER, INSERT = Mode


@pytest.mark.parametrize(
    ("shape", "parties", "inspecting", "expected"),
    [
        ("alone", [agent()], [], "A:-"),
        ("two", [customer(), agent()], [], "C:A A:C"),
        ("listen", [customer(), agent()], [on(LISTEN)], "C:A A:C I:AC"),
        ("whisper", [customer(), agent()], [on(WHISPER)], "C:A A:CI I:AC"),
        ("insert", [customer(), agent()], [on(INSERT)], "C:AI A:CI I:AC"),
        ("held", [customer(held=True), agent()], [], "C:- A:-"),
        ("held, listen", [customer(held=True), agent()], [on(LISTEN)], "C:- A:- I:A"),
        ("held, whisper", [customer(held=True), agent()], [on(WHISPER)], "C:- A:I I:A"),
        ("held, insert", [customer(held=True), agent()], [on(INSERT)], "C:- A:I I:A"),
        ("muted", [customer(), agent(muted=True)], [], "C:- A:C"),
        ("muted, listen", [customer(), agent(muted=True)], [on(LISTEN)], "C:- A:C I:C"),
        ("muted, whisper", [customer(), agent(muted=True)], [on(WHISPER)], "C:- A:CI I:C"),
        ("muted, insert", [customer(), agent(muted=True)], [on(INSERT)], "C:I A:CI I:C"),
        ("muted, held", [customer(held=True), agent(muted=True)], [on(LISTEN)], "C:- A:- I:-"),
        ("two whisper", [customer(), agent()], [on(WHISPER), on(WHISPER, J)], "C:A A:CIJ I:AC J:AC"),
        ("whisper, listen", [customer(), agent()], [on(WHISPER), on(LISTEN, J)], "C:A A:CI I:AC J:AC"),
        ("whisper, insert", [customer(), agent()], [on(WHISPER), on(INSERT, J)], "C:AJ A:CIJ I:ACJ J:AC"),
        ("two insert", [customer(), agent()], [on(INSERT), on(INSERT, J)], "C:AIJ A:CIJ I:ACJ J:ACI"),
        ("silenced whisper", [customer(), agent()], [on(WHISPER, silenced=True)], "C:A A:C I:AC"),
        ("silenced insert", [customer(), agent()], [on(INSERT, silenced=True)], "C:A A:C I:AC"),
        ("between calls, listen", [agent()], [on(LISTEN)], "A:- I:-"),
        ("between calls, whisper", [agent()], [on(WHISPER)], "A:I I:-"),
        ("between calls, insert", [agent()], [on(INSERT)], "A:I I:A"),
        ("between calls, silenced insert", [agent()], [on(INSERT, silenced=True)], "A:- I:-"),
        ("between calls, silenced whisper", [agent()], [on(WHISPER, silenced=True)], "A:- I:-"),
        ("between calls, one silenced", [agent()], [on(INSERT, silenced=True), on(INSERT, J)], "A:J I:- J:A"),
        ("between calls, both", [agent()], [on(INSERT), on(LISTEN, J)], "A:I I:A J:-"),
        ("no phone", [], [on(LISTEN)], "I:-"),
        ("consult", [customer(held=True), agent(), agent(B)], [], "C:- A:B B:A"),
        ("consult, listen", [customer(held=True), agent(), agent(B)], [on(LISTEN)], "C:- A:B B:A I:AB"),
        ("consult, whisper", [customer(held=True), agent(), agent(B)], [on(WHISPER)], "C:- A:BI B:A I:AB"),
        ("consult, insert", [customer(held=True), agent(), agent(B)], [on(INSERT)], "C:- A:BI B:AI I:AB"),
        ("helper", [customer(held=True), agent(), agent(B)], [on(WHISPER, target=B)], "C:- A:B B:AI I:AB"),
        ("toggled", [customer(), agent(), agent(B, held=True)], [on(LISTEN)], "C:A A:C B:- I:AC"),
        ("three", [customer(), agent(), agent(B)], [], "C:AB A:BC B:AC"),
        ("three, whisper", [customer(), agent(), agent(B)], [on(WHISPER)], "C:AB A:BCI B:AC I:ABC"),
        ("three, insert", [customer(), agent(), agent(B)], [on(INSERT)], "C:ABI A:BCI B:ACI I:ABC"),
        ("early", [customer(early=True), agent()], [], "C:- A:C"),
        ("early, listen", [customer(early=True), agent()], [on(LISTEN)], "C:- A:C I:AC"),
        ("early, whisper", [customer(early=True), agent()], [on(WHISPER)], "C:- A:CI I:AC"),
        ("early, insert", [customer(early=True), agent()], [on(INSERT)], "C:- A:CI I:AC"),
        ("two customers", [customer(), customer(D), agent()], [on(WHISPER)], "C:AD D:AC A:CDI I:ACD"),
    ],
)  # fmt: skip
def test_who_hears_whom(shape, parties, inspecting, expected):
    assert table(parties, inspecting) == expected


@pytest.mark.parametrize(
    ("shape", "parties", "inspecting", "expected"),
    [
        ("two", [customer(), agent()], [], "AC"),
        ("listen", [customer(), agent()], [on(LISTEN)], "AC"),
        ("whisper", [customer(), agent()], [on(WHISPER)], "ACI"),
        ("insert", [customer(), agent()], [on(INSERT)], "ACI"),
        ("held", [customer(held=True), agent()], [], ""),
        ("held, whisper", [customer(held=True), agent()], [on(WHISPER)], "I"),
        ("muted", [customer(), agent(muted=True)], [on(LISTEN)], "C"),
        ("silenced", [customer(), agent()], [on(WHISPER, silenced=True)], "AC"),
        ("between calls", [agent()], [on(INSERT)], ""),
        ("consult", [customer(held=True), agent(), agent(B)], [on(WHISPER, target=B)], ""),
        ("toggled", [customer(), agent(), agent(B, held=True)], [], "AC"),
        ("toggled, whisper", [customer(), agent(), agent(B, held=True)], [on(WHISPER)], "ACI"),
        ("put aside", [customer(), agent(held=True), agent(B)], [], "C"),
        ("three", [customer(), agent(), agent(B)], [on(WHISPER, target=B)], "AC"),
    ],
)
def test_who_is_recorded(shape, parties, inspecting, expected):
    assert "".join(sorted(recorded(parties, inspecting, A))) == expected


PARTIES = st.lists(
    st.builds(Party, st.sampled_from([C, D, A, B]), st.sampled_from(CallRole), st.booleans(), st.booleans()),
    max_size=4,
    unique_by=lambda party: party.leg,
)
INSPECTING = st.lists(
    st.builds(
        Inspecting, st.sampled_from([I, J]), st.sampled_from([A, B]), st.sampled_from(Mode), st.booleans()
    ),
    max_size=2,
    unique_by=lambda inspector: inspector.leg,
)


@given(PARTIES, INSPECTING)
def test_what_holds_in_every_conversation(parties, inspecting):
    hears = audibility(parties, inspecting)
    assert set(hears) == {party.leg for party in parties} | {i.leg for i in inspecting}
    for listener, voices in hears.items():
        assert listener not in voices
        for party in parties:
            if party.leg in voices:
                assert not party.held
                assert not party.muted
        for inspector in inspecting:
            if inspector.leg in voices:
                assert not inspector.silenced
                assert inspector.mode is not Mode.LISTEN
                if inspector.mode is Mode.WHISPER:
                    assert listener == inspector.agent
    for party in parties:
        if party.held:
            assert not hears[party.leg]
    for one, other in itertools.combinations(inspecting, 2):
        for a, b in ((one, other), (other, one)):
            assert a.mode is Mode.INSERT or a.leg not in hears[b.leg]


@given(PARTIES, INSPECTING)
def test_a_whisper_changes_nothing_but_its_agents_row(parties, inspecting):
    silent = [Inspecting(i.leg, i.agent, Mode.LISTEN) for i in inspecting]
    whispering = [Inspecting(i.leg, i.agent, Mode.WHISPER) for i in inspecting]
    before, after = audibility(parties, silent), audibility(parties, whispering)
    agents = {i.agent for i in inspecting}
    assert {leg: row for leg, row in before.items() if leg not in agents} == {
        leg: row for leg, row in after.items() if leg not in agents
    }
