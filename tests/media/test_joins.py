"""The plan of joins, carried out on workers that are two dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.legs import LegId, Recording, RecordingId, RecordingResult, Routing
from sottovoce.errors import Code, Refused
from sottovoce.media.joins import Join, JoinPlan, JoinState, Touched, with_real_legs
from sottovoce.media.rows import MOST_SOURCES

R = RecordingId("r")
LEGS = [LegId(name) for name in "abcdef"]
WORKERS = 3


class Mixer:
    """A worker's table, by the mixer's rules."""

    def __init__(self) -> None:
        self.rows: dict[LegId, frozenset[LegId]] = {}
        self.inspectors: set[LegId] = set()
        self.recorded: dict[RecordingId, frozenset[LegId]] = {}

    def open(self, leg: LegId) -> None:
        assert leg not in self.rows
        self.rows[leg] = frozenset()

    def close(self, leg: LegId) -> None:
        self.rows.pop(leg, None)
        self.inspectors.discard(leg)
        for listener in self.rows:
            self.rows[listener] -= {leg}

    def apply(self, routing: Routing) -> None:
        for listener, heard in routing.hears.items():
            if listener in self.rows:
                self.rows[listener] = heard & self.rows.keys()
                self.inspectors.discard(listener)
        self.inspectors |= routing.inspectors & self.rows.keys()
        if routing.recording is not None:
            self.recorded[routing.recording] = routing.recorded


class Rig:
    """Workers under a plan, beside one mixer that has all legs: the workers must do what it does."""

    def __init__(self, placed: Mapping[str, int] | None = None) -> None:
        self.plan = JoinPlan()
        self.one = Mixer()
        self.workers = [Mixer() for _ in range(WORKERS)]
        self.place: dict[LegId, int] = {}
        self.links: dict[LegId, Join] = {}
        for leg, worker in (placed or {}).items():
            self.open(LegId(leg), worker)

    def open(self, leg: LegId, worker: int) -> None:
        if leg not in self.place:
            self.place[leg] = worker
            self.one.open(leg)
            self.workers[worker].open(leg)
            self.plan.opened(leg, worker)

    def close(self, leg: LegId) -> None:
        if leg in self.place:
            self.one.close(leg)
            self.workers[self.place.pop(leg)].close(leg)
            self.plan.closed(leg)
            self.sweep()

    def lose(self, worker: int) -> None:
        self.workers[worker] = Mixer()
        for leg in [leg for leg, place in self.place.items() if place == worker]:
            self.close(leg)

    def apply(self, routing: Routing, *, joins_open: bool = True) -> None:
        self.one.apply(routing)
        touched = self.plan.apply(routing)
        self.tell(touched)
        self.sweep()
        self.join(touched, joins_open=joins_open)

    def record(self, recording: Recording) -> tuple[int, Recording]:
        worker, known, touched = self.plan.start(recording)
        self.join(touched)
        self.tell(touched)
        return worker, known

    def join(self, touched: Touched, *, joins_open: bool = True) -> None:
        for join in self.plan.missing(touched):
            if not joins_open:
                self.plan.failed(join)
                continue
            self.workers[join.home].open(join.first)
            self.workers[join.to].open(join.second)
            self.links[join.second] = join
            for change in self.plan.stands(join):
                self.tell(change)

    def tell(self, touched: Touched) -> None:
        for number in self.plan.workers(touched):
            self.workers[number].apply(self.plan.table(number, touched))

    def sweep(self) -> None:
        for join in self.plan.ended():
            self.workers[join.home].close(join.first)
            self.workers[join.to].close(join.second)

    def heard(self, leg: LegId) -> frozenset[LegId]:
        """Whom a leg hears through everything."""
        found: set[LegId] = set()
        for source in self.workers[self.place[leg]].rows[leg]:
            link = self.links.get(source)
            if link is None:
                found.add(source)
            else:
                found |= self.workers[link.home].rows.get(link.first, frozenset())
        return frozenset(found)

    def check(self, *, exactly: bool) -> None:
        for leg, worker in self.place.items():
            assert self.heard(leg) <= self.one.rows[leg]
            if exactly:
                assert self.heard(leg) == self.one.rows[leg]
            assert (leg in self.workers[worker].inspectors) == (leg in self.one.inspectors)
        standing = [join for join in self.plan.joins if join.state is JoinState.OPEN]
        for number, mixer in enumerate(self.workers):
            ours = {leg for leg, place in self.place.items() if place == number}
            ours |= {join.first for join in standing if join.home == number}
            ours |= {join.second for join in standing if join.to == number}
            assert mixer.rows.keys() == ours
        for join in standing:
            assert self.workers[join.home].rows[join.first] == {join.source}
            assert not any(join.first in row for worker in self.workers for row in worker.rows.values())
            if join.source in self.one.inspectors:
                assert join.first in self.workers[join.home].inspectors
                assert join.second in self.workers[join.to].inspectors


legs = st.sampled_from(LEGS)
tables = st.builds(
    Routing,
    st.dictionaries(legs, st.frozensets(legs)),
    st.frozensets(legs, max_size=2),
)
changes = st.one_of(
    st.tuples(st.just("open"), legs, st.integers(0, WORKERS - 1)),
    st.tuples(st.just("close"), legs),
    st.tuples(st.just("lose"), st.integers(0, WORKERS - 1)),
    st.tuples(st.just("apply"), tables),
    st.tuples(st.just("apply"), tables),
    st.tuples(st.just("apply without"), tables),
)


@given(st.lists(st.integers(0, WORKERS - 1), min_size=6, max_size=6), st.lists(changes, max_size=12), tables)
def test_everyone_hears_exactly_what_the_table_says(
    places: list[int], history: list[tuple[object, ...]], last: Routing
) -> None:
    rig = Rig(dict(zip(LEGS, places, strict=True)))
    for change in history:
        match change:
            case "open", str(leg), int(worker):
                rig.open(LegId(leg), worker)
            case "close", str(leg):
                rig.close(LegId(leg))
            case "lose", int(worker):
                rig.lose(worker)
            case "apply", Routing() as routing:
                rig.apply(routing)
            case "apply without", Routing() as routing:
                rig.apply(routing, joins_open=False)
        rig.check(exactly=False)
    # A table that speaks about everybody: what could not be opened before is tried again.
    rig.apply(Routing({leg: last.hears.get(leg, frozenset()) for leg in LEGS}, last.inspectors))
    rig.check(exactly=True)
    for leg in LEGS:
        rig.close(leg)
    assert rig.plan.joins == []
    assert all(worker.rows == {} for worker in rig.workers)


def row(*names: str) -> frozenset[LegId]:
    return frozenset(map(LegId, names))


def routing(
    rows: Mapping[str, Iterable[str]], inspectors: Iterable[str] = (), recorded: Iterable[str] = ()
) -> Routing:
    recorded = row(*recorded)
    return Routing(
        {LegId(listener): row(*heard) for listener, heard in rows.items()},
        row(*inspectors),
        R if recorded else None,
        recorded,
    )


def test_one_worker_needs_no_joins() -> None:
    rig = Rig({"customer": 0, "agent": 0})
    touched = rig.plan.apply(routing({"customer": ["agent"], "agent": ["customer"]}))
    assert rig.plan.missing(touched) == rig.plan.joins == []
    assert rig.plan.workers(touched) == [0]


def test_a_join_serves_all_listeners_of_its_worker_and_ends_with_the_last() -> None:
    rig = Rig({"customer": 0, "one": 1, "two": 1})
    rig.apply(routing({"one": ["customer"], "two": ["customer"]}))
    (join,) = rig.plan.joins
    rig.apply(routing({"one": []}))
    assert rig.plan.joins == [join]
    rig.apply(routing({"two": []}))
    assert rig.plan.joins == []
    assert rig.workers[0].rows.keys() == row("customer")


def test_a_join_handed_from_one_listener_to_the_next_goes_on() -> None:
    rig = Rig({"customer": 0, "one": 1, "two": 1})
    rig.apply(routing({"one": ["customer"]}))
    (join,) = rig.plan.joins
    rig.apply(routing({"one": [], "two": ["customer"]}))
    assert rig.plan.joins == [join]
    rig.check(exactly=True)


def test_a_join_that_is_needed_no_more_when_it_opens_is_closed() -> None:
    rig = Rig({"customer": 0, "agent": 1})
    (join,) = rig.plan.missing(rig.plan.apply(routing({"agent": ["customer"]})))
    rig.apply(routing({"agent": []}))
    assert rig.plan.stands(join) == []
    assert rig.plan.ended() == []


def test_a_join_to_inspectors_alone_counts_as_theirs_until_another_hears_it() -> None:
    rig = Rig({"customer": 0, "agent": 1, "inspector": 1})
    rig.apply(routing({"inspector": ["customer"]}, ["inspector"]))
    (join,) = rig.plan.joins
    assert rig.workers[0].inspectors == {join.first}
    assert rig.workers[1].inspectors == {join.second, LegId("inspector")}
    rig.apply(routing({"agent": ["customer"]}))
    assert rig.workers[0].inspectors == set()
    assert rig.workers[1].inspectors == row("inspector")


def test_a_row_of_too_many_is_refused_and_nothing_done() -> None:
    rig = Rig({str(number): number % WORKERS for number in range(MOST_SOURCES + 2)})
    with pytest.raises(Refused) as refused:
        rig.plan.apply(routing({"0": list(map(str, range(1, MOST_SOURCES + 2)))}))
    assert refused.value.code is Code.BAD_PARAMETER
    assert rig.plan.joins == []


CALL = Recording(R, Path("call.wav"), LegId("customer"), LegId("agent"))
TALK = {"customer": ["agent"], "agent": ["customer"]}


@pytest.mark.parametrize("table_first", [False, True])
def test_a_recording_is_made_with_the_agent_and_stand_ins_hear_each_other_as_the_parties_do(
    table_first: bool,
) -> None:
    rig = Rig({"customer": 0, "agent": 1})
    table = routing(TALK, (), ["customer", "agent"])
    if table_first:
        rig.apply(table)
        worker, known = rig.record(CALL)
    else:
        worker, known = rig.record(CALL)
        rig.apply(table)
    assert (worker, known.agent) == (1, CALL.agent)
    agents = rig.workers[1]
    assert agents.rows[known.customer] == {CALL.agent}
    assert agents.rows[CALL.agent] == {known.customer}
    assert agents.recorded[R] == {CALL.agent, known.customer}
    rig.check(exactly=True)
    # On hold the stand-in stays, though nobody hears the customer and the customer nobody.
    rig.apply(routing({"customer": [], "agent": []}, (), ["agent"]))
    assert agents.rows[known.customer] == agents.rows[CALL.agent] == frozenset()
    assert agents.recorded[R] == {CALL.agent}
    rig.apply(table)
    assert agents.recorded[R] == {CALL.agent, known.customer}
    rig.apply(routing({"customer": [], "agent": []}))
    assert rig.plan.stopped(R) == {known.customer: CALL.customer}
    rig.sweep()
    assert rig.plan.joins == []
    assert rig.plan.stopped(R) == {}


def test_a_stand_in_that_could_not_be_opened_is_tried_again_under_its_name() -> None:
    rig = Rig({"customer": 0, "agent": 1})
    _, known, touched = rig.plan.start(CALL)
    rig.join(touched, joins_open=False)
    rig.apply(routing(TALK, (), ["customer", "agent"]))
    assert rig.workers[1].rows[known.customer] == {CALL.agent}
    assert rig.workers[1].recorded[R] == {CALL.agent, known.customer}


def test_a_whisper_from_another_worker_keeps_its_track() -> None:
    rig = Rig({"customer": 1, "agent": 1, "inspector": 0})
    worker, known = rig.record(CALL)
    assert (worker, known) == (1, CALL)
    talk = routing(TALK, (), ["customer", "agent"])
    whisper = routing(
        {**TALK, "agent": ["customer", "inspector"]}, ["inspector"], ["customer", "agent", "inspector"]
    )
    rig.apply(whisper)
    (join,) = rig.plan.joins
    assert rig.workers[1].recorded[R] == {CALL.customer, CALL.agent, join.second}
    rig.apply(talk)
    assert rig.plan.joins == [join]
    assert rig.workers[1].recorded[R] == {CALL.customer, CALL.agent}
    rig.apply(whisper)
    rig.close(LegId("inspector"))
    rig.apply(whisper)
    assert rig.workers[1].recorded[R] == {CALL.customer, CALL.agent}
    result = RecordingResult(R, CALL.path, 160, {join.second: Path("call.join-1-b.wav")})
    assert with_real_legs(result, rig.plan.stopped(R)).tracks == {
        LegId("inspector"): Path("call.join-1-b.wav")
    }


def test_a_recording_starts_once_and_of_somebody() -> None:
    rig = Rig({"customer": 0, "agent": 1})
    rig.record(CALL)
    with pytest.raises(Refused) as refused:
        rig.plan.start(CALL)
    assert refused.value.code is Code.BAD_PARAMETER
    with pytest.raises(Refused) as refused:
        rig.plan.start(Recording(RecordingId("s"), CALL.path, LegId("x"), LegId("y")))
    assert refused.value.code is Code.NOT_FOUND


def test_events_speak_of_the_real_legs() -> None:
    rig = Rig({"agent": 1, "inspector": 0})
    rig.apply(routing({"agent": ["inspector"]}, ["inspector"]))
    (join,) = rig.plan.joins
    assert rig.plan.source_of(join.second) == LegId("inspector")
    assert rig.plan.source_of(join.first) is None
    assert rig.plan.source_of(LegId("agent")) == LegId("agent")
    rig.close(LegId("inspector"))
    assert rig.plan.source_of(join.second) is None
    assert rig.plan.is_join(join.second)
