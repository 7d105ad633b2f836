"""Walks the steps and measures on the way: cells, leakage, delays, losses, level, echo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import httpx

from sottovoce.client.ccgateway import LISTEN, WHISPER, Failed
from sottovoce.domain.audio import FRAME, RATE
from sottovoce.phones import meters, tones
from sottovoce.phones.media import PhoneMedia, Second
from sottovoce.phones.phone import NotRegistered
from sottovoce.phones.sources import Babble, Tone
from sottovoce.selftest.findings import (
    Cell,
    Delays,
    EchoFigures,
    Findings,
    Hears,
    Leak,
    Party,
    PathFigures,
    StepFound,
)
from sottovoce.selftest.parties import SETTLE_S, TONE, Echo, Parties
from sottovoce.selftest.steps import WALK, Step

C, A, I = Party.CUSTOMER, Party.AGENT, Party.INSPECTOR  # noqa: E741 - as in the steps
DELAY_ROUNDS = 8
_GIVE_UP_S = 2.0
_LOOK_S = 0.02
_WARNING_S = 10.0
_SOFT_DBOV = tones.SENT_DBOV - 9.0
"""The agent's voice beside the echo: a steady tone as loud as usual has no pauses in which one is noticed."""
PROBLEMS = (Failed, NotRegistered, TimeoutError, OSError, httpx.HTTPError)
"""What a server under test may do to the walk; each is told, none is raised."""

Watch = Callable[[StepFound], None]
"""Told of every step as soon as it is judged."""


