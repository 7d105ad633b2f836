"""Every state x interface x role of review tasks, over HTTP on PostgreSQL: generated from two grids.

What must happen is taken from the tables as `tests.grids` has them, not from the code's own, for tasks
that are the caller's (made, inspected by, or about them) and for such that are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.grids import RIGHTS, TASKS
from tests.quality.reviewing import Made, put_result, put_task
from tests.quality.standing import (
    BY_ROLE,
    FOREIGN,
    INSPECTOR,
    NOW,
    ONE,
    PLAIN,
    THIRD,
    TWO,
    Answered,
    Standing,
)

from sottovoce.domain.people import Role
from sottovoce.domain.reviews import OPEN_ITEMS, ItemState, TaskAction, TaskState
from sottovoce.domain.rights import Operation, Scope
from sottovoce.errors import Code
from sottovoce.http.ccsqm import codes
from sottovoce.http.ccsqm.words import ROLES
from sottovoce.storage.database import transaction
from sottovoce.storage.tables import review_items, review_tasks

WIRE_ROLES = {role: name for name, role in ROLES.items()}
RESULT = "silenceRule00000000-0000-0000-0000-000000000001"
TASK_ACTIONS = {
    TaskAction.RENAME: Operation.UPDATE_TASK,
    TaskAction.REDRAW: Operation.UPDATE_TASK,
    TaskAction.APPOINT: Operation.APPOINT_TASK,
    TaskAction.APPOINT_NOW: Operation.APPOINT_TASK,
    TaskAction.TAKE_EFFECT: Operation.TAKE_EFFECT,
    TaskAction.RESERVE: Operation.TAKE_EFFECT,
    TaskAction.TERMINATE: Operation.TERMINATE_TASK,
    TaskAction.DELETE: Operation.DELETE_TASK,
}
ITEM_ACTIONS = {
    TaskAction.REVISE: Operation.REVISE_RESULT,
    TaskAction.COMPLETE: Operation.COMPLETE_ITEM,
    TaskAction.FINISH: Operation.COMPLETE_ITEM,
}
SEEN_DONE = (TaskState.IN_EFFECT, TaskState.FINISHED, TaskState.TERMINATED)
CIRCLES = (Role.QUALITY_LEADER, Role.INSPECTOR)
"""Who appoints or is appointed; the table side sees what is done alone."""


@dataclass(frozen=True)
class Cell:
    """One request: by whom, on a task in which state, whose."""

    action: TaskAction
    state: TaskState
    role: Role
    own: bool

    def __str__(self) -> str:
        return f"{self.action} {self.state} {self.role} {'own' if self.own else 'other'}"


def cells(action: TaskAction, operation: Operation) -> Iterator[Cell]:
    for state in TaskState:
        for role in Role:
            for own in (True, False):
                if own or RIGHTS[role, operation] is not Scope.NO:
                    yield Cell(action, state, role, own)


class Stage:
    """A contact or three, and a task for each cell."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.contacts: list[int] = []
        self.uuids: list[str] = []

    async def set(self, wanted: list[Cell]) -> dict[Cell, Made]:
        """Put down the tasks of all cells."""
        self.contacts = [await self.standing.contact(101) for _ in range(3)]
        self.uuids = [f"00000000-0000-0000-0000-{number + 1:012x}" for number in range(3)]
        async with transaction(self.standing.engine) as connection:
            for place, contact in enumerate(self.contacts):
                await put_result(connection, contact, f"{RESULT}{place}")
            return {cell: await self._put(connection, cell) for cell in wanted}

    async def _put(self, connection: Any, cell: Cell) -> Made:
        caller = BY_ROLE[cell.role]
        last = cell.action is TaskAction.FINISH and cell.state is TaskState.IN_EFFECT
        states = [ItemState.DONE, ItemState.DONE, ItemState.WAITING] if last else None
        return await put_task(
            connection,
            cell.state,
            self.contacts,
            made_by=caller if cell.own else PLAIN,
            inspectors=(caller if cell.own else THIRD,),
            agents=(101 if cell.own else 103,),
            states=states,
        )


def refusal(cell: Cell, operation: Operation) -> Code | None:
    """What the tables say; None: it is done."""
    reach = RIGHTS[cell.role, operation]
    outcome = TASKS[cell.state, cell.action]
    if reach is Scope.NO:
        return Code.NO_RIGHT
    if cell.action in ITEM_ACTIONS and (not cell.own or cell.state is TaskState.CREATED):
        return Code.NOT_FOUND
    if reach is not Scope.ALL and not cell.own:
        return Code.NOT_FOUND
    return outcome if isinstance(outcome, Code) else None


