"""Who hears whom at this moment, found in what the demo's phones heard (never asked of the server).

For every listener the talkers that could be meant (its own customer or agent, and the inspector) are
compared with what they said in the same second. A voice that pauses proves nothing, so a verdict
stands until the talker's next words, at most `STANDS_S`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sottovoce.demo.people import DemoAgent
from sottovoce.domain.audio import RATE
from sottovoce.phones import meters
from sottovoce.phones.phone import Phone, PhoneCall
from sottovoce.phones.tones import SILENCE_DBOV, WINDOW, Samples

STANDS_S = 4.0
"""How long a verdict outlives the words it was found in; longer than any pause in the recordings."""
_ROOM = 2 * RATE // 5
"""Longest delay looked for: 0.4 s."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One talker at one listener. `level_dbov` is -127 when not heard, None when not known yet."""

    listener: str
    talker: str
    level_dbov: float | None
    speaking: bool
    """Whether the talker says something at this moment."""

    @property
    def heard(self) -> bool:
        """Whether the listener hears the talker; False while that is not known."""
        return self.level_dbov is not None and self.level_dbov > SILENCE_DBOV


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be compared: taken in the event loop, worked out in a thread."""

    listener: str
    heard: Samples
    said: Mapping[str, Samples]


def pairs(
    agents: Iterable[DemoAgent], customers: Mapping[str, Phone], inspector: Phone | None
) -> list[tuple[str, PhoneCall, dict[str, PhoneCall]]]:
    """Each listener that is in a call, with the talkers that it could hear."""
    standing = inspector.talking if inspector is not None else None
    found: list[tuple[str, PhoneCall, dict[str, PhoneCall]]] = []
    at_inspector: dict[str, PhoneCall] = {}
    for agent in agents:
        name = agent.person.name
        call = agent.phone.talking
        caller = customers.get(agent.customer)
        other = caller.talking if caller is not None else None
        if call is None:
            continue
        talkers: dict[str, PhoneCall] = {}
        if other is not None and caller is not None:
            talkers[caller.name] = other
        if standing is not None and inspector is not None:
            talkers[inspector.name] = standing
        found.append((name, call, talkers))
        if agent.supervised:
            at_inspector[name] = call
            if other is not None and caller is not None:
                at_inspector[caller.name] = other
        if other is not None and caller is not None:
            heard_by_customer = {name: call}
            if standing is not None and inspector is not None:
                heard_by_customer[inspector.name] = standing
            found.append((caller.name, other, heard_by_customer))
    if standing is not None and inspector is not None and at_inspector:
        found.append((inspector.name, standing, at_inspector))
    return found


def look(listener: str, call: PhoneCall, talkers: Mapping[str, PhoneCall]) -> Look:
    """Copies of what was heard and said in the last second."""
    said = {name: other.media.said(WINDOW + _ROOM) for name, other in talkers.items()}
    return Look(listener, call.media.ear.last(), said)


class LiveMeters:
    """Verdicts with their memory. `work` may run in a thread; one at a time."""

    def __init__(self) -> None:
        self._stood: dict[tuple[str, str], tuple[float, float]] = {}
        """Listener and talker: level, and when it was found (s)."""

    def forget(self) -> None:
        """Begin anew: nothing is known."""
        self._stood.clear()

    def work(self, looks: Iterable[Look], now: float) -> list[Heard]:
        """A verdict for every listener and talker of `looks`."""
        found = []
        present: set[tuple[str, str]] = set()
        for one in looks:
            for talker, share in meters.shares(one.heard, one.said).items():
                key = one.listener, talker
                present.add(key)
                if share.talking:
                    self._stood[key] = share.heard_dbov, now
                level, at = self._stood.get(key, (None, now))
                if now - at > STANDS_S:
                    level = None
                found.append(Heard(one.listener, talker, level, share.talking))
        self._stood = {key: stood for key, stood in self._stood.items() if key in present}
        return found
