"""`sottovoce user`: add, list, disable and enable, and change roles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.commands.telling import (
    WRONG_CALL,
    AsJson,
    Clocks,
    ConfigOption,
    OnlyVdn,
    fail,
    quietly,
    run_for_within,
    run_within,
    tabulate,
)
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import SERVER, Role, UserId
from sottovoce.storage.live.seed import USER_ID
from sottovoce.storage.review import tasks, users
from sottovoce.storage.work import Work
from sottovoce.wording import counted

commands = typer.Typer(
    no_args_is_help=True,
    help="""Users of the after-call half: who inspects, who is inspected, who leads.

\b
  quality_director   runs inspection: tasks, plans, appeals, scores
  quality_leader     the same for the groups led
  inspector          inspects the calls they are given
  table_director     answers for all agents; judges appeals first
  table_leader       the same for the groups led
  staff              an agent: sees their own calls and appeals

Groups come in with `sottovoce agents import`.
""",
)

User = Annotated[str, typer.Argument(metavar="USER", help="The user's id, of 18 to 20 digits.")]


@commands.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")],
    vdn: Annotated[int, typer.Option("--vdn", help="The VDN, which must be there.")],
    role: Annotated[
        list[Role] | None, typer.Option("--role", metavar="ROLE", help="A role; may be repeated.")
    ] = None,
    agent: Annotated[
        int | None, typer.Option("--agent", help="The work number, if the user is an agent too.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="The user's id; made unless given.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Add a user to a VDN, and print the id that clients send as x-UserId.

    Example: [bold]sottovoce user add "Ida Inspector" --vdn 1 --role inspector[/bold]
    """
    settings = quietly(config)
    check_name(name)
    given = user_id(user) if user is not None else None
    held = AgentId(agent) if agent is not None else None

    async def work(connection: AsyncConnection) -> UserId:
        tenant = Work(connection, VdnId(vdn), datetime.now(UTC), SERVER)
        return await users.add(tenant, name, role or (), agent=held, user=given)

    typer.echo(f"user {run_within(settings, work)} added")


@commands.command("list")
def list_(
    vdn: OnlyVdn = None,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """List the users with their roles and groups.

    Example: [bold]sottovoce user list --vdn 1[/bold]
    """
    settings = quietly(config)
    found, clocks = run_for_within(settings, vdn, users.listed)
    heads = ("user", "VDN", "name", "agent", "roles", "groups", "disabled")
    tabulate(heads, (_row(one, clocks) for one in found), whole=[0], as_json=as_json)


@commands.command("disable")
def disable(user: User, config: ConfigOption = None) -> None:
    """Let a user do nothing from now on. What they did stays on record; open calls of theirs are told.

    Example: [bold]sottovoce user disable 1611917095665261978[/bold]
    """
    settings = quietly(config)
    who = user_id(user)
    at = datetime.now(UTC)

    async def work(connection: AsyncConnection) -> int:
        await users.disable(connection, who, at)
        tenant = Work(connection, await users.tenant_of(connection, who), at, SERVER)
        return sum((await tasks.held_by(tenant, who)).values())

    left = run_within(settings, work)
    typer.echo(f"user {who} disabled")
    if left:
        typer.echo(f"{who} has {counted(left, 'open call')}: sottovoce inspect hand-over --from {who} --to …")


@commands.command("enable")
def enable(user: User, config: ConfigOption = None) -> None:
    """Let a disabled user work again.

    Example: [bold]sottovoce user enable 1611917095665261978[/bold]
    """
    settings = quietly(config)
    who = user_id(user)
    run_within(settings, lambda connection: users.enable(connection, who, datetime.now(UTC)))
    typer.echo(f"user {who} enabled")


@commands.command("roles")
def roles(
    user: User,
    role: Annotated[
        list[Role] | None,
        typer.Argument(metavar="ROLE", help="Each role from now on; `user --help` lists them."),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take all roles away.")] = False,
    config: ConfigOption = None,
) -> None:
    """Give a user these roles, and take all others away.

    Example: [bold]sottovoce user roles 1611917095665261978 inspector quality_leader[/bold]
    """
    settings = quietly(config)
    who = user_id(user)
    if none == bool(role):
        fail(["name the roles that the user has from now on, or give --none"], WRONG_CALL)
    wanted = frozenset(role or ())

    async def work(connection: AsyncConnection) -> frozenset[Role]:
        return await users.set_roles(connection, who, wanted, datetime.now(UTC))

    before = run_within(settings, work)
    typer.echo(f"user {who}: {users.joined(before)} before, now {users.joined(wanted)}")


def check_name(text: str) -> None:
    """End the command unless a text can be the name of a user or a program."""
    if not text.strip() or len(text) > 128 or not text.isprintable():
        fail(["a name has 1 to 128 signs in one line"], WRONG_CALL)


def user_id(text: str) -> UserId:
    """The user id that a text is, or the end of the command."""
    if not USER_ID.fullmatch(text):
        fail([f"{text!r} is no user id: it has 18 to 20 digits and does not begin with 0"], WRONG_CALL)
    return UserId(text)


def _row(one: users.Listed, clocks: Clocks) -> tuple[object, ...]:
    user = one.user
    disabled = clocks.of(user.vdn, one.disabled_at)
    return user.user, user.vdn, user.name, user.agent, users.in_order(user.roles), one.groups, disabled
