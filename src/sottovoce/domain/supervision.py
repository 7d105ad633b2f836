"""Supervision: listen, whisper, insert, and what an inspector may ask in which state.

One table state x command with no empty cell. A supervision follows the agent and outlives a call;
intercept ends it. `docs/decisions/0005-supervision-races.md` gives the reasons of single cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sottovoce.domain.grids import read_grid, words
from sottovoce.errors import Code, Refused


class Mode(StrEnum):
    """How an inspector takes part."""

    LISTEN = "listen"
    """Hears, is heard by nobody."""
    WHISPER = "whisper"
    """Hears, is heard by the supervised agent alone."""
    INSERT = "insert"
    """Hears and is heard by all."""


class Footing(StrEnum):
    """Where an inspector stands towards the agent that a command names."""

    NONE = "none"
    """Supervises nobody, or another agent."""
    REACHING = "reaching"
    """The inspector's phone still rings."""
    LISTEN = "listen"
    WHISPER = "whisper"
    INSERT = "insert"
    GONE = "gone"
    """After a stop, or an intercept: the supervision is over."""


class SupervisionCommand(StrEnum):
    """What an inspector asks for."""

    START_LISTEN = "start_listen"
    START_WHISPER = "start_whisper"
    START_INSERT = "start_insert"
    TOGGLE = "toggle"
    TO_LISTEN = "to_listen"
    TO_WHISPER = "to_whisper"
    TO_INSERT = "to_insert"
    STOP = "stop"
    STOP_WHISPER = "stop_whisper"
    INTERCEPT = "intercept"


_GRID = """
               none            reaching  listen   whisper  insert
start_listen   reaching        wrong     wrong    wrong    wrong
start_whisper  reaching        wrong     wrong    wrong    wrong
start_insert   reaching        wrong     wrong    wrong    wrong
toggle         not_supervised  wrong     insert   wrong    listen
to_listen      not_supervised  reaching  listen   listen   listen
to_whisper     not_supervised  reaching  whisper  whisper  whisper
to_insert      not_supervised  reaching  insert   insert   insert
stop           not_supervised  gone      gone     gone     gone
stop_whisper   not_supervised  gone      wrong    gone     wrong
intercept      not_supervised  wrong     gone     gone     gone
"""

TABLE: Mapping[tuple[Footing, SupervisionCommand], Footing | Code] = read_grid(
    _GRID,
    Footing,
    SupervisionCommand,
    {
        **words(Footing),
        "wrong": Code.WRONG_SUPERVISION_STATE,
        "not_supervised": Code.NOT_SUPERVISED,
    },
)

STARTS: Mapping[Mode, SupervisionCommand] = {
    Mode.LISTEN: SupervisionCommand.START_LISTEN,
    Mode.WHISPER: SupervisionCommand.START_WHISPER,
    Mode.INSERT: SupervisionCommand.START_INSERT,
}
CHANGES: Mapping[Mode, SupervisionCommand] = {
    Mode.LISTEN: SupervisionCommand.TO_LISTEN,
    Mode.WHISPER: SupervisionCommand.TO_WHISPER,
    Mode.INSERT: SupervisionCommand.TO_INSERT,
}


def follow(footing: Footing, command: SupervisionCommand) -> Footing:
    """The footing after `command`; raises Refused with the cell's code."""
    cell = TABLE[footing, command]
    if isinstance(cell, Code):
        raise Refused(cell, f"{command} does not go with {footing}")
    return cell
