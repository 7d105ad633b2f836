"""Use cases as the interfaces call them: in a unit of work, with a right that was granted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sottovoce.domain.people import Role, User
from sottovoce.domain.plans import PlanRun
from sottovoce.domain.rights import Operation
from sottovoce.quality import (
    access,
    appeals,
    contacts,
    inspection,
    plans,
    playback,
    scenarios,
    score_profiles,
    task_lists,
    tasks,
)
from sottovoce.quality.office import Office

RIGHTS: dict[Callable[..., Awaitable[Any]], Operation] = {
    tasks.create: Operation.CREATE_TASK,
    tasks.update: Operation.UPDATE_TASK,
    tasks.appoint: Operation.APPOINT_TASK,
    tasks.hand_over: Operation.APPOINT_TASK,
    tasks.appointable: Operation.APPOINT_TASK,
    tasks.take_effect: Operation.TAKE_EFFECT,
    tasks.terminate: Operation.TERMINATE_TASK,
    tasks.delete: Operation.DELETE_TASK,
    task_lists.query: Operation.QUERY_TASKS,
    task_lists.items: Operation.QUERY_TASK_ITEMS,
    task_lists.history: Operation.QUERY_TASKS,
    inspection.revise_result: Operation.REVISE_RESULT,
    inspection.enter_finding: Operation.REVISE_RESULT,
    inspection.show: Operation.QUERY_TASK_ITEMS,
    inspection.complete: Operation.COMPLETE_ITEM,
    plans.add: Operation.ADD_PLAN,
    plans.update: Operation.UPDATE_PLAN,
    plans.begin: Operation.BEGIN_PLAN,
    plans.stop: Operation.STOP_PLAN,
    plans.delete: Operation.DELETE_PLAN,
    plans.query: Operation.QUERY_PLANS,
    plans.runs: Operation.QUERY_PLANS,
    contacts.search: Operation.QUERY_CONTACTS,
    contacts.show: Operation.SHOW_CONTACT,
    playback.begin: Operation.HEAR_RECORDING,
    playback.sound: Operation.HEAR_RECORDING,
    playback.waveform: Operation.HEAR_RECORDING,
    appeals.file_appeal: Operation.FILE_APPEAL,
    appeals.listing: Operation.QUERY_QUALITY_ITEMS,
    appeals.show: Operation.SHOW_QUALITY_ITEM,
    appeals.scores: Operation.SHOW_QUALITY_SCORES,
    appeals.history: Operation.SHOW_QUALITY_HISTORY,
    appeals.judge: Operation.JUDGE_QUALITY_ITEM,
    appeals.assign: Operation.REASSIGN_QUALITY_ITEM,
    appeals.revise: Operation.REVISE_QUALITY_ITEM,
    scenarios.create: Operation.EDIT_SCENARIOS,
    score_profiles.create: Operation.EDIT_SCORE_PROFILES,
    score_profiles.apply: Operation.EDIT_SCORE_PROFILES,
}


async def asked(
    use_case: Callable[..., Awaitable[Any]],
    office: Office,
    user: User,
    *given: Any,
    acting_as: Role | None = None,
    **named: Any,
) -> Any:
    """What a use case gives that user. Refused as it is, and where the user has no right to it."""
    reach = access.granted(user, RIGHTS[use_case], acting_as)
    if use_case in (tasks.create, tasks.update, playback.begin, playback.sound, playback.waveform):
        return await use_case(office, reach, *given, **named)
    snapshot = use_case in (task_lists.query, task_lists.items)
    async with office.work(user.vdn, user.user, snapshot=snapshot) as work:
        return await use_case(work, reach, *given, **named)


async def run_due(office: Office) -> list[PlanRun]:
    """Run all that is due, one after the other."""
    done = [await plans.run(office, vdn, plan) for vdn, plan in await plans.coming_due(office)]
    return [one for one in done if one is not None]
