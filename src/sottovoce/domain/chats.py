"""A text chat between two agents: one table state x act with no empty cell.

It is beside their calls: no agent's state changes by it, and nobody is heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sottovoce.domain.grids import read_grid, words
from sottovoce.errors import Code, Refused


class ChatState(StrEnum):
    """How far a chat is."""

    RINGING = "ringing"
    """One asks the other."""
    OPEN = "open"
    """The two write to each other."""
    HANDED_ON = "handed_on"
    """They still do, and a third is asked to take the place of one."""
    OVER = "over"


class ChatAct(StrEnum):
    """What is done with a chat; whoever is asked answers or rejects, whoever is in it does the rest."""

    ANSWER = "answer"
    REJECT = "reject"
    """By word, by silence, or by leaving."""
    SAY = "say"
    HAND_ON = "hand_on"
    DROP = "drop"


_GRID = """
         ringing  open     handed_on  over
answer   open     wrong    open       none
reject   over     wrong    open       none
say      wrong    open     handed_on  none
hand_on  wrong    handed_on  wrong    none
drop     over     over     over       none
"""

TABLE: Mapping[tuple[ChatState, ChatAct], ChatState | Code] = read_grid(
    _GRID,
    ChatState,
    ChatAct,
    {**words(ChatState), "wrong": Code.WRONG_CALL_STATE, "none": Code.NO_CALL},
)


def move(state: ChatState, act: ChatAct) -> ChatState:
    """The state after `act`; raises Refused with the cell's code."""
    cell = TABLE[state, act]
    if isinstance(cell, Code):
        raise Refused(cell, f"{act} does not go with a chat that is {state}")
    return cell
