"""A reading in Prometheus' words: base units, totals named `_total`, labels of few values.

Of VDNs and queues there are as many as are configured; agents, phones and calls are no labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sottovoce.domain.agents import AgentState
from sottovoce.domain.calls import CallState
from sottovoce.domain.supervision import Mode
from sottovoce.live.views import FloorView
from sottovoce.media.beat import TICK_BOUNDS_S
from sottovoce.media.control import TickFigures
from sottovoce.observing.reading import Reading

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Samples = Iterable[tuple[tuple[object, ...], float]]
"""The values of the labels, and what is measured."""


def exposed(reading: Reading, *counted: CollectorRegistry) -> bytes:
    """The reading, and what the registries hold, in the text format 0.0.4."""
    now = CollectorRegistry()
    now.register(_Once(reading))
    return b"".join(generate_latest(registry) for registry in (now, *counted))


class _Once(Collector):
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        yield from _server(self._reading)
        yield from _floors(self._reading)
        yield from _media(self._reading)
        yield from _kept(self._reading)
        yield from _asked(self._reading)


def _gauge(name: str, text: str, labels: Iterable[str], samples: Samples) -> Metric:
    family = GaugeMetricFamily(f"sottovoce_{name}", text, labels=list(labels))
    for values, measured in samples:
        family.add_metric([str(value) for value in values], measured)
    return family


def _counter(name: str, text: str, labels: Iterable[str], samples: Samples) -> Metric:
    family = CounterMetricFamily(f"sottovoce_{name}", text, labels=list(labels))
    for values, measured in samples:
        family.add_metric([str(value) for value in values], measured)
    return family


def _server(reading: Reading) -> Iterator[Metric]:
    yield _gauge("build_info", "The version that runs.", ["version"], [((reading.version,), 1)])
    began = reading.began_at.timestamp()
    yield _gauge("start_time_seconds", "When the server began, since 1970.", [], [((), began)])
    yield _gauge(
        "ready", "1 when new calls can be served as they should be.", [], [((), not reading.not_ready)]
    )
    yield _gauge("database_up", "1 while PostgreSQL answers.", [], [((), reading.database.why is None)])
    yield _gauge("sip_up", "1 while the SIP door listens.", [], [((), reading.sip is not None)])


def _floors(reading: Reading) -> Iterator[Metric]:
    yield _gauge(
        "calls",
        "Calls now, by state.",
        ["vdn", "state"],
        _by(reading, CallState, lambda floor: (one.state for one in floor.calls)),
    )
    yield _gauge(
        "agents",
        "Agents who are signed in, by state.",
        ["vdn", "state"],
        _by(reading, AgentState, lambda floor: (one.state for one in floor.agents)),
    )
    yield _gauge(
        "supervisions",
        "Supervisions now, by mode.",
        ["vdn", "mode"],
        _by(reading, Mode, lambda floor: (one.mode for one in floor.supervisions)),
    )
    queues = [((floor.vdn, one.skill), one) for floor in reading.floors for one in floor.queues]
    waiting = [(labels, float(one.waiting)) for labels, one in queues]
    yield _gauge("queue_calls", "Calls that wait for an agent.", ["vdn", "skill"], waiting)
    oldest = [
        (labels, (reading.at - one.since).total_seconds() if one.since is not None else 0.0)
        for labels, one in queues
    ]
    yield _gauge(
        "queue_oldest_seconds", "How long the first of a queue has waited.", ["vdn", "skill"], oldest
    )
    levels = [(labels, one.today.service_level) for labels, one in queues]
    yield _gauge(
        "queue_service_level_today",
        "Which part of today's callers was answered in time, from 0 to 1; absent before the first.",
        ["vdn", "skill"],
        [(labels, level) for labels, level in levels if level is not None],
    )
    for name, text, field in (
        ("queue_agents", "Agents who are signed in to the queue.", "agents"),
        ("queue_agents_free", "Those of them to whom a call could be given.", "free"),
    ):
        yield _gauge(
            name, text, ["vdn", "skill"], [(labels, float(getattr(one, field))) for labels, one in queues]
        )
    registered = [((vdn,), float(count)) for vdn, count in reading.registered().items()]
    yield _gauge("registrations", "Phones that are registered.", ["vdn"], registered)


def _by(
    reading: Reading, kinds: Iterable[StrEnum], of: Callable[[FloorView], Iterable[StrEnum]]
) -> Iterator[tuple[tuple[object, ...], float]]:
    """How many of each kind a floor has, none included: a line that comes and goes tells nothing."""
    for floor in reading.floors:
        counts = Counter(of(floor))
        for kind in kinds:
            yield (floor.vdn, kind.value), float(counts[kind])


def _media(reading: Reading) -> Iterator[Metric]:
    up = [((one.name,), float(one.figures is not None)) for one in reading.workers]
    yield _gauge("worker_up", "1 while a media worker takes calls.", ["worker"], up)
    figures = [(one.name, one.figures) for one in reading.workers if one.figures is not None]
    legs = [((name,), float(of.legs)) for name, of in figures]
    yield _gauge("legs", "RTP legs, those between workers included.", ["worker"], legs)
    yield _ticks(figures)
    for name, text, field in (
        ("tick_overruns", "Ticks that ended after the next one's deadline.", "overruns"),
        ("ticks_skipped", "Ticks left out after a stall.", "skipped"),
        ("packets_received", "RTP packets that legs received.", "heard"),
        ("packets_lost", "RTP packets that never came to a leg.", "lost"),
        ("packets_late", "RTP packets that came too late to be heard.", "late"),
        ("packets_foreign", "Packets that belonged to no leg.", "dropped"),
        ("packets_sent", "RTP packets sent.", "sent"),
        ("worker_cpu_seconds", "CPU time of a worker.", "cpu_s"),
    ):
        samples = [((worker,), float(getattr(of, field))) for worker, of in figures]
        yield _counter(name, text, ["worker"], samples)
    yield _gauge("recordings", "Recordings that are being made.", [], [((), reading.recordings)])


def _ticks(figures: Iterable[tuple[str, TickFigures]]) -> Metric:
    family = HistogramMetricFamily(
        "sottovoce_tick_seconds", "The work of one tick, of 20 ms that it may take.", labels=["worker"]
    )
    for name, of in figures:
        buckets, total = [], 0
        for bound, count in zip((*map(str, TICK_BOUNDS_S), "+Inf"), of.classes, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric([name], buckets=buckets, sum_value=of.work_s)
    return family


def _kept(reading: Reading) -> Iterator[Metric]:
    for name, text, field in (
        ("journal_waiting_changes", "Changes that are not in the database yet.", "changes"),
        ("spool_bytes", "What waits on the local disk for the database.", "size"),
        ("spool_limit_bytes", "What may wait there; what comes beyond is lost.", "limit"),
    ):
        yield _gauge(
            name, text, ["vdn"], [((one.vdn,), float(getattr(one, field))) for one in reading.journals]
        )
    keeping = [((one.vdn,), float(one.keeps)) for one in reading.journals]
    yield _gauge(
        "taking_calls",
        "0 while new calls are refused because nothing of them could be kept.",
        ["vdn"],
        keeping,
    )
    failing = [((one.vdn,), float(one.failed)) for one in reading.journals]
    yield _gauge("spool_failed", "1 while the disk takes nothing: what waits is in memory.", ["vdn"], failing)
    lost = [((one.vdn,), float(one.lost)) for one in reading.journals]
    yield _counter("journal_lost_changes", "Changes that no disk had room for.", ["vdn"], lost)
    for name, text, field in (
        ("disk_free_bytes", "Room that is left where a folder lies.", "free"),
        ("disk_size_bytes", "The size of the file system where a folder lies.", "size"),
    ):
        samples = [
            ((one.folder,), float(measured))
            for one in reading.disks
            if (measured := getattr(one, field)) is not None
        ]
        yield _gauge(name, text, ["folder"], samples)
    jobs = [
        ((one.job, state), float(getattr(one, state)))
        for one in reading.database.jobs
        for state in ("waiting", "running", "failed")
    ]
    yield _gauge("jobs", "Jobs that are not done, by state.", ["kind", "state"], jobs)
    ages = [
        ((one.job,), max(0.0, (reading.at - one.oldest_at).total_seconds()) if one.oldest_at else 0.0)
        for one in reading.database.jobs
    ]
    yield _gauge(
        "jobs_oldest_seconds", "How long ago the job that waits longest was put off.", ["kind"], ages
    )


def _asked(reading: Reading) -> Iterator[Metric]:
    yield _gauge("polls", "Event polls that hang.", [], [((), reading.polls)])
    yield _counter(
        "events_lost", "Events that gave way in agents' full queues.", [], [((), reading.events_lost)]
    )
    requests = [((one.family, one.outcome), float(one.count)) for one in reading.requests]
    yield _counter("http_requests", "HTTP requests, by what became of them.", ["family", "outcome"], requests)
    refusals = [((one.method, one.status), float(one.count)) for one in reading.refusals]
    yield _counter(
        "sip_refusals", "SIP requests answered with a status above 299.", ["method", "status"], refusals
    )
