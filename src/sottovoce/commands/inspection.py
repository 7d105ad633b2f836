"""`sottovoce inspect`: review tasks and plans as operators see them; handing calls over, ending a task."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.commands.telling import (
    AsJson,
    Clocks,
    ConfigOption,
    quietly,
    review_id,
    run_for_within,
    run_within,
    say,
    tabulate,
)
from sottovoce.commands.users import user_id
from sottovoce.config import Settings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER, ReviewId
from sottovoce.domain.plans import PlanLine, PlanRun
from sottovoce.domain.review_lists import ItemFilter, ItemLine, TaskFilter, TaskLine
from sottovoce.domain.reviews import Share, ShareKind, Shares, TaskState, TaskStep
from sottovoce.domain.rights import Operation
from sottovoce.errors import Code, Refused
from sottovoce.quality import access, plans, task_lists, tasks
from sottovoce.storage.review import tasks as task_rows
from sottovoce.storage.review import users
from sottovoce.storage.work import Work, working

commands = typer.Typer(
    no_args_is_help=True,
    help="Inspection after the call: review tasks, their calls and their histories; plans and their runs.",
)

T = TypeVar("T")
Local = Callable[[datetime | None], datetime | None]
"""A moment by a VDN's clock."""

Vdn = Annotated[int, typer.Option("--vdn", help="The VDN.")]
Task = Annotated[str, typer.Argument(metavar="TASK", help="The review task's id, 18 to 20 digits.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")]


