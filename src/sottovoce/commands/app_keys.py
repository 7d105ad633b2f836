"""`sottovoce app-keys`: make them for the programs that call, list them, take them away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.commands.telling import (
    FAILED,
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
from sottovoce.commands.users import check_name, user_id
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER, AppKey, UserId
from sottovoce.errors import Code, Refused
from sottovoce.storage import audit
from sottovoce.storage.live import directory
from sottovoce.storage.review import app_keys, users
from sottovoce.storage.work import Work

commands = typer.Typer(
    no_args_is_help=True,
    help="""App keys: with key and secret a program gets its access token (tokenByAkSk).

A key belongs to one VDN and reaches nothing of another. Only a hash of the secret is kept.
""",
)


@commands.command("add")
def add(
    vdn: Annotated[int, typer.Option("--vdn", help="The VDN for which the program calls.")],
    name: Annotated[str, typer.Option("--name", help="What you call the program.")],
    user: Annotated[
        str | None,
        typer.Option(
            "--user", metavar="ID", help="Who acts where a request has no x-UserId; without it, nobody."
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make an app key. The secret is shown this once and never again.

    Example: [bold]sottovoce app-keys add --vdn 1 --name "CRM" --user 1611917095665261978[/bold]
    """
    settings = quietly(config)
    check_name(name)
    acting = user_id(user) if user is not None else None
    key, secret = run_within(settings, lambda connection: _make(connection, VdnId(vdn), name, acting))
    typer.echo(f"app_key     {key.app_key}")
    typer.echo(f"app_secret  {secret}")
    typer.echo("The secret is shown only now. Whoever has it acts for this VDN.", err=True)


@commands.command("list")
def list_(
    vdn: OnlyVdn = None,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """List the app keys, revoked ones included. Never shows a secret.

    Example: [bold]sottovoce app-keys list --vdn 1[/bold]
    """
    settings = quietly(config)
    keys, clocks = run_for_within(settings, vdn, app_keys.listed)
    heads = ("app_key", "VDN", "name", "user", "made", "revoked")
    tabulate(heads, (_row(key, clocks) for key in keys), whole=[0], as_json=as_json)


@commands.command("revoke")
def revoke(
    app_key: Annotated[str, typer.Argument(metavar="APP_KEY", help="The key, as `list` shows it.")],
    config: ConfigOption = None,
) -> None:
    """Take an app key away, at once: its tokens end with it.

    Example: [bold]sottovoce app-keys revoke 0b5e1c7e2f0a4c55b7f1c0de7a6b9d13[/bold]
    """
    settings = quietly(config)
    if not run_within(settings, lambda connection: _revoke(connection, app_key)):
        fail([f"there is no app key {app_key}"], FAILED)
    typer.echo(f"app key {app_key} revoked, and all its tokens")


async def _make(
    connection: AsyncConnection, vdn: VdnId, name: str, user: UserId | None
) -> tuple[AppKey, str]:
    """A key and its secret, audited. Refused(NOT_FOUND): no such VDN, or the user is not of it."""
    if not await directory.has_vdn(connection, vdn):
        raise Refused(Code.NOT_FOUND, f"there is no VDN {vdn}")
    work = Work(connection, vdn, datetime.now(UTC), SERVER)
    if user is not None and await users.find(work, user) is None:
        raise Refused(Code.NOT_FOUND, f"VDN {vdn} has no user {user}")
    key, secret = await app_keys.make(work, name, user)
    detail = {"name": name, "user": user or "none"}
    await audit.by_command_line(connection, vdn, work.at, "directory.app_key", key.app_key, detail)
    return key, secret


async def _revoke(connection: AsyncConnection, app_key: str) -> bool:
    at = datetime.now(UTC)
    key = await app_keys.revoke(connection, app_key, at)
    if key is not None and key.revoked_at == at:
        await audit.by_command_line(
            connection, key.vdn, at, "directory.app_key_revoked", app_key, {"name": key.name}
        )
    return key is not None


def _row(key: AppKey, clocks: Clocks) -> tuple[object, ...]:
    made, revoked = (clocks.of(key.vdn, at) for at in (key.made_at, key.revoked_at))
    return key.app_key, key.vdn, key.name, key.user, made, revoked
