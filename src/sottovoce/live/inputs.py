"""What goes into a floor, and what the floor does with each kind: one table, filled by the subject modules.

A *command* is what an agent or an inspector asks for. Beside its dataclass stand its check, which changes
nothing and raises `Refused`, and its transition, which works on what the check found. A floor makes the
check twice: before anything is committed, and again in the moment of the transition, because others may
have acted meanwhile. A command for which nothing is committed needs no check of its own.

Everything else *happened* (a leg is gone, a timer ran out, the configuration was read): it is never refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import Change
from sottovoce.live.state import FloorState


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asks for."""

    by: AgentId
    """Who asks."""


InputT = TypeVar("InputT")
CommandT = TypeVar("CommandT", bound=Command)
FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True)
class Permitted(Generic[FoundT]):
    """A check's word that a command may be done now."""

    found: FoundT
    """What the check found, for the transition."""
    first: tuple[Change, ...] = ()
    """What must be on record before it takes effect."""


Check = Callable[[FloorState, CommandT], Permitted[FoundT]]
Transition = Callable[[FloorState, InputT], None]
TransitionOf = Callable[[FloorState, CommandT, FoundT], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """How one kind of command is done."""

    check: Check[Any, Any] | None
    """None for a command that never waits for the store: its transition refuses by itself."""
    do: Callable[..., None]
    in_turn: bool
    """A later such command of the same inspector overtakes an earlier one that still waits for the store."""


COMMANDS: dict[type[Command], Asked] = {}
HAPPENINGS: dict[type, list[Callable[[FloorState, Any], None]]] = {}
"""What follows; several subjects may have a word, each about its own."""


def command(
    kind: type[CommandT], check: Check[CommandT, FoundT], *, in_turn: bool = False
) -> Callable[[TransitionOf[CommandT, FoundT]], TransitionOf[CommandT, FoundT]]:
    """Declare the decorated transition as that of `kind`, permitted by `check`."""

    def declare(do: TransitionOf[CommandT, FoundT]) -> TransitionOf[CommandT, FoundT]:
        COMMANDS[kind] = Asked(check, do, in_turn)
        return do

    return declare


def never_waits(
    kind: type[CommandT], *, in_turn: bool = False
) -> Callable[[Transition[CommandT]], Transition[CommandT]]:
    """Declare the decorated transition as that of `kind`, for which nothing is committed first.

    It raises `Refused` before it changes anything."""

    def declare(do: Transition[CommandT]) -> Transition[CommandT]:
        COMMANDS[kind] = Asked(None, do, in_turn)
        return do

    return declare


def happens(*kinds: type) -> Callable[[Transition[InputT]], Transition[InputT]]:
    """Declare the decorated transition as what follows when one of `kinds` happened."""

    def declare(do: Transition[InputT]) -> Transition[InputT]:
        for kind in kinds:
            HAPPENINGS.setdefault(kind, []).append(do)
        return do

    return declare


def first(floor: FloorState, asked: Command) -> tuple[Change, ...]:
    """What must be committed before `asked` may be done. Raises `Refused` as `take` would."""
    check = COMMANDS[type(asked)].check
    return () if check is None else check(floor, asked).first


def take(floor: FloorState, given: object) -> None:
    """Do a command, or what follows from what happened."""
    if not isinstance(given, Command):
        for follow in HAPPENINGS[type(given)]:
            follow(floor, given)
        return
    rule = COMMANDS[type(given)]
    if rule.check is None:
        rule.do(floor, given)
    else:
        rule.do(floor, given, rule.check(floor, given).found)
