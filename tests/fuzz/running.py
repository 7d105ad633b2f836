"""Feeds targets with mutants, in turn, and judges: what was raised, how long it took, how much came out."""

from __future__ import annotations

import resource
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

from tests.fuzz.mutation import MOST, mutants
from tests.fuzz.targets import TARGETS, Take, corpus, made

TURN = 500
"""Inputs that a target gets in a row."""
ANSWERED = 8 * MOST
"""Bytes that one input may draw at most, whatever it is: the gateway's OpenAPI document has half of it."""


@dataclass
class Tally:
    """What became of one target's inputs."""

    inputs: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    """Of the process' own time: another program's load counts for nothing."""
    slowest: bytes = b""


@dataclass
class Fault:
    """An input that a target did not take as it should."""

    target: str
    data: bytes
    why: str


@dataclass
class Report:
    """What a run found."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    grown_megabytes: float = 0.0

    @property
    def inputs(self) -> int:
        """Of all targets."""
        return sum(tally.inputs for tally in self.tallies.values())


def peak_megabytes() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(
    inputs: int,
    seed: int,
    *,
    only: Sequence[str] = (),
    seconds: float = float("inf"),
    most_faults: int = 20,
    say: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Feed that many inputs, spread over the targets, for `seconds` at most."""
    names = list(only or TARGETS)
    sources = {name: mutants(corpus(name), f"{seed} {name}") for name in names}
    report = Report({name: Tally() for name in names})
    with ExitStack() as stack:
        takes = {name: stack.enter_context(made(name)) for name in names}
        before, began = peak_megabytes(), time.monotonic()
        for turn in count():
            name = names[turn % len(names)]
            for _ in range(min(TURN, inputs - report.inputs)):
                feed(report, name, takes[name], next(sources[name]))
            over = report.inputs >= inputs or time.monotonic() - began > seconds
            if over or len(report.faults) >= most_faults:
                break
            say(report)
    report.grown_megabytes = peak_megabytes() - before
    return report


def feed(report: Report, name: str, take: Take, data: bytes) -> None:
    """One input."""
    tally, began = report.tallies[name], time.process_time()
    try:
        answered = take(data)
        assert answered <= ANSWERED, f"{answered} bytes answered"
    except Exception:
        report.faults.append(Fault(name, data, traceback.format_exc()))
        answered = 0
    took = time.process_time() - began
    tally.inputs += 1
    tally.bytes_in += len(data)
    tally.bytes_out += answered
    tally.seconds += took
    if took > tally.slowest_s:
        tally.slowest_s, tally.slowest = took, data
