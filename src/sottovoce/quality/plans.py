"""Plans: added, changed, begun, stopped, deleted, listed [2497-2502], and run when they come due.

`next_at` in the plan's row is the truth: a run takes the row, makes task, items, appointment and its own
record and moves `next_at` on, all in one transaction. So a run that dies half-way has not happened and
comes due again, and of two servers that run a plan at once one finds it taken. Nobody else needs to
remember anything; `quality.jobs` only looks now and then.

What a run takes is decided by when a contact became inspectable, never by when its call began: what was
imported late or was still talking is in the next run, and nothing is in two (`domain.plans.Plan.takes`).

Unless said otherwise, all decline with NOT_FOUND (unknown, another tenant's, deleted, or not the
caller's), WRONG_STATE, NO_RIGHT.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER, ReviewId, UserId
from sottovoce.domain.plans import (
    Cycle,
    Due,
    Plan,
    PlanAction,
    PlanLine,
    PlanOrder,
    PlanRun,
    PlanState,
    Schedule,
    due,
    follow,
    next_due,
    no_plan,
    previous_due,
    task_name,
)
from sottovoce.domain.reviews import TaskOrder
from sottovoce.domain.rights import Operation, Scope
from sottovoce.domain.sampling import Conditions
from sottovoce.errors import Code, Refused
from sottovoce.plain import to_plain
from sottovoce.quality import access, sampling, tasks
from sottovoce.quality.access import Reach
from sottovoce.quality.office import Office
from sottovoce.storage.review import ids, plans, users
from sottovoce.storage.work import Work

log = structlog.get_logger(__name__)


async def add(work: Work, reach: Reach, order: PlanOrder) -> ReviewId:
    """A new plan; it does not run until it is begun. A leader's draws from the agents whom they lead.

    Refused(BAD_PARAMETER).
    """
    await tasks.check_people(work, reach, order.shares)
    tasks.within_reach(reach, order.conditions)
    (plan,) = await ids.fresh(work.connection, work.at)
    made = Plan(
        plan=plan,
        name=order.name,
        state=PlanState.STOPPED,
        schedule=await _by_the_tenants_clock(work, order.schedule),
        conditions=order.conditions,
        shares=order.shares,
        runs=0,
        next_at=None,
        created_by=reach.user.user,
        created_at=work.at,
        led_by=_led_by(reach),
    )
    await plans.insert(work, made)
    await tasks.put_down(work, plan, "add", _told(made))
    work.audit("plan.add", plan, name=made.name)
    return plan


async def update(work: Work, reach: Reach, plan: ReviewId, order: PlanOrder) -> None:
    """Another name, calendar, sample and inspectors. A running plan keeps running, by the new calendar.

    One whose new calendar has nothing left to come is stopped. Also Refused(BAD_PARAMETER).
    """
    held = await _held(work, reach, plan)
    follow(held.state, PlanAction.UPDATE)
    await tasks.check_people(work, reach, order.shares)
    tasks.within_reach(reach, order.conditions)
    schedule = await _by_the_tenants_clock(work, order.schedule)
    next_at = None
    if held.state is PlanState.RUNNING:
        next_at = _next(held, schedule, work.at)
    changed = replace(
        held,
        name=order.name,
        state=PlanState.STOPPED if next_at is None else PlanState.RUNNING,
        schedule=schedule,
        conditions=order.conditions,
        shares=order.shares,
        next_at=next_at,
        led_by=_led_by(reach),
    )
    await plans.change(
        work,
        plan,
        name=changed.name,
        running=next_at is not None,
        next_at=next_at,
        schedule=to_plain(schedule),
        conditions=to_plain(changed.conditions),
        shares=to_plain(changed.shares),
        led_by=changed.led_by,
    )
    await tasks.put_down(work, plan, "update", _told(changed) | {"before": _told(held)})
    work.audit("plan.update", plan, name=changed.name, running=next_at is not None)


async def begin(work: Work, reach: Reach, plan: ReviewId) -> None:
    """Let a plan come due from now on; times before now are not made up for.

    The first run takes the calls of one cycle, and whatever becomes inspectable from now on, as all others.
    WRONG_STATE also where nothing is left to come.
    """
    held = await _held(work, reach, plan)
    follow(held.state, PlanAction.BEGIN)
    schedule = await _by_the_tenants_clock(work, held.schedule)
    next_at = next_due(schedule, work.at, held.runs)
    if next_at is None:
        raise Refused(Code.WRONG_STATE, "the plan has ended: nothing is left to come")
    await plans.change(
        work,
        plan,
        running=True,
        next_at=next_at,
        schedule=to_plain(schedule),
        begun_after=await plans.arrived(work),
        began_from=previous_due(schedule, next_at),
    )
    await tasks.put_down(work, plan, "begin", {"next_at": next_at.isoformat()})
    work.audit("plan.begin", plan, next_at=next_at.isoformat())


async def stop(work: Work, reach: Reach, plan: ReviewId) -> None:
    """Let a plan come due no more until it is begun again. Tasks that it made go on."""
    held = await _held(work, reach, plan)
    follow(held.state, PlanAction.STOP)
    await plans.change(work, plan, running=False, next_at=None)
    await tasks.put_down(work, plan, "stop", {})
    work.audit("plan.stop", plan)


async def delete(work: Work, reach: Reach, plan: ReviewId) -> None:
    """Take a plan away, a running one too. Its runs and history stay on record, its tasks go on."""
    held = await _held(work, reach, plan)
    follow(held.state, PlanAction.DELETE)
    await plans.change(work, plan, running=False, next_at=None, deleted_at=work.at)
    await tasks.put_down(work, plan, "delete", {})
    work.audit("plan.delete", plan)


async def query(work: Work, reach: Reach, page: int, rows: int) -> tuple[int, list[PlanLine]]:
    """How many plans the caller sees, and a page of them (from 1), the newest first."""
    made_by = None if reach.scope is Scope.ALL else reach.user.user
    total, found = await plans.page(work, made_by, (page - 1) * rows, rows)
    last = await plans.last_runs(work, [plan.plan for plan in found])
    return total, [PlanLine(plan, last.get(plan.plan)) for plan in found]


async def runs(work: Work, reach: Reach, plan: ReviewId) -> list[PlanRun]:
    """The runs of a plan, the first one first, with what each made or why it made nothing."""
    await _seen(work, reach, plan)
    return await plans.runs(work, plan)


async def run(office: Office, vdn: VdnId, plan: ReviewId) -> PlanRun | None:
    """Run a plan that is due; None: it is not (any more), or somebody else runs it at this moment.

    Where no task can be made of it (nothing qualifies, an inspector is none any more) the run is put down
    with the reason, told in the log, and the plan goes on. Refused(UNAVAILABLE): it has not run.
    """
    async with office.work(vdn, SERVER) as work:
        found = await plans.take_due(work, plan)
        if found is None:
            return None
        # Before the draw is begun: whatever has become inspectable by now was numbered by then.
        until = await plans.arrived(work)
    task, draw = await sampling.begin(office, vdn, SERVER, maker=found.created_by)
    try:
        async with office.work(vdn, SERVER) as work:
            held = await plans.take_due(work, plan)
            if held is None:
                return None
            now = _due_now(work, held)
            takes = held.takes(until)
            name = task_name(held.name, held.schedule, now.at)
            order = TaskOrder(name, await _conditions(work, held), arrivals=takes)
            server = access.for_the_server(vdn, Operation.APPOINT_TASK)
            await tasks.check_people(work, server, held.shares)
            await tasks.make(
                work,
                office,
                task=task,
                draw=draw,
                order=order,
                created_by=held.created_by,
                shares=held.shares,
                plan=plan,
                in_effect=True,
            )
            await plans.change(work, plan, taken_until=takes.until, begun_after=None, began_from=None)
            return await _ran(work, held, now, task, None)
    except Refused as declined:
        if declined.code is Code.UNAVAILABLE:
            raise
        failure = ": ".join(part for part in (declined.code.value, declined.field, declined.why) if part)
    async with office.work(vdn, SERVER) as work:
        held = await plans.take_due(work, plan)
        made = None if held is None else await _ran(work, held, _due_now(work, held), None, failure)
    if made is not None:
        log.warning("a plan made no task", vdn=vdn, plan=plan, due=made.due_at.isoformat(), reason=failure)
    return made


async def coming_due(office: Office) -> list[tuple[VdnId, ReviewId]]:
    """The plans of all tenants that are to be run now. Refused(UNAVAILABLE)."""
    async with office.transaction() as connection:
        return await plans.coming_due(connection, office.clock.now())


async def _ran(work: Work, held: Plan, now: Due, task: ReviewId | None, failure: str | None) -> PlanRun:
    """Put a run down and move the plan on, in the transaction that holds its row."""
    made = PlanRun(held.plan, now.at, work.at, now.missed, task, failure)
    runs = held.runs + 1
    next_at = next_due(held.schedule, now.at, runs)
    await plans.add_run(work, made)
    await plans.change(work, held.plan, runs=runs, next_at=next_at, running=next_at is not None)
    detail: dict[str, str | int | bool] = {
        "due": now.at.isoformat(),
        "missed": now.missed,
        "ended": next_at is None,
        **({"task": task} if task is not None else {"failure": failure or ""}),
    }
    await tasks.put_down(work, held.plan, "run", detail)
    work.audit("plan.run", held.plan, **detail)
    return made


async def _held(work: Work, reach: Reach, plan: ReviewId) -> Plan:
    """A plan that the caller may do that to, locked."""
    return await _seen(work, reach, plan, lock=True)


async def _seen(work: Work, reach: Reach, plan: ReviewId, *, lock: bool = False) -> Plan:
    held = await plans.find(work, plan, lock=lock)
    if held is None or held.state is PlanState.DELETED:
        raise no_plan()
    if reach.scope is not Scope.ALL and held.created_by != reach.user.user:
        raise no_plan()
    return held


def _led_by(reach: Reach) -> UserId | None:
    """Whose agents a plan draws from that such a right makes; None: from all."""
    return None if reach.scope is Scope.ALL else reach.user.user


async def _conditions(work: Work, held: Plan) -> Conditions:
    """What a run draws by: of the agents whom the plan's leader leads now. Refused(NO_RIGHT): of nobody."""
    if held.led_by is None:
        return held.conditions
    led = await users.led(work, held.led_by)
    try:
        return held.conditions.among(led.inspected)
    except ValueError:
        why = f"user {held.led_by} leads none of the plan's agents"
        raise Refused(Code.NO_RIGHT, why) from None


async def _by_the_tenants_clock(work: Work, schedule: Schedule) -> Schedule:
    return replace(schedule, zone=await plans.time_zone(work))


def _due_now(work: Work, held: Plan) -> Due:
    now = None if held.next_at is None else due(held.schedule, held.next_at, work.at)
    if now is None:
        raise LookupError(f"plan {held.plan} was taken and is not due")
    return now


def _next(held: Plan, schedule: Schedule, now: datetime) -> datetime | None:
    """When a running plan comes due next by a new schedule. What is due already and not run yet stays due
    unless the calendar itself has changed."""
    after = now
    if held.next_at is not None and _calendar(held.schedule) == _calendar(schedule):
        after = min(now, held.next_at - timedelta(seconds=1))
    return next_due(schedule, after, held.runs)


def _calendar(schedule: Schedule) -> tuple[Cycle, datetime, str]:
    return schedule.cycle, schedule.start, schedule.zone


def _told(plan: Plan) -> dict[str, object]:
    """A plan as histories have it."""
    return {
        "name": plan.name,
        "running": plan.state is PlanState.RUNNING,
        "schedule": to_plain(plan.schedule),
        "conditions": to_plain(plan.conditions),
        "shares": to_plain(plan.shares),
    }
