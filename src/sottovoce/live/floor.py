"""The floor of one VDN: the single writer of its live state.

`handle(given, now)` makes one transition and says what is to be done; it either happens whole or raises
`Refused` and nothing happened. `intent` says what must be committed before a command may be handled.
It performs nothing itself: the driver does. The transitions stand in the subject modules (`inputs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sottovoce.clock import Moment
from sottovoce.domain.directory import VdnProfile
from sottovoce.domain.journal import Change, SessionSaved, WaitEnded
from sottovoce.domain.lines import LineEvent
from sottovoce.live import (
    availability,
    call_data,
    calling,
    chatting,
    conferring,
    consulting,
    handling,
    hearing,
    inputs,
    legs,
    linkage,
    notes,
    passwords,
    playing,
    presence,
    queueing,
    recording,
    requesting,
    supervising,
    transferring,
    unreached,
    waiting,
    watching,
)
from sottovoce.live.effects import Effect, Timer
from sottovoce.live.inputs import Command
from sottovoce.live.state import FloorState, LiveSettings
from sottovoce.media.engine import EngineEvent

SUBJECTS = (
    availability,
    call_data,
    calling,
    chatting,
    conferring,
    consulting,
    handling,
    hearing,
    legs,
    linkage,
    notes,
    playing,
    passwords,
    presence,
    recording,
    requesting,
    supervising,
    transferring,
    unreached,
    waiting,
    watching,
)
"""The modules whose transitions a floor makes."""

Input = (
    Command
    | LineEvent
    | EngineEvent
    | Timer
    | hearing.RecordingClosed
    | hearing.RecordingRefused
    | playing.PlaybackBegan
    | presence.ProfileRead
    | presence.SignOfLife
    | presence.PushChanged
    | presence.KeepingChanged
    | presence.CloseFloor
)


class Floor:
    """One VDN alive."""

    def __init__(self, profile: VdnProfile, settings: LiveSettings, numbers: Iterator[int]) -> None:
        self.state = FloorState(profile, settings, numbers)

    def handle(self, given: Input, now: Moment) -> list[Effect]:
        """One transition; what is to be done, in order."""
        floor = self.state
        floor.moment = now
        assert not floor.effects
        try:
            inputs.take(floor, given)
            if floor.lapsing:
                presence.see_off(floor)
            return floor.effects
        finally:
            floor.effects = []

    def restore(
        self, sessions: Sequence[SessionSaved], now: Moment, waits: Sequence[WaitEnded] = ()
    ) -> list[Effect]:
        """Seat those whom a crash left signed in, and count who waited in the last day."""
        floor = self.state
        floor.moment = now
        for wait in waits:
            queueing.count(floor, wait)
        for session in sessions:
            presence.restore(floor, session)
        calling.assign(floor)
        done, floor.effects = floor.effects, []
        return done

    def intent(self, asked: Command, now: Moment) -> tuple[Change, ...]:
        """What must be committed before `asked` is handled; empty for what never waits.

        Raises `Refused` as `handle` would, without changing anything.
        """
        self.state.moment = now
        return inputs.first(self.state, asked)
