"""What the tables of the rules must say, written once more: no document, and computed from no code.

A text for each grid, in another order than the code's own, so that a change of a table needs a second,
considered change here. Tests over HTTP take what they expect from these, never from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from sottovoce.domain.agents import AgentState, Trigger, TriggerOutcome
from sottovoce.domain.appeals import AppealState, AppealStep, Kind
from sottovoce.domain.calls import CallState, CallTrigger
from sottovoce.domain.chats import ChatAct, ChatState
from sottovoce.domain.people import Role
from sottovoce.domain.plans import PlanAction, PlanState
from sottovoce.domain.reviews import ItemAction, ItemState, TaskAction, TaskState
from sottovoce.domain.rights import Operation, Scope
from sottovoce.errors import Code

Columns = TypeVar("Columns", bound=Enum)
Lines = TypeVar("Lines", bound=Enum)


def _written(
    name: str, lines: type[Lines], columns: type[Columns], cells: Mapping[str, Any]
) -> dict[tuple[Lines, Columns], Any]:
    """The cells of a text by (line, column); a word that `cells` does not explain is a mistake."""
    text = (Path(__file__).parent / f"{name}.txt").read_text()
    head, *rest = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {
        (lines(line[0]), columns(column)): cells[word]
        for line in rest
        for column, word in zip(head, line[1:], strict=True)
    }


def _states(kind: type[Enum], **more: Any) -> dict[str, Any]:
    return {**{state.value: state for state in kind}, "-": Code.WRONG_STATE, "?": Code.NOT_FOUND, **more}


_REACH = {"A": Scope.ALL, "G": Scope.GROUP, "O": Scope.OWN, "-": Scope.NO}

RIGHTS: Mapping[tuple[Role, Operation], Scope] = {
    (role, operation): scope
    for (operation, role), scope in _written("rights", Operation, Role, _REACH).items()
}
TASKS = _written("tasks", TaskState, TaskAction, _states(TaskState))
ITEMS = _written("items", ItemState, ItemAction, _states(ItemState))
QUALITY_ITEMS = {
    Kind.APPEAL: _written("appeals", AppealState, AppealStep, _states(AppealState)),
    Kind.PROBLEM: _written("problems", AppealState, AppealStep, _states(AppealState)),
}
PLANS = _written("plans", PlanState, PlanAction, _states(PlanState))
_NO_CALL = {"-": Code.WRONG_CALL_STATE, "no_call": Code.NO_CALL}
CHATS = _written("chats", ChatState, ChatAct, _states(ChatState, **_NO_CALL))
CALLS = _written(
    "calls", CallState, CallTrigger, _states(CallState, **_NO_CALL, no_held_call=Code.NO_HELD_CALL)
)
AGENTS: Mapping[tuple[AgentState, Trigger], AgentState | TriggerOutcome] = {
    (state, trigger): cell
    for (trigger, state), cell in _written(
        "agents",
        Trigger,
        AgentState,
        {cell.value: cell for cell in (*AgentState, *TriggerOutcome)} | {"-": TriggerOutcome.REFUSE},
    ).items()
}
