"""Recorded histories of concurrent clients, and whether one order of their operations explains every answer.

An operation is somewhere between its invocation and its answer. A history is linearizable if the
operations can be put into an order that keeps to these spans and in which a sequential model gives
each of the answers: looked for as by Wing and Gong, remembering what was tried (Lowe).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

State = Hashable
Model = Callable[[Any, "Operation"], "State | None"]
"""The state after an operation; None: it cannot have had that answer in that state."""


@dataclass(frozen=True)
class Operation:
    """What a client asked for and was answered, from one moment to another."""

    client: int
    asked: tuple[Any, ...]
    answer: Any
    invoked: int
    answered: int

    def __str__(self) -> str:
        return f"[{self.invoked:3}-{self.answered:3}] {self.client}: {self.asked} -> {self.answer}"


@dataclass
class Recorder:
    """The moments at which operations begin and end, counted by all clients together."""

    operations: list[Operation] = field(default_factory=list)
    _moments: itertools.count[int] = field(default_factory=itertools.count)

    def now(self) -> int:
        return next(self._moments)

    def add(self, client: int, asked: tuple[Any, ...], answer: Any, invoked: int) -> None:
        self.operations.append(Operation(client, asked, answer, invoked, self.now()))


def explained(history: Sequence[Operation], start: State, model: Model) -> bool:
    """Whether there is such an order."""
    tried: set[tuple[frozenset[int], State]] = set()
    stack: list[tuple[frozenset[int], State]] = [(frozenset(range(len(history))), start)]
    while stack:
        left, state = stack.pop()
        if not left:
            return True
        if (left, state) in tried:
            continue
        tried.add((left, state))
        first_answer = min(history[n].answered for n in left)
        for n in left:
            if history[n].invoked < first_answer:
                after = model(state, history[n])
                if after is not None:
                    stack.append((left - {n}, after))
    return False
