"""Who hears whom across workers: tables in, the joins and each worker's own table out. Pure.

A *join* carries one leg's voice to another worker: a pair of ordinary legs facing each other over
loopback RTP. The first hears exactly that source on the source's worker; the second is what
listeners on the other worker hear in the source's place. A join is made when a table or a
recording first needs it, serves all listeners of its worker, and ends when nobody needs it.
Nobody hears a first leg, and no voice goes the other way.

A recording is made on the agent's worker. A party that lives elsewhere is stood in for by the
second leg of its join, which is kept for as long as the recording runs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import count

from sottovoce.domain.legs import LegId, Recording, RecordingId, RecordingResult, Routing
from sottovoce.errors import Code, Refused
from sottovoce.media.rows import MOST_SOURCES

PREFIX = "join-"
MOST_EARLY = 1024
"""Gates kept for recordings that have not started yet."""


class JoinState(Enum):
    """How far a join is."""

    WANTED = auto()
    OPEN = auto()
    ENDED = auto()
    """Nobody needs it any more; its legs are to be closed."""


@dataclass(slots=True, eq=False)
class Join:
    """One leg's voice on its way from worker `home` to worker `to`, and who needs it there."""

    number: int
    source: LegId
    home: int
    to: int
    state: JoinState = JoinState.WANTED
    listeners: set[LegId] = field(default_factory=set)
    recordings: set[RecordingId] = field(default_factory=set)

    @property
    def first(self) -> LegId:
        """The leg on the source's worker, which hears the source."""
        return LegId(f"{PREFIX}{self.number}-a")

    @property
    def second(self) -> LegId:
        """The leg on the listeners' worker, which is heard in the source's place."""
        return LegId(f"{PREFIX}{self.number}-b")


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change concerns: whose rows, which legs may be inspectors, which joins, which recording."""

    listeners: frozenset[LegId] = frozenset()
    inspectors: frozenset[LegId] = frozenset()
    joins: frozenset[Join] = frozenset()
    recording: RecordingId | None = None


@dataclass(slots=True)
class _Running:
    """A recording: where, as its worker knows it, and for whom its legs stand there."""

    worker: int
    asked: Recording
    known: Recording
    stands_for: dict[LegId, LegId] = field(default_factory=dict)


class JoinPlan:
    """Where the legs live, what the tables say, and the joins that follow."""

    def __init__(self) -> None:
        self._place: dict[LegId, int] = {}
        self._rows: dict[LegId, frozenset[LegId]] = {}
        self._inspectors: set[LegId] = set()
        self._joins: dict[tuple[LegId, int], Join] = {}
        self._of_source: dict[LegId, set[Join]] = {}
        self._of_leg: dict[LegId, Join] = {}
        self._ended: list[Join] = []
        self._gates: OrderedDict[RecordingId, frozenset[LegId]] = OrderedDict()
        self._recordings: dict[RecordingId, _Running] = {}
        self._numbers = count(1)

    @property
    def joins(self) -> list[Join]:
        """All that are needed."""
        return list(self._joins.values())

    # Legs

    def opened(self, leg: LegId, worker: int) -> None:
        """A leg lives on a worker now; nobody hears it and it hears nobody."""
        self._place[leg] = worker

    def closed(self, leg: LegId) -> None:
        """A leg is gone, out of all rows; joins of its voice end, and those that only it needed."""
        if self._place.pop(leg, None) is None:
            return
        self._set_rows({leg: frozenset()})
        self._rows.pop(leg, None)
        self._inspectors.discard(leg)
        for listener in [name for name, row in self._rows.items() if leg in row]:
            self._rows[listener] -= {leg}
        for join in list(self._of_source.get(leg, ())):
            self._end(join)

    # Tables

    def apply(self, routing: Routing) -> Touched:
        """Take over a table as a worker would; legs that are not open are passed over.

        BAD_PARAMETER, and nothing done, for a row of more than 32 open legs."""
        rows = {
            listener: frozenset(source for source in heard if source in self._place)
            for listener, heard in routing.hears.items()
            if listener in self._place
        }
        if any(len(row) > MOST_SOURCES for row in rows.values()):
            raise Refused(Code.BAD_PARAMETER, f"a leg hears {MOST_SOURCES} others at most")
        inspectors = frozenset(leg for leg in routing.inspectors if leg in self._place)
        named = rows.keys() | inspectors
        joins = self._heard_through(named)
        self._inspectors -= rows.keys()
        self._inspectors |= inspectors
        if routing.recording is not None:
            self._allow(routing.recording, routing.recorded)
        self._set_rows(rows)
        joins |= self._heard_through(named)
        joins |= {join for leg in named for join in self._of_source.get(leg, ())}
        if (running := self._running(routing.recording)) is not None:
            joins |= {join for join in map(self._of_leg.get, running.stands_for) if join is not None}
        return Touched(frozenset(rows), inspectors, frozenset(joins), routing.recording)

    def _heard_through(self, listeners: Iterable[LegId]) -> set[Join]:
        found: set[Join] = set()
        for listener in listeners:
            worker = self._place[listener]
            for source in self._rows.get(listener, ()):
                if self._place[source] != worker:
                    found.add(self._joins[source, worker])
        return found

    def _set_rows(self, rows: dict[LegId, frozenset[LegId]]) -> None:
        before = [(listener, self._joins_heard(listener)) for listener in rows]
        for listener, row in rows.items():
            self._rows[listener] = row
            if (worker := self._place.get(listener)) is not None:
                for source in row:
                    if self._place[source] != worker:
                        self._need(source, worker).listeners.add(listener)
        for listener, joins in before:
            for join in joins:
                if join.source not in rows[listener]:
                    join.listeners.discard(listener)
                    self._end_if_unneeded(join)

    def _joins_heard(self, listener: LegId) -> list[Join]:
        """By what was written down, since a closed listener has no place any more."""
        return [
            join
            for source in self._rows.get(listener, ())
            for join in self._of_source.get(source, ())
            if listener in join.listeners
        ]

    # Joins

    def _need(self, source: LegId, to: int) -> Join:
        join = self._joins.get((source, to))
        if join is None:
            join = self._joins[source, to] = Join(next(self._numbers), source, self._place[source], to)
            self._of_source.setdefault(source, set()).add(join)
            self._of_leg[join.second] = join
        return join

    def _end_if_unneeded(self, join: Join) -> None:
        if not join.listeners and not join.recordings:
            self._end(join)

    def _end(self, join: Join) -> None:
        if join.state is JoinState.ENDED:
            return
        if join.state is JoinState.OPEN:
            self._ended.append(join)
        join.state = JoinState.ENDED
        del self._joins[join.source, join.to], self._of_leg[join.second]
        self._of_source[join.source].discard(join)
        if not self._of_source[join.source]:
            del self._of_source[join.source]

    def missing(self, touched: Touched) -> list[Join]:
        """Joins concerned that do not stand yet."""
        return [join for join in touched.joins if join.state is JoinState.WANTED]

    def ended(self) -> list[Join]:
        """Joins that stood and are needed no more, each told once: their legs are to be closed."""
        ended, self._ended = self._ended, []
        return ended

    def stands(self, join: Join) -> list[Touched]:
        """A join's legs are open; what that concerns. Nothing when it ended meanwhile: close them."""
        if join.state is JoinState.ENDED:
            return []
        join.state = JoinState.OPEN
        rows = Touched(frozenset(join.listeners), joins=frozenset({join}))
        return [rows, *(Touched(recording=recording) for recording in sorted(join.recordings))]

    def failed(self, join: Join) -> None:
        """A join could not be opened: silence until a table or a recording asks for it again."""
        if join.state is not JoinState.ENDED:
            join.state = JoinState.WANTED

    def is_join(self, leg: LegId) -> bool:
        """Whether a leg is, or lately was, one of a join."""
        return leg.startswith(PREFIX) and leg not in self._place

    def source_of(self, leg: LegId) -> LegId | None:
        """The real leg behind one that an event names; None when it was a join's that has ended."""
        if not self.is_join(leg):
            return leg
        join = self._of_leg.get(leg)
        return join.source if join is not None else None

    # What each worker is told

    def workers(self, touched: Touched) -> list[int]:
        """The workers that have something to be told."""
        legs = touched.listeners | touched.inspectors
        numbers = {self._place[leg] for leg in legs if leg in self._place}
        for join in touched.joins:
            if join.state is JoinState.OPEN:
                numbers |= {join.home, join.to}
        if (running := self._running(touched.recording)) is not None:
            numbers.add(running.worker)
        return sorted(numbers)

    def table(self, worker: int, touched: Touched) -> Routing:
        """What a worker is told now, through the joins that stand."""
        hears = {
            listener: self._on(worker, self._rows.get(listener, frozenset()))
            for listener in touched.listeners
            if self._place.get(listener) == worker
        }
        named = hears.keys() | touched.inspectors
        inspectors = {leg for leg in named if leg in self._inspectors and self._place.get(leg) == worker}
        for join in touched.joins:
            if join.state is not JoinState.OPEN:
                continue
            ends = []
            if join.home == worker:
                hears[join.first] = frozenset({join.source})
                ends.append(join.first)
            if join.to == worker:
                hears[join.second] = self._heard_by_stand_in(join)
                ends.append(join.second)
            if self._serves_inspection(join):
                inspectors.update(ends)
        recording = touched.recording
        if recording is None:
            return Routing(hears, frozenset(inspectors))
        running = self._running(recording)
        recorded = self._gates.get(recording, frozenset())
        if running is None:
            return Routing(hears, frozenset(inspectors), recording, recorded)
        if running.worker != worker:
            return Routing(hears, frozenset(inspectors))
        gone = set(running.stands_for.values()) - self._place.keys()
        return Routing(hears, frozenset(inspectors), recording, self._on(worker, recorded - gone))

    def _on(self, worker: int, legs: Iterable[LegId]) -> frozenset[LegId]:
        """Legs as a worker knows them: its own, and the joins that stand for others."""
        found = set()
        for leg in legs:
            if self._place.get(leg, worker) == worker:
                found.add(leg)
            elif (join := self._joins.get((leg, worker))) is not None and join.state is JoinState.OPEN:
                found.add(join.second)
        return frozenset(found)

    def _heard_by_stand_in(self, join: Join) -> frozenset[LegId]:
        """A recorded customer's stand-in hears the agent while the customer does: so a recording begins.

        It sends nothing."""
        heard = self._rows.get(join.source, frozenset())
        agents = {
            running.asked.agent
            for recording in join.recordings
            if (running := self._recordings[recording]).known.customer == join.second
        }
        return self._on(join.to, heard & agents)

    def _serves_inspection(self, join: Join) -> bool:
        """Whether it carries an inspector's voice, or a voice to inspectors alone."""
        if join.source in self._inspectors:
            return True
        return not join.recordings and bool(join.listeners) and join.listeners <= self._inspectors

    # Recordings

    def start(self, recording: Recording) -> tuple[int, Recording, Touched]:
        """On which worker to record, what to tell it, and what that concerns.

        NOT_FOUND when neither party has a leg, BAD_PARAMETER when the id is taken."""
        name = recording.recording
        worker = self._place.get(recording.agent, self._place.get(recording.customer))
        if worker is None:
            raise Refused(Code.NOT_FOUND, "neither customer nor agent has a leg")
        if name in self._recordings:
            raise Refused(Code.BAD_PARAMETER, f"recording {name} is running")
        running = self._recordings[name] = _Running(worker, recording, recording)
        if recording.customer in self._place:
            customer = self._stand_in(running, recording.customer)
            running.known = replace(recording, customer=customer)
        self._allow(name, self._gates.get(name, frozenset()))
        joins = {join for join in self._joins.values() if name in join.recordings}
        return worker, running.known, Touched(joins=frozenset(joins), recording=name if joins else None)

    def _running(self, recording: RecordingId | None) -> _Running | None:
        return self._recordings.get(recording) if recording is not None else None

    def _stand_in(self, running: _Running, leg: LegId) -> LegId:
        if self._place[leg] == running.worker:
            return leg
        join = self._need(leg, running.worker)
        join.recordings.add(running.asked.recording)
        running.stands_for[join.second] = leg
        return join.second

    def _allow(self, recording: RecordingId, recorded: frozenset[LegId]) -> None:
        self._gates[recording] = recorded
        if (running := self._recordings.get(recording)) is not None:
            for leg in recorded & self._place.keys():
                self._stand_in(running, leg)
        self._gates.move_to_end(recording)
        while len(self._gates) > MOST_EARLY + len(self._recordings):
            early = next(name for name in self._gates if name not in self._recordings)
            del self._gates[early]

    def stopped(self, recording: RecordingId) -> dict[LegId, LegId]:
        """A recording is over. Whom the legs in its result stand for."""
        self._gates.pop(recording, None)
        running = self._recordings.pop(recording, None)
        if running is None:
            return {}
        for join in map(self._of_leg.get, running.stands_for):
            if join is not None:
                join.recordings.discard(recording)
                self._end_if_unneeded(join)
        return running.stands_for


def with_real_legs(result: RecordingResult, stands_for: dict[LegId, LegId]) -> RecordingResult:
    """A worker's result with the real legs in it; the files keep the names that the worker gave them."""
    return replace(result, tracks={stands_for.get(leg, leg): path for leg, path in result.tracks.items()})