def request(stage: Stage, cell: Cell, made: Made) -> tuple[str, dict[str, Any]]:
    """The interface and the body of a cell's request."""
    task = made.task
    open_items = [item for item in made.items if item.state in OPEN_ITEMS]
    item = (open_items or list(made.items))[0]
    name = {"planName": "renamed", "id": task}
    columns = {"qualityType": 1, "qualityNum": "2", "interactionType": 0, "qualityCondition": 2}
    dealt = {"qualityTaskId": task, "setCountsType": 1, "setCounts": [{"personID": INSPECTOR}]}
    match cell.action:
        case TaskAction.RENAME:
            return "updateQualityTask", {"currentRole": "-", "qualityTask": name}
        case TaskAction.REDRAW:
            body = {"currentRole": WIRE_ROLES[cell.role], "qualityTask": name, "fixedColumns": columns}
            return "updateQualityTask", body
        case TaskAction.APPOINT:
            return "appointQualityTask", {**dealt, "isTakeEffect": 0}
        case TaskAction.APPOINT_NOW:
            return "appointQualityTask", {**dealt, "isTakeEffect": 1}
        case TaskAction.TAKE_EFFECT:
            return "takeEffectQualityTask", {"qualityTaskId": task, "type": "1", "reserveTime": ""}
        case TaskAction.RESERVE:
            later = str(int((NOW + timedelta(hours=2)).timestamp()))
            return "takeEffectQualityTask", {"qualityTaskId": task, "type": "2", "reserveTime": later}
        case TaskAction.TERMINATE:
            return "terminateQualityTask", {"qualityTaskId": task}
        case TaskAction.DELETE:
            return "deleteQualityTask", {"qualityTaskId": task}
        case TaskAction.REVISE:
            info = {"description": "heard it", "revise": 0, "reviseId": f"{RESULT}{item.place}"}
            body = {"isGroup": False, "ruleType": 11, "taskId": item.item, "ruleInfo": info}
            return "modifyResultQualityTask", {**body, "uuid": stage.uuids[item.place]}
        case TaskAction.COMPLETE | TaskAction.FINISH:
            body = {"isGroup": False, "callId": str(item.contact), "callGroupId": None}
            return "completeQualityTask", {**body, "qualityTaskCallId": item.item}
        case TaskAction.SHOW:
            columns = {"planCode": task}
            body = {"currentRole": WIRE_ROLES[cell.role], "page": 1, "rows": 100, "fixedColumns": columns}
            return "callsQualityTask", body


async def ask(stage: Stage, cell: Cell, made: Made) -> Answered:
    name, body = request(stage, cell, made)
    return await stage.standing.call(f"qualitytask/{name}", body, BY_ROLE[cell.role])


@pytest.mark.parametrize(
    ("action", "operation"),
    list({**TASK_ACTIONS, **ITEM_ACTIONS}.items()),
    ids=[action.value for action in (*TASK_ACTIONS, *ITEM_ACTIONS)],
)
async def test_every_cell(standing: Standing, action: TaskAction, operation: Operation) -> None:
    stage = Stage(standing)
    made = await stage.set(list(cells(action, operation)))
    wrong: list[str] = []
    refused: dict[Cell, Code | None] = {}
    for cell, task in made.items():
        answer = await ask(stage, cell, task)
        reason = refused[cell] = refusal(cell, operation)
        expected = codes.TASKS.success if reason is None else codes.TASKS.code(reason)
        if (answer.status, answer.code) != (200, expected):
            wrong.append(f"{cell}: {answer.body} instead of {expected}")
    assert not wrong, "\n".join(wrong)
    await check_states(standing, made, refused)


async def check_states(standing: Standing, made: dict[Cell, Made], refused: dict[Cell, Code | None]) -> None:
    """Whatever was done has the state that the table says; whatever was refused is as it was."""
    async with transaction(standing.engine) as connection:
        tasks = {row.task: row for row in (await connection.execute(sa.select(review_tasks))).all()}
        rows = (await connection.execute(sa.select(review_items).order_by(review_items.c.place))).all()
    for cell, task in made.items():
        after = tasks[task.task]
        items = [row for row in rows if row.task == task.task]
        if refused[cell] is None:
            assert after.state == TASKS[cell.state, cell.action], cell
            continue
        assert (after.state, after.name) == (cell.state, "task"), cell
        before = [(item.item, item.inspector, item.state) for item in task.items]
        assert [(row.item, row.inspector, row.state) for row in items] == before, cell


def items_seen(cell: Cell) -> int:
    """How many of the three items of a cell's task its caller sees."""
    if cell.state is TaskState.DELETED:
        return 0
    if RIGHTS[cell.role, Operation.QUERY_TASK_ITEMS] is Scope.ALL:
        return 3
    if not cell.own:
        return 0
    if cell.role is Role.QUALITY_LEADER:
        return 3
    if cell.role is Role.INSPECTOR:
        return 0 if cell.state is TaskState.CREATED else 3
    done = 3 if cell.state is TaskState.FINISHED else 1
    return done if cell.state in SEEN_DONE else 0


