"""`sottovoce compat`: check a server against the documented interfaces."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sottovoce import logs
from sottovoce.commands.telling import WRONG_CALL, fail

commands = typer.Typer(
    no_args_is_help=True, help="Check any server against the documented interfaces of a family."
)

SECRET = "CCSQM_APP_SECRET"  # noqa: S105 - a variable's name
_HOW = f"""Name a server:

  sottovoce compat cc-sqm --against http://127.0.0.1:8043 --app-key KEY --director USERID

The secret of the key is read from {SECRET}, or from standard input. At a Sottovoce of your own
`sottovoce app-keys add` makes a key, `sottovoce user add` the users."""


def _user(option: str, who: str) -> typer.models.OptionInfo:
    option_info: typer.models.OptionInfo = typer.Option(
        option, metavar="USERID", help=f"The user id of {who}."
    )
    return option_info


@commands.command("cc-sqm")
def cc_sqm(
    against: Annotated[str | None, typer.Option("--against", metavar="URL", help="The server.")] = None,
    app_key: Annotated[str | None, typer.Option("--app-key", metavar="KEY", help="Its app key.")] = None,
    director: Annotated[str | None, _user("--director", "a quality director; always needed")] = None,
    inspector: Annotated[str | None, _user("--inspector", "an inspector, to whom calls are dealt")] = None,
    leader: Annotated[str | None, _user("--leader", "a leader of inspectors")] = None,
    table_director: Annotated[str | None, _user("--table-director", "an agents' director")] = None,
    table_leader: Annotated[str | None, _user("--table-leader", "the leader of the agent below")] = None,
    agent: Annotated[str | None, _user("--agent-user", "an agent")] = None,
    scratch_call: Annotated[
        str | None,
        typer.Option(
            "--scratch-call",
            metavar="UUID",
            help="A call of that agent with rule results: it is appealed against and revised.",
        ),
    ] = None,
    lasting: Annotated[
        bool,
        typer.Option(
            "--lasting", help="Make also what no documented interface deletes: a score profile, a scenario."
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PART", help="Check this part alone; may be repeated."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail also where the expectation is only inferred.")
    ] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="Take any TLS certificate.")] = False,
    into: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the findings there too.")
    ] = None,
) -> None:
    """Check a server's quality inspection (CC-SQM, CC-iSQM, token) against the API Reference.

    The secret of the app key is read from CCSQM_APP_SECRET, or else from standard input.

    Judges by what the pages say. What is only inferred is marked, and fails with --strict alone. Checks for
    which a person or a call was not named are skipped. The check changes only what it made itself, under
    names of its own: tasks over sampled calls (one call is finished), plans that never run. All of it is
    deleted; what was put into effect is terminated and stays on record.

    Exit code 0 if nothing failed, 1 if something did, 2 if nothing could be asked.

    Example: [bold]sottovoce compat cc-sqm --against https://quality.example --app-key 5f0c... --director
    1611917095665261978 --inspector 1600226476732482572[/bold]
    """
    from sottovoce.compat import run
    from sottovoce.compat.bench import People

    logs.configure("error")
    if against is None:
        typer.echo(_HOW)
        raise typer.Exit(WRONG_CALL)
    if not against.startswith(("http://", "https://")) or any(sign.isspace() for sign in against):
        fail(["--against is a URL, such as http://127.0.0.1:8043"], WRONG_CALL)
    if app_key is None or director is None:
        fail(["--app-key and --director are needed; see `sottovoce compat cc-sqm --help`"], WRONG_CALL)
    people = People(director, inspector, leader, table_director, table_leader, agent)
    if unknown := {word.partition(":")[0] for word in only or ()} - run.PARTS:
        told = ", ".join(sorted(unknown))
        fail([f"--only: there is no part {told}; parts are {', '.join(sorted(run.PARTS))}"], WRONG_CALL)
    code = run.main(
        against,
        app_key,
        _secret(),
        people,
        scratch_call=scratch_call,
        lasting=lasting,
        only=tuple(only or ()),
        strict=strict,
        verify=not insecure,
        into=into,
    )
    if code:
        raise typer.Exit(code)


def _secret() -> str:
    if found := os.environ.get(SECRET):
        return found
    if sys.stdin.isatty():
        return str(typer.prompt("App secret", hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")
