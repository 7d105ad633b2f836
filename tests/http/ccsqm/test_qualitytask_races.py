"""Many clients on one review task at the same time, over HTTP: twenty inspectors and one more; or chance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.quality.histories import Operation, Recorder, explained
from tests.quality.reviewing import check_whole, found, put_result
from tests.quality.standing import DIRECTOR, INSPECTOR, SECOND, Answered, Standing

from sottovoce.domain.people import UserId
from sottovoce.domain.reviews import ITEMS, TASKS, ItemAction, ItemState, TaskAction, TaskState
from sottovoce.errors import Code
from sottovoce.http.ccsqm.codes import TASKS as CODES
from sottovoce.http.ccsqm.qualitytask import STATUS
from sottovoce.http.ccsqm.qualitytaskdetail import INSPECT_STATUS
from sottovoce.storage.database import transaction
from sottovoce.storage.tables import users

TWENTY = [UserId(f"17000000000000000{n:02d}") for n in range(20)]
LOST = {CODES.code(Code.WRONG_STATE), CODES.code(Code.LOST_RACE)}
CREATE = {
    "currentRole": "qualityDirector",
    "fixedColumns": {"qualityType": 1, "qualityNum": 100, "interactionType": 0},
    "qualityTask": {"planName": "race"},
}


async def ask(standing: Standing, name: str, body: Any, user: UserId = DIRECTOR) -> Answered:
    return await standing.call(f"qualitytask/{name}", body, user)


async def new_task(standing: Standing, people: list[UserId], take_effect: bool = True) -> str:
    """A task about all calls there are; dealt to `people`, if any."""
    task: str = (await ask(standing, "createQualityTask", CREATE)).body["objId"]
    if people:
        counts = [{"personID": person} for person in people]
        body = {
            "qualityTaskId": task,
            "setCountsType": 1,
            "isTakeEffect": int(take_effect),
            "setCounts": counts,
        }
        assert (await ask(standing, "appointQualityTask", body)).ok
    return task


def completion(item: str, contact: int) -> dict[str, Any]:
    return {"isGroup": False, "callId": str(contact), "callGroupId": None, "qualityTaskCallId": item}


async def test_twenty_complete_while_one_terminates(standing: Standing) -> None:
    """Each item is done or released, as its inspector was told; the task ended exactly once."""
    for _ in TWENTY:
        await standing.contact()
    async with transaction(standing.engine) as connection:
        rows = [
            {"user": user, "vdn": 1, "name": f"Inspector {n}", "roles": ["inspector"]}
            for n, user in enumerate(TWENTY)
        ]
        await connection.execute(sa.insert(users), rows)
    chance = random.Random(20)
    ended: set[TaskState] = set()
    for start in (0, 3, 10, 17, 20):
        task = await new_task(standing, TWENTY)
        _, items = await found(standing, task)
        assert {item.inspector for item in items} == set(TWENTY)
        asking = [
            ask(
                standing,
                "completeQualityTask",
                completion(item.item, item.contact),
                UserId(item.inspector or ""),
            )
            for item in items
        ]
        chance.shuffle(asking)
        ending = ask(standing, "terminateQualityTask", {"qualityTaskId": task})
        answers = await asyncio.gather(*asking[:start], ending, *asking[start:])
        terminated = answers.pop(start)
        held, items = await found(standing, task)
        assert all(answer.ok or answer.code in LOST for answer in (*answers, terminated))
        done = [item for item in items if item.state is ItemState.DONE]
        released = [item for item in items if item.state is ItemState.RELEASED]
        assert len(done) + len(released) == 20
        assert sum(answer.ok for answer in answers) == len(done)
        if terminated.ok:
            assert held.state is TaskState.TERMINATED
        else:
            assert (held.state, len(done)) == (TaskState.FINISHED, 20)
        ended.add(held.state)
        again = await asyncio.gather(
            *(
                ask(
                    standing,
                    "completeQualityTask",
                    completion(item.item, item.contact),
                    UserId(item.inspector or ""),
                )
                for item in items
            )
        )
        assert {answer.code for answer in again} == {CODES.code(Code.WRONG_STATE)}
        assert await found(standing, task) == (held, items)
    assert TaskState.TERMINATED in ended
    await check_whole(standing.engine)


async def test_the_same_item_is_completed_once(standing: Standing) -> None:
    contact = await standing.contact()
    task = await new_task(standing, [INSPECTOR])
    _, (item,) = await found(standing, task)
    body = completion(item.item, contact)
    answers = await asyncio.gather(*(ask(standing, "completeQualityTask", body, INSPECTOR) for _ in range(6)))
    assert sorted(answer.ok for answer in answers) == [False] * 5 + [True]
    assert {answer.code for answer in answers if not answer.ok} <= LOST
    assert await check_whole(standing.engine) == {TaskState.FINISHED: 1}


@dataclass(frozen=True)
class Picture:
    """The sequential model: what a task is after some operations."""

    state: TaskState
    items: tuple[ItemState, ...]
    inspectors: tuple[UserId | None, ...]
    drawn_anew: bool = False
    """Its items are others than in the beginning."""


ACTIONS = {
    "appoint": TaskAction.APPOINT,
    "appoint_now": TaskAction.APPOINT_NOW,
    "take_effect": TaskAction.TAKE_EFFECT,
    "reserve": TaskAction.RESERVE,
    "rename": TaskAction.RENAME,
    "redraw": TaskAction.REDRAW,
    "terminate": TaskAction.TERMINATE,
    "delete": TaskAction.DELETE,
}
OK, WRONG, UNKNOWN, RACE = (
    CODES.success,
    *map(CODES.code, (Code.WRONG_STATE, Code.NOT_FOUND, Code.LOST_RACE)),
)


def model(before: Picture, operation: Operation) -> Picture | None:
    """What the tables make of it; None: not with this answer."""
    kind, *details = operation.asked
    if kind == "calls":
        return _read_calls(before, operation)
    if kind == "query":
        done = before.items.count(ItemState.DONE)
        seen = (STATUS[before.state], len(before.items), done) if before.state in STATUS else None
        return before if operation.answer == seen else None
    if kind in ("complete", "revise"):
        return _work(before, operation)
    if operation.answer == RACE and kind == "redraw":
        return before  # another redraw came first, which left the state as it was
    cell = TASKS[before.state, ACTIONS[kind]]
    if isinstance(cell, Code):
        return before if _refused(operation, cell) else None
    if operation.answer != OK:
        return None
    after = replace(before, state=cell)
    if kind in ("appoint", "appoint_now"):
        return replace(after, inspectors=tuple(map(_dealt(details[0]), before.items, before.inspectors)))
    if kind == "redraw":
        return replace(after, inspectors=(None,) * len(before.items), drawn_anew=True)
    if kind in ("terminate", "delete"):
        return replace(after, items=tuple(_released(state) for state in before.items))
    return after


def _refused(operation: Operation, cell: Code) -> bool:
    """Whether it was refused as the cell says; a state lost while it waited is told as a lost race."""
    return operation.answer in (CODES.code(cell), RACE)


def _dealt(person: UserId) -> Callable[[ItemState, UserId | None], UserId | None]:
    """Who has an item after it was dealt to somebody, which what is done is not."""
    return lambda state, before: before if isinstance(ITEMS[state, ItemAction.DEAL], Code) else person


def _released(state: ItemState) -> ItemState:
    cell = ITEMS[state, ItemAction.RELEASE]
    assert isinstance(cell, ItemState)
    return cell


def _read_calls(before: Picture, operation: Operation) -> Picture | None:
    if before.state is TaskState.DELETED:
        return before if operation.answer == UNKNOWN else None
    seen = tuple(
        (INSPECT_STATUS[state], inspector)
        for state, inspector in zip(before.items, before.inspectors, strict=True)
    )
    return before if operation.answer == seen else None


def _work(before: Picture, operation: Operation) -> Picture | None:
    kind, place, person = operation.asked
    if before.drawn_anew or before.inspectors[place] != person or before.state is TaskState.DELETED:
        return before if operation.answer == UNKNOWN else None
    action = ItemAction.COMPLETE if kind == "complete" else ItemAction.REVISE
    task_cell = TASKS[before.state, TaskAction.COMPLETE]
    cell = ITEMS[before.items[place], action]
    if isinstance(task_cell, Code) or isinstance(cell, Code):
        return before if _refused(operation, Code.WRONG_STATE) else None
    if operation.answer != OK:
        return None
    items = (*before.items[:place], cell, *before.items[place + 1 :])
    over = all(state is ItemState.DONE for state in items)
    return replace(before, items=items, state=TaskState.FINISHED if over else before.state)


class Client:
    """One of several that do what chance tells them, and put down what they were answered."""

    def __init__(self, standing: Standing, recorder: Recorder, number: int, chance: random.Random) -> None:
        self.standing, self.recorder, self.number, self.chance = standing, recorder, number, chance

    async def act(self, task: str, items: list[str], contacts: list[int], times: int) -> None:
        for _ in range(times):
            kind = self.chance.choices(
                [*ACTIONS, "complete", "revise", "calls", "query"],
                [2, 4, 2, 1, 1, 1, 1, 1, 12, 3, 3, 3],
            )[0]
            asked: tuple[Any, ...] = (kind,)
            if kind in ("appoint", "appoint_now"):
                asked = (kind, self.chance.choice([INSPECTOR, SECOND]))
            if kind in ("complete", "revise"):
                place = self.chance.randrange(len(items))
                asked = (kind, place, self.chance.choice([INSPECTOR, SECOND]))
            invoked = self.recorder.now()
            answer = await self._ask(asked, task, items, contacts)
            self.recorder.add(self.number, asked, answer, invoked)

    async def _ask(self, asked: tuple[Any, ...], task: str, items: list[str], contacts: list[int]) -> Any:
        kind, *details = asked
        body: dict[str, Any] = {"qualityTaskId": task}
        name, user = f"{kind}QualityTask", DIRECTOR
        match kind:
            case "appoint" | "appoint_now":
                name, counts = "appointQualityTask", [{"personID": details[0]}]
                body |= {"setCountsType": 1, "isTakeEffect": int(kind == "appoint_now"), "setCounts": counts}
            case "take_effect" | "reserve":
                name = "takeEffectQualityTask"
                body |= (
                    {"type": "1"} if kind == "take_effect" else {"type": "2", "reserveTime": 4_000_000_000}
                )
            case "rename" | "redraw":
                name = "updateQualityTask"
                body = {"currentRole": "-", "qualityTask": {"planName": f"name {self.number}", "id": task}}
                if kind == "redraw":
                    columns = {**CREATE["fixedColumns"], "qualityNum": self.chance.randint(200, 9000)}  # type: ignore[dict-item]
                    body["fixedColumns"] = {**columns, "qualityCondition": 2}
            case "complete":
                user, body = details[1], completion(items[details[0]], contacts[details[0]])
            case "revise":
                name, user = "modifyResultQualityTask", details[1]
                info = {"description": "heard", "revise": 1, "reviseId": f"silenceRule{contacts[details[0]]}"}
                uuid = f"00000000-0000-0000-0000-{contacts[details[0]]:012x}"
                body = {"isGroup": False, "ruleType": 11, "taskId": items[details[0]], "uuid": uuid}
                body["ruleInfo"] = info
            case "calls":
                body = {"currentRole": "qualityDirector", "page": 1, "rows": 100}
                body["fixedColumns"] = {"planCode": task}
            case "query":
                body = {"currentRole": "qualityDirector", "page": 1, "rows": 100}
                body |= {"startTimeMillis": 0, "endTimeMillis": 4_000_000_000_000}
        answer = await ask(self.standing, name, body, user)
        if kind == "calls" and answer.ok:
            assert answer.body["total"] == len(answer.body["data"])
            return tuple((line["inspectStatus"], line["inspector"]) for line in answer.body["data"])
        if kind == "query":
            assert answer.ok
            line = next((line for line in answer.body["data"] if line["id"] == task), None)
            if line is None:
                return None
            return line["status"], line["inspectTotalCount"], line["inspectFinishedCount"]
        return answer.code


async def test_random_histories_are_explained_by_the_tables(standing: Standing) -> None:
    """Eight clients, six operations each, on one task; a dozen such histories."""
    contacts = [await standing.contact() for _ in range(3)]
    async with transaction(standing.engine) as connection:
        for contact in contacts:
            await put_result(connection, contact, f"silenceRule{contact}")
    answers: set[Any] = set()
    for seed in range(12):
        chance = random.Random(seed)
        people = chance.choice([[], [INSPECTOR], [INSPECTOR]])
        task = await new_task(standing, people, take_effect=seed % 3 > 0)
        held, items = await found(standing, task)
        recorder = Recorder()
        clients = [Client(standing, recorder, n, random.Random(seed * 8 + n)) for n in range(8)]
        order = [item.item for item in items], [item.contact for item in items]
        await asyncio.gather(*(client.act(task, *order, 6) for client in clients))
        start = Picture(
            held.state, tuple(item.state for item in items), tuple(item.inspector for item in items)
        )
        history = sorted(recorder.operations, key=lambda operation: operation.invoked)
        assert len(history) == 48
        assert explained(history, start, model), f"seed {seed}\n{start}\n" + "\n".join(map(str, history))
        answers |= {operation.answer for operation in history if isinstance(operation.answer, str)}
    assert {OK, WRONG, UNKNOWN} <= answers <= {OK, WRONG, UNKNOWN, RACE}
    await check_whole(standing.engine)


@pytest.mark.parametrize(
    ("operations", "is_explained"),
    [
        ([(("terminate",), OK, 0, 1), (("complete", 0, INSPECTOR), OK, 2, 3)], False),
        ([(("terminate",), OK, 0, 3), (("complete", 0, INSPECTOR), OK, 1, 2)], True),
        ([(("complete", 0, INSPECTOR), OK, 0, 2), (("complete", 0, INSPECTOR), OK, 1, 3)], False),
        ([(("terminate",), OK, 0, 1), (("terminate",), OK, 2, 3)], False),
        ([(("terminate",), WRONG, 0, 1)], False),
        ([(("complete", 0, INSPECTOR), OK, 0, 1), (("query",), ("3", 2, 0), 2, 3)], False),
        ([(("complete", 0, INSPECTOR), OK, 0, 3), (("query",), ("3", 2, 0), 1, 2)], True),
    ],
)
def test_the_judge_of_histories_sees_what_is_wrong(operations: list[Any], is_explained: bool) -> None:
    start = Picture(TaskState.IN_EFFECT, (ItemState.WAITING,) * 2, (INSPECTOR, SECOND))
    history = [Operation(n, *parts) for n, parts in enumerate(operations)]
    assert explained(history, start, model) is is_explained
