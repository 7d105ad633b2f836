"""Whatever races, a call ends once on each side and leaves nothing behind: random walks."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.doors.sip.network import Network, Peer
from tests.doors.sip.test_door import VDN, floors, to

from sottovoce.config import SipSettings
from sottovoce.domain.legs import LegId
from sottovoce.domain.lines import LegGone, LegOffered
from sottovoce.doors.sip import events
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.session import Session

FRACTIONS = st.floats(0, 0.999)


class Calls(RuleBasedStateMachine):
    """Two user agents that call, answer, hold, resume and hang up at any moment, over a bad network."""

    @initialize(reliable=st.booleans(), transport=st.sampled_from(Transport))
    def begin(self, reliable: bool, transport: Transport) -> None:
        settings = SipSettings(domain="test", session_expires=90)
        self.network = Network()
        self.peers = [self.network.peer(host, transport, settings) for host in ("10.0.0.1", "10.0.0.2")]
        for peer in self.peers:
            peer.ua.reliable = reliable
        self.peers[1].entropy.next_fraction = 0.2
        self.losing = 0
        # TCP loses nothing; there the network only delays.
        self.network.lose = lambda message, number: transport is Transport.UDP and self._lost()
        self.sessions: list[tuple[Peer, Session]] = []

    def _lost(self) -> bool:
        if not self.losing:
            return False
        self.losing -= 1
        return True

    def _offers(self, peer: Peer) -> list[Called]:
        return peer.offers

    def _all(self) -> list[tuple[Peer, Session]]:
        offered: list[tuple[Peer, Session]] = [(p, s) for p in self.peers for s in self._offers(p)]
        return self.sessions + offered

    @rule(first=st.booleans())
    def call(self, first: bool) -> None:
        caller, callee = self.peers if first else self.peers[::-1]
        if len(self.sessions) < 4:
            self.sessions.append((caller, caller.call(callee)))

    @rule(what=st.sampled_from(["place", "ring", "early", "accept", "refuse"]), last=st.booleans())
    def answer(self, what: str, last: bool) -> None:
        for peer in self.peers:
            for session in self._offers(peer)[-1:] if last else self._offers(peer)[:1]:
                if session.negotiation.local is None:
                    peer.act(lambda ua, s=session, p=peer: s.place(p.media))  # type: ignore[misc]
                if what == "refuse":
                    peer.act(lambda ua, s=session: s.refuse(486))  # type: ignore[misc]
                elif what != "place":
                    peer.act(lambda ua, s=session: getattr(s, what)())  # type: ignore[misc]

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, 7), what=st.sampled_from(["hold", "resume", "hang_up", "reinvite"]))
    def change(self, which: int, what: str) -> None:
        everybody = self._all()
        peer, session = everybody[which % len(everybody)]
        peer.act(lambda ua: getattr(session, what)())

    @rule(count=st.integers(1, 6))
    def lose(self, count: int) -> None:
        self.losing = count

    @rule(fraction=FRACTIONS, peer=st.integers(0, 1))
    def chance(self, fraction: float, peer: int) -> None:
        self.peers[peer].entropy.next_fraction = fraction

    @rule(seconds=st.sampled_from([0.005, 0.01, 0.015, 0.6, 5.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.network.run(seconds)

    @invariant()
    def each_call_ends_once_and_is_silent_then(self) -> None:
        for peer in getattr(self, "peers", []):
            over: list[events.CallKey] = []
            for event in peer.events:
                call = getattr(event, "call", None)
                assert call is None or call not in over, f"{event} after CallEnded"
                if isinstance(event, events.CallEnded):
                    over.append(event.call)

    def teardown(self) -> None:
        if not hasattr(self, "peers"):
            return
        self.losing = 0
        for peer, session in self._all():
            peer.act(lambda ua, s=session: s.hang_up())  # type: ignore[misc]
        self.network.run(400)
        self.each_call_ends_once_and_is_silent_then()
        for peer in self.peers:
            assert all(session.ended for session in self._offers(peer))
            assert peer.ua._sessions == {}
            assert len(peer.ua.transactions) == 0
            assert len(peer.ua.timers) == 0


TestCalls = Calls.TestCase
TestCalls.settings = examples(max_examples=60, stateful_step_count=25, deadline=None)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ring", "announce", "early", "accept", "hang_up", "hang_up_far", "lose", "pause"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@given(steps=STEPS, capacity=st.integers(1, 4))
@examples(max_examples=25, deadline=None)
def test_a_leg_is_gone_once_and_its_media_closed_once(steps: list[tuple[str, int]], capacity: int) -> None:
    asyncio.run(_walk(steps, capacity))


async def _walk(steps: list[tuple[str, int]], capacity: int) -> None:
    async with floors() as (first, second):
        second.engine.capacity = capacity
        for count, (what, which) in enumerate(steps):
            ours = LegId(f"leg{count}")
            offers = second.of(LegOffered)
            theirs = offers[which % len(offers)].leg if offers else LegId("none")
            match what:
                case "ring":
                    first.door.ring(ours, VDN, to("900"), "123")
                case "announce" | "early":
                    second.door.announce(theirs, early_media=what == "early")
                case "accept":
                    second.door.accept(theirs)
                case "hang_up":
                    first.door.hang_up(LegId(f"leg{which}"))
                case "hang_up_far":
                    second.door.hang_up(theirs)
                case "lose":
                    second.engine.lose(*list(second.engine.open)[:1])
                case _:
                    for _ in range(which * 20):
                        await asyncio.sleep(0)
        await first.door.stop()
        await second.door.stop()
        rung = {LegId(f"leg{count}") for count, (what, _) in enumerate(steps) if what == "ring"}
        gone = [event.leg for event in first.of(LegGone)]
        assert sorted(gone) == sorted(rung)
        assert sorted(e.leg for e in second.of(LegGone)) == sorted(e.leg for e in second.of(LegOffered))
        for floor in (first, second):
            assert floor.engine.open == {}
            assert len(floor.engine.closed) == len(set(floor.engine.closed))
            for event in floor.of(LegGone):
                of_leg = [e for e in floor.events if e.leg == event.leg]
                assert of_leg[-1] == event


def _recorded() -> list[bytes]:
    """Every kind of message of a rich call, as bytes."""
    network = Network()
    settings = SipSettings(domain="test", session_expires=90)
    caller, callee = (network.peer(host, settings=settings) for host in ("10.0.0.1", "10.0.0.2"))
    caller.entropy.name = "recorded"

    def answer(session: Called) -> None:
        session.place(callee.media)
        session.early()
        session.accept()

    callee.answer = answer
    session = caller.call(callee)
    network.run(1)
    for action in (session.hold, session.resume, session.hang_up):
        caller.act(lambda ua, action=action: action())  # type: ignore[misc]
        network.run(50)
    callee.answer = None
    ringing = caller.call(callee)
    network.run(1)
    caller.act(lambda ua: ringing.hang_up())
    network.run(1)
    return [message.encode() for *_, message in network.wire]


RECORDED = _recorded()
DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["byte", "cut", "drop", "double", "swap", "insert"]),
        st.integers(0, 10_000),
        st.binary(min_size=1, max_size=6)
        | st.sampled_from([b";tag=", b"\xff", b"<", b'"', b"%", b"0", b",", b"*"]),
    ),
    max_size=4,
)


def _damaged(data: bytes, damage: list[tuple[str, int, bytes]]) -> bytes:
    for what, at, junk in damage:
        lines = data.split(b"\r\n")
        line, place = at % len(lines), at % max(1, len(data))
        match what:
            case "byte":
                data = data[:place] + junk + data[place + len(junk) :]
            case "insert":
                data = data[:place] + junk + data[place:]
            case "cut":
                data = data[:place]
            case "drop":
                data = b"\r\n".join(lines[:line] + lines[line + 1 :])
            case "double":
                data = b"\r\n".join([*lines[: line + 1], *lines[line:]])
            case _:
                other = (at // 7) % len(lines)
                lines[line], lines[other] = lines[other], lines[line]
                data = b"\r\n".join(lines)
    return data


@given(script=st.lists(st.tuples(st.integers(0, len(RECORDED) - 1), DAMAGE), min_size=1, max_size=12))
@examples(max_examples=300, deadline=None)
def test_no_message_however_damaged_harms_the_user_agent(
    script: list[tuple[int, list[tuple[str, int, bytes]]]],
) -> None:
    network = Network()
    settings = SipSettings(domain="test", session_expires=90)
    caller, callee = (network.peer(host, settings=settings) for host in ("10.0.0.1", "10.0.0.2"))
    callee.answer = lambda session: (session.place(callee.media), session.early(), session.accept())  # type: ignore[func-returns-value]
    for which, damage in script:
        network.inject(_damaged(RECORDED[which], damage), caller.hop, callee)
        network.run(0.3)
    session = caller.call(callee)
    network.run(40)
    assert session.phase.name == "TALKING"
    caller.act(lambda ua: session.hang_up())
    network.run(600)
    assert len(callee.of(events.CallEnded)) == len(callee.of(events.CallOffered))
    assert callee.ua._sessions == {}
    assert len(callee.ua.transactions) == 0
