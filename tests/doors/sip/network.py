"""User agents on a network without sockets, under a clock that moves only as messages and timers need."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterable
from typing import TypeVar

from sottovoce.config import SipSettings
from sottovoce.domain.legs import LegAddress
from sottovoce.doors.sip import events
from sottovoce.doors.sip.admission import Doorman
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import Calling, OutgoingCall
from sottovoce.doors.sip.hops import Hop, Outgoing, Transport
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.message import Request, Response, SipParseError, parse
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.ua import UserAgent

T = TypeVar("T", bound=events.Event)
LATENCY = 0.01


class Counted:
    """Entropy that repeats itself in every run."""

    def __init__(self, name: str, fraction: float = 0.5) -> None:
        self.name = name
        self._count = itertools.count(1)
        self.next_fraction = fraction

    def token(self) -> str:
        return f"{self.name}{next(self._count):012d}"

    def fraction(self) -> float:
        return self.next_fraction


class Peer:
    """One user agent at one address of the network."""

    def __init__(
        self,
        network: Network,
        host: str,
        transport: Transport,
        settings: SipSettings,
        doorman: Doorman | None,
        limits: SourceLimits | None,
    ) -> None:
        self.network = network
        self.hop = Hop(transport, host, 5060)
        self.entropy = Counted(host.replace(".", "x"))
        self.ua = UserAgent(
            settings,
            entropy=self.entropy,
            addresses=lambda hop: (host, 5060),
            doorman=doorman,
            limits=limits,
            now=network.now,
        )
        self.events: list[events.Event] = []
        self.offers: list[Called] = []
        self.answer: Callable[[Called], None] | None = None
        """What it does with a call that is offered."""
        self.media = LegAddress(host, 20000)

    def call(
        self,
        to: Peer,
        *,
        account: Account | None = None,
        from_uri: str = "",
        user: str = "100",
        **more: object,
    ) -> Calling:
        call = OutgoingCall(
            to=f"sip:{user}@{to.hop.host}",
            hop=to.hop,
            local=self.media,
            from_uri=from_uri or f"sip:200@{self.hop.host}",
            account=account,
            **more,  # type: ignore[arg-type]
        )
        return self.act(lambda ua: ua.invite(call))

    def act(self, action: Callable[[UserAgent], T2]) -> T2:
        self.ua.timers.advance(self.network.now)
        result = action(self.ua)
        self.network.collect(self)
        return result

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def names(self) -> list[str]:
        """The events so far by name, without the dialog's bookkeeping."""
        return [type(e).__name__ for e in self.events if not isinstance(e, events.DialogChanged)]

    def offered(self) -> Called:
        return self.offers[-1]


T2 = TypeVar("T2")


class Network:
    """Delivers what peers send, LATENCY later. `lose` says what is lost; `wire` keeps everything sent."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.lose: Callable[[Request | Response, int], bool] = lambda message, number: False
        self.wire: list[tuple[float, str, str, Request | Response]] = []
        """Time, sender's host, receiver's host, message."""
        self.capture: Callable[[Peer, Outgoing], bool] = lambda sender, message: False
        """A far side of the test's own: true when it took the message."""
        self._peers: dict[str, Peer] = {}
        self._flying: list[tuple[float, int, bytes, Hop, Hop]] = []
        self._count = itertools.count()

    def peer(
        self,
        host: str,
        transport: Transport = Transport.UDP,
        settings: SipSettings | None = None,
        doorman: Doorman | None = None,
        limits: SourceLimits | None = None,
    ) -> Peer:
        """Another peer. Without settings of its own it takes no reliable responses."""
        made = Peer(self, host, transport, settings or SipSettings(domain="test"), doorman, limits)
        made.ua.reliable = settings is not None
        self._peers[host] = made
        return made

    def collect(self, sender: Peer) -> None:
        """Take what a peer wants sent and what it says happened."""
        while True:
            out, happened = sender.ua.take()
            if not out and not happened:
                return
            for message in out:
                self._send(sender, message)
            for event in happened:
                sender.events.append(event)
                if isinstance(event, events.CallOffered):
                    sender.offers.append(sender.ua.offer(event.call))
                    if sender.answer is not None:
                        sender.answer(sender.offers[-1])

    def inject(self, message: Request | Response | bytes, source: Hop, to: Peer) -> None:
        """Something that a stranger sends."""
        data = message if isinstance(message, bytes) else message.encode()
        heapq.heappush(self._flying, (self.now + LATENCY, next(self._count), data, source, to.hop))

    def run(self, seconds: float = 1.0) -> None:
        """Let time pass, at the speed of thought."""
        end = self.now + seconds
        while True:
            due = [d for p in self._peers.values() if (d := p.ua.timers.deadline) is not None]
            if self._flying:
                due.append(self._flying[0][0])
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
            while self._flying and self._flying[0][0] <= self.now:
                _, _, data, source, hop = heapq.heappop(self._flying)
                receiver = self._peers.get(hop.host)
                if receiver is not None:
                    receiver.ua.receive(data, source, self.now)
                    self.collect(receiver)
            for each in self._peers.values():
                each.ua.timers.advance(self.now)
                self.collect(each)
        self.now = end
        for each in self._peers.values():
            each.ua.timers.advance(end)

    def sent(self, what: str | int, by: Peer | None = None) -> list[Request | Response]:
        """Messages with that method or status that were sent, lost ones included."""
        return [
            m
            for _, sender, _, m in self.wire
            if (m.method if isinstance(m, Request) else m.status) == what
            and (by is None or by.hop.host == sender)
        ]

    def times(self, what: str | int, by: Peer | None = None) -> list[float]:
        """When these were sent, from the first one on."""
        found = [
            at
            for at, sender, _, m in self.wire
            if (m.method if isinstance(m, Request) else m.status) == what
            and (by is None or by.hop.host == sender)
        ]
        return [round(at - found[0], 3) for at in found]

    def _send(self, sender: Peer, message: Outgoing) -> None:
        try:
            parsed = parse(message.data)
        except SipParseError:
            return  # the answer to something malformed repeats what was wrong with it
        number = len(self.wire)
        self.wire.append((self.now, sender.hop.host, message.hop.host, parsed))
        if self.capture(sender, message) or self.lose(parsed, number):
            return
        source = Hop(message.hop.transport, sender.hop.host, 5060, 1 if message.hop.transport.reliable else 0)
        heapq.heappush(
            self._flying, (self.now + LATENCY, next(self._count), message.data, source, message.hop)
        )


def answering(peer: Peer, *, ring: bool = True) -> Callable[[Called], None]:
    """A far side that answers every call at once."""

    def answer(session: Called) -> None:
        session.place(peer.media)
        if ring:
            session.ring()
        session.accept()

    return answer


def losing(what: str | int, *numbers: int) -> Callable[[Request | Response, int], bool]:
    """Lose the n-th messages (from 1) of a method or status."""
    seen = itertools.count(1)

    def lose(message: Request | Response, number: int) -> bool:
        name: str | int = message.method if isinstance(message, Request) else message.status
        return name == what and next(seen) in numbers

    return lose


def losing_numbers(numbers: Iterable[int]) -> Callable[[Request | Response, int], bool]:
    """Lose the n-th messages of all (from 0)."""
    lost = frozenset(numbers)
    return lambda message, number: number in lost


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for something that sockets bring about and no event tells."""
    while not condition():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.001)