@commands.command("tasks")
def list_tasks(
    vdn: Vdn,
    state: Annotated[TaskState | None, typer.Option("--state", help="Only those in this state.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """Show the last review tasks, newest first.

    [bold]stranded[/bold] are open calls of inspectors who are disabled or inspect no longer:
    hand them over with [bold]sottovoce inspect hand-over[/bold].

    Example: [bold]sottovoce inspect tasks --vdn 1 --state in_effect[/bold]
    """

    async def ask(connection: AsyncConnection, vdn: VdnId) -> list[TaskLine]:
        work, reach = _by_command(connection, vdn, Operation.QUERY_TASKS)
        return (await task_lists.query(work, reach, TaskFilter(state=state), page=1, rows=limit))[1]

    found, local = _in(quietly(config), vdn, ask)
    heads = ("task", "name", "state", "made", "calls", "done", "stranded", "plan")
    tabulate(heads, (_task_row(line, local) for line in found), whole=[0], as_json=as_json)


@commands.command("items")
def list_items(task: Task, limit: Limit = 1000, as_json: AsJson = False, config: ConfigOption = None) -> None:
    """Show the calls of a review task, and who inspects them.

    Example: [bold]sottovoce inspect items 1772442000000000041[/bold]
    """

    async def ask(connection: AsyncConnection, vdn: VdnId, task: ReviewId) -> list[ItemLine]:
        work, reach = _by_command(connection, vdn, Operation.QUERY_TASK_ITEMS)
        return (await task_lists.items(work, reach, task, ItemFilter(), page=1, rows=limit))[1]

    found, local = _of(quietly(config), task, ask)
    heads = ("item", "call_uuid", "began", "agent", "inspector", "name", "state", "stranded")
    tabulate(heads, (_item_row(line, local) for line in found), whole=[0], as_json=as_json)


@commands.command("history")
def history(
    task: Annotated[str, typer.Argument(metavar="ID", help="A review task's or a plan's id.")],
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """Show what was done to a review task or a plan, by whom and when; deleted ones too.

    User 0 is the server itself, or a command.

    Example: [bold]sottovoce inspect history 1772442000000000041[/bold]
    """

    async def ask(connection: AsyncConnection, vdn: VdnId, task: ReviewId) -> list[TaskStep]:
        work, reach = _by_command(connection, vdn, Operation.QUERY_TASKS)
        return await task_lists.history(work, reach, task)

    steps, local = _of(quietly(config), task, ask)
    heads = ("number", "at", "user", "action", "detail")
    tabulate(heads, (_step_row(step, local, as_json) for step in steps), whole=[0, 2], as_json=as_json)


@commands.command("hand-over")
def hand_over(
    giver: Annotated[str, typer.Option("--from", metavar="USER", help="Whose open calls.")],
    takers: Annotated[
        list[str], typer.Option("--to", metavar="USER", help="An inspector who takes them; may be repeated.")
    ],
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="TASK", help="Only of this review task; may be repeated."),
    ] = None,
    drop_drafts: Annotated[
        bool, typer.Option("--drop-drafts", help="Without the corrections that were begun.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Give the open calls of an inspector who is away to others, in even parts.

    What is done stays whose it was. Corrections of calls that are not done go with them, unless dropped.

    Example: [bold]sottovoce inspect hand-over --from 1600226476732482572 --to 1679888547924121791[/bold]
    """
    settings = quietly(config)
    who = user_id(giver)
    shares = Shares(ShareKind.EVEN, tuple(Share(user_id(taker)) for taker in takers))
    only = None if task is None else [review_id(one, "a task or plan") for one in task]

    async def work(connection: AsyncConnection) -> dict[ReviewId, int]:
        vdn = await users.tenant_of(connection, who)
        at = datetime.now(UTC)
        async with working(connection, vdn, at, SERVER) as work:
            reach = access.for_the_server(vdn, Operation.APPOINT_TASK)
            wanted = list(await task_rows.held_by(work, who)) if only is None else only
            return {
                one: await tasks.hand_over(work, reach, one, who, shares, drafts=not drop_drafts)
                for one in wanted
            }

    moved = run_within(settings, work)
    for one, count in moved.items():
        say(f"task {one}: {count} handed over")
    if not moved:
        say(f"user {who} has no open call")


@commands.command("terminate")
def terminate(
    task: Task,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in its history and in the audit.")] = "",
    config: ConfigOption = None,
) -> None:
    """End a review task for good: what is done stays, the rest is released.

    With a reason also a task that kept its calls from a later sample of fresh ones, which certificates tell.

    Example: [bold]sottovoce inspect terminate 1772442000000000041 --reason "drawn from the wrong week"[/bold]
    """

    async def work(connection: AsyncConnection, vdn: VdnId, task: ReviewId) -> None:
        async with working(connection, vdn, datetime.now(UTC), SERVER) as work:
            reach = access.for_the_server(vdn, Operation.TERMINATE_TASK)
            await tasks.terminate(work, reach, task, reason.strip())

    _of(quietly(config), task, work)
    say(f"task {task} terminated")


@commands.command("plans")
def list_plans(vdn: Vdn, limit: Limit = 100, as_json: AsJson = False, config: ConfigOption = None) -> None:
    """Show the plans, newest first, each with what its last run made, or why it made nothing.

    Example: [bold]sottovoce inspect plans --vdn 1[/bold]
    """

    async def ask(connection: AsyncConnection, vdn: VdnId) -> list[PlanLine]:
        work, reach = _by_command(connection, vdn, Operation.QUERY_PLANS)
        return (await plans.query(work, reach, 1, limit))[1]

    found, local = _in(quietly(config), vdn, ask)
    heads = ("plan", "name", "state", "runs", "next", "last due", "made")
    tabulate(heads, (_plan_row(line, local) for line in found), whole=[0], as_json=as_json)


@commands.command("runs")
def list_runs(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, 18 to 20 digits.")],
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """Show the runs of a plan, each with the task that it made, or why it made none.

    Example: [bold]sottovoce inspect runs 1772442000000000040[/bold]
    """

    async def ask(connection: AsyncConnection, vdn: VdnId, plan: ReviewId) -> list[PlanRun]:
        return await plans.runs(*_by_command(connection, vdn, Operation.QUERY_PLANS), plan)

    found, local = _of(quietly(config), plan, ask)
    heads = ("due", "ran", "missed before", "made")
    rows = ((local(run.due_at), local(run.ran_at), run.missed, _made(run)) for run in found)
    tabulate(heads, rows, as_json=as_json)


def _by_command(connection: AsyncConnection, vdn: VdnId, operation: Operation) -> tuple[Work, access.Reach]:
    """What a command looks at a tenant with; it sees everything."""
    return Work(connection, vdn, datetime.now(UTC), SERVER), access.for_the_server(vdn, operation)


def _in(
    settings: Settings, vdn: int, ask: Callable[[AsyncConnection, VdnId], Awaitable[T]]
) -> tuple[T, Local]:
    """What `ask` finds in a VDN, which must be there; and its clock."""

    found, clocks = run_for_within(settings, vdn, lambda connection, _: ask(connection, VdnId(vdn)))
    return found, _local(clocks, VdnId(vdn))


def _of(
    settings: Settings, text: str, ask: Callable[[AsyncConnection, VdnId, ReviewId], Awaitable[T]]
) -> tuple[T, Local]:
    """What `ask` finds about the task or plan of that id, with its VDN's clock; or the end of the command."""
    wanted = review_id(text, "a task or plan")

    async def work(connection: AsyncConnection, _: VdnId | None) -> tuple[T, VdnId]:
        vdn = await task_rows.tenant_of(connection, wanted)
        if vdn is None:
            raise Refused(Code.NOT_FOUND, f"there is no task or plan {wanted}")
        return await ask(connection, vdn, wanted), vdn

    (found, vdn), clocks = run_for_within(settings, None, work)
    return found, _local(clocks, vdn)


def _local(clocks: Clocks, vdn: VdnId) -> Local:
    return lambda at: clocks.of(vdn, at)


def _task_row(line: TaskLine, local: Local) -> tuple[object, ...]:
    task = line.task
    counts = (line.inspect_total, line.inspect_done, line.stranded)
    return (task.task, task.name, task.state.value, local(task.created_at), *counts, task.plan)


def _item_row(line: ItemLine, local: Local) -> tuple[object, ...]:
    item = line.item
    who = (item.inspector, line.inspector_name)
    stranded = "no longer inspects" if line.stranded else None
    begun = (str(line.contact.uuid), local(item.began_at), item.agent)
    return (item.item, *begun, *who, item.state.value, stranded)


def _step_row(step: TaskStep, local: Local, as_json: bool) -> tuple[object, ...]:
    detail = step.detail if as_json else json.dumps(step.detail, ensure_ascii=False)
    return (step.number, local(step.at), step.user, step.action, detail)


def _plan_row(line: PlanLine, local: Local) -> tuple[object, ...]:
    plan, last = line.plan, line.last
    ran = (None, None) if last is None else (local(last.due_at), _made(last))
    return (plan.plan, plan.name, plan.state.value, plan.runs, local(plan.next_at), *ran)


def _made(run: PlanRun) -> str:
    return f"task {run.task}" if run.task is not None else f"nothing: {run.failure}"