async def test_every_cell_of_calls_and_query(standing: Standing) -> None:
    stage = Stage(standing)
    made = await stage.set(list(cells(TaskAction.SHOW, Operation.QUERY_TASK_ITEMS)))
    wrong: list[str] = []
    for cell, task in made.items():
        answer = await ask(stage, cell, task)
        seen = items_seen(cell)
        got = len(answer.body["data"]) if answer.ok else answer.code
        if got != (seen or codes.TASKS.code(Code.NOT_FOUND)):
            wrong.append(f"{cell}: {answer.body} instead of {seen}")
    assert not wrong, "\n".join(wrong)
    for role in Role:
        listed = await query(standing, role)
        expected = {
            task.task: (3, 3 if cell.state is TaskState.FINISHED else 1 if cell.state in SEEN_DONE else 0)
            for cell, task in made.items()
            if cell.state is not TaskState.DELETED and visible(cell, role)
        }
        assert listed == expected, role


def visible(cell: Cell, role: Role) -> bool:
    """Whether somebody of `role` sees the task of `cell`, which may have been made for another's."""
    if RIGHTS[role, Operation.QUERY_TASKS] is Scope.ALL:
        return True
    if not cell.own:
        return False
    dealt = cell.state is not TaskState.CREATED
    match role:
        case Role.QUALITY_LEADER:
            return cell.role in CIRCLES
        case Role.INSPECTOR:
            return cell.role is role and dealt
        case _:
            return cell.state in SEEN_DONE


async def query(standing: Standing, role: Role) -> dict[str, tuple[int, int]]:
    """All tasks that somebody sees, with their counts, by pages of 40."""
    listed: dict[str, tuple[int, int]] = {}
    total, page = 1, 1
    while len(listed) < total:
        body = {
            "currentRole": WIRE_ROLES[role],
            "startTimeMillis": 0,
            "endTimeMillis": int(NOW.timestamp() * 1000),
            "page": page,
            "rows": 40,
        }
        answer = await standing.call("qualitytask/queryQualityTask", body, BY_ROLE[role])
        assert answer.ok, answer.body
        total, page = answer.body["total"], page + 1
        assert answer.body["data"], (total, listed)
        for task in answer.body["data"]:
            assert task["id"] not in listed
            listed[task["id"]] = (task["inspectTotalCount"], task["inspectFinishedCount"])
    return listed


async def test_create_by_every_role(standing: Standing) -> None:
    await standing.contact(101)
    for role in Role:
        body = {
            "currentRole": WIRE_ROLES[role],
            "fixedColumns": {"qualityType": 1, "qualityNum": "5", "interactionType": 0},
            "qualityTask": {"planName": role.value},
        }
        answer = await standing.call("qualitytask/createQualityTask", body, BY_ROLE[role])
        allowed = RIGHTS[role, Operation.CREATE_TASK] is not Scope.NO
        assert answer.code == (codes.TASKS.success if allowed else codes.TASKS.code(Code.NO_RIGHT)), role


async def test_a_foreign_tenant_finds_nothing(standing: Standing) -> None:
    """Another tenant's token: with its own user nothing is found, with a user of this tenant nobody."""
    actions = {**TASK_ACTIONS, **ITEM_ACTIONS, TaskAction.SHOW: Operation.QUERY_TASK_ITEMS}
    stage = Stage(standing)
    made = await stage.set(
        [Cell(action, TaskState.ASSIGNED, Role.QUALITY_DIRECTOR, True) for action in actions]
    )

    for cell, task in made.items():
        name, body = request(stage, cell, task)
        for user, reason in ((FOREIGN, Code.NOT_FOUND), (BY_ROLE[cell.role], Code.NOBODY)):
            answer = await standing.call(f"qualitytask/{name}", body, user, vdn=TWO)
            assert (answer.status, answer.code) == (200, codes.TASKS.code(reason)), cell
        answer = await standing.call(f"qualitytask/{name}", body, FOREIGN, vdn=ONE)
        assert answer.code == codes.TASKS.code(Code.NOBODY)
        answer = await standing.call(f"qualitytask/{name}", body, headers={"Authorization": "Bearer no"})
        assert answer.status == 401
    await check_states(standing, made, dict.fromkeys(made, Code.NOT_FOUND))
    body = {"currentRole": "qualityDirector", "startTimeMillis": 0, "endTimeMillis": 4_000_000_000_000}
    answer = await standing.call(
        "qualitytask/queryQualityTask", {**body, "page": 1, "rows": 10}, FOREIGN, vdn=TWO
    )
    assert (answer.ok, answer.body["total"], answer.body["data"]) == (True, 0, [])
    create = {
        "currentRole": "qualityDirector",
        "fixedColumns": {"qualityType": 1, "qualityNum": 5, "interactionType": 0},
        "qualityTask": {"planName": "theirs"},
    }
    answer = await standing.call("qualitytask/createQualityTask", create, FOREIGN, vdn=TWO)
    assert answer.code == codes.TASKS.code(Code.NOTHING_QUALIFIES)