class Walk:
    """One walk through the steps."""

    def __init__(
        self, parties: Parties, findings: Findings, watch: Watch, steps: Sequence[Step] = WALK
    ) -> None:
        self._steps = steps
        self._parties = parties
        self._found = findings
        self._watch = watch
        self._plain_dbov: float | None = None
        self._supervised_dbov: list[float] = []
        self._watched = self._gaps = 0
        self._road: dict[int, tuple[Party, PhoneMedia]] = {}
        """Each call's media at the customer and at the agent, counted at the end."""

    async def go(self) -> None:
        """Take every step; a step that cannot be taken ends the walk."""
        alone = self._parties.stage.colleague is None
        self._found.left_out = tuple(step.name for step in self._steps if step.colleague and alone)
        for step in self._steps:
            if step.colleague and alone:
                continue
            found = await self._take(step)
            self._found.steps.append(found)
            self._watch(found)
            if found.failure is not None:
                self._found.failure = f"{step.name}: {found.failure}"
                break
            if step.whisper and self._found.delays is None:
                self._found.delays = await self._delays()
            elif step.whisper and self._found.echo is None:
                self._found.echo = await self._echo()
        self._count_path()

    async def _take(self, step: Step) -> StepFound:
        parties = self._parties
        try:
            before = await parties.hear_at(C) if step.whisper else None
            await step.do(parties)
            heard = await parties.hear(steady=[party for party, row in step.hears.items() if row])
        except PROBLEMS as failure:
            return StepFound(step.name, step.request, failure=str(failure) or repr(failure))
        if before is not None:
            self._found.leaks.append(self._leak(before, heard[C]))
        self._note_path(step, heard)
        return StepFound(step.name, step.request, cells_of(parties, step.hears, heard))

    def _leak(self, before: Second, during: Second) -> Leak:
        hz = TONE[I]
        first, second = before.hearing.levels[hz], during.hearing.levels[hz]
        return Leak(first, second, tones.rise(first, second))

    def _note_path(self, step: Step, heard: dict[Party, Second]) -> None:
        """Level and gaps of the agent's tone at the customer, where the customer should hear it."""
        for party in (C, A):
            standing = self._parties.phones[party].talking
            if standing is not None:
                self._road[id(standing.media)] = (party, standing.media)
        customer = heard[C]
        call = self._parties.phones[C].talking
        if A not in step.hears[C] or call is None:
            return
        frames = call.media.ear.last().reshape(-1, FRAME)
        heard_dbov = tones.block_levels(frames, [TONE[A], TONE[I]])[:, 0]
        self._watched += len(frames)
        self._gaps += int((heard_dbov < tones.HEARD_FROM_DBOV).sum())
        if not customer.steady:
            return
        level = customer.hearing.levels[TONE[A]]
        if self._plain_dbov is None:
            self._plain_dbov = level
        elif step.hears[I]:
            self._supervised_dbov.append(level)

    def _count_path(self) -> None:
        changes = [
            abs(level - self._plain_dbov) for level in self._supervised_dbov if self._plain_dbov is not None
        ]
        figures = {
            party: [media.ear.figures for whose, media in self._road.values() if whose is party]
            for party in (C, A)
        }
        self._found.path = PathFigures(
            to_customer_lost=sum(one.lost for one in figures[C]),
            to_agent_lost=sum(one.lost for one in figures[A]),
            to_customer_received=sum(one.received for one in figures[C]),
            to_agent_received=sum(one.received for one in figures[A]),
            watched=self._watched,
            gaps=self._gaps,
            level_change_db=max(changes, default=0.0),
        )

    # -- from the request to the ear

    async def _delays(self) -> Delays:
        """Switch the whisper off and on; the agent's phone says when the first changed packet came."""
        parties = self._parties
        call = parties.phones[A].talking
        if call is None:
            return Delays((), (), 1)
        on: list[float] = []
        off: list[float] = []
        missed = 0
        for number in range(2 * DELAY_ROUNDS):
            mode, times = (LISTEN, off) if number % 2 == 0 else (WHISPER, on)
            answer = await parties.inspector.switch(parties.target, mode)
            changed = await _changed(call.media, on=mode == WHISPER, since=answer.sent_at)
            if changed is None:
                missed += 1
            else:
                times.append((changed - answer.sent_at) * 1000.0)
            await asyncio.sleep(0.1 + 0.0137 * number)
        return Delays(tuple(on), tuple(off), missed)

    async def _echo(self) -> EchoFigures:
        """The whisper at the customer, first with a headset, then with a loudspeaker at the agent's desk.

        For the second the inspector babbles and the agent is soft: the server looks for the likeness of
        voices.
        """
        parties = self._parties
        headset = (await parties.hear_at(C)).hearing.levels[TONE[I]]
        agent, inspector = parties.phones[A], parties.phones[I]
        desk = agent.talking
        parties.inspector.forget_events()
        inspector.say(lambda: Babble(1))
        voice = Tone(TONE[A], level_dbov=_SOFT_DBOV)
        agent.say(lambda: Echo(voice, lambda: desk.media.ear if desk is not None else None))
        try:
            await parties.inspector.next_event("AgentOther_Note", timeout=_WARNING_S)
            warned = True
        except TimeoutError:
            warned = False
        await asyncio.sleep(tones.WINDOW / RATE)  # the second that is measured is all echo
        loudspeaker = self._babble_at_customer()
        inspector.say(lambda: Tone(TONE[I]))
        agent.say(lambda: Tone(TONE[A]))
        await asyncio.sleep(SETTLE_S)
        return EchoFigures(headset, loudspeaker, warned)

    def _babble_at_customer(self) -> float:
        """The level at which the inspector's babble arrives at the customer, in dBov."""
        whispering, listening = self._parties.phones[I].talking, self._parties.phones[C].talking
        if whispering is None or listening is None:
            return tones.SILENCE_DBOV
        said = whispering.media.said(tones.WINDOW + tones.WINDOW // 2)
        share = meters.shares(listening.media.ear.last(), {I: said})[I]
        return tones.level_of(tones.amplitude(share.said_dbov) * abs(share.gain))


async def _changed(media: PhoneMedia, *, on: bool, since: float) -> float | None:
    """When the inspector's tone set in or ended at that phone, None if it did not."""
    among = (TONE[C], TONE[A], TONE[I])
    for _ in range(round(_GIVE_UP_S / _LOOK_S)):
        found = media.ear.changed_at(TONE[I], on=on, since=since, among=among)
        if found is not None:
            return found
        await asyncio.sleep(_LOOK_S)
    return None


def cells_of(parties: Parties, expected: Hears, heard: dict[Party, Second]) -> tuple[Cell, ...]:
    """Every listener and talker, whatever was expected: what nobody asked about cannot be missed."""
    cells = []
    for listener in heard:
        hearing = heard[listener].hearing
        for talker in heard:
            if talker is listener:
                continue
            hz = parties.tone_of(talker)
            wanted = talker in expected[listener]
            cells.append(Cell(listener, talker, wanted, hearing.levels[hz], hearing.verdict(hz)))
    return tuple(cells)
