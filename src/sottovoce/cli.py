"""The command line. `sottovoce --help` shows the way; each command's own help has an example."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from sottovoce import __version__
from sottovoce.commands import (
    agents,
    app_keys,
    audit,
    backup,
    compat,
    contacts,
    database,
    inspection,
    retention,
    running,
    sampling,
    settings,
    status,
    users,
)
from sottovoce.commands.telling import telling

app = typer.Typer(
    name="sottovoce",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""First steps:

\b
  sottovoce demo                        hear (or see) a whisper in a call
  sottovoce agents import hotline.yaml  configure a VDN; --help shows a file
  sottovoce config check                what is in force, and what is wrong
  sottovoce serve                       run the server
""",
)


def _flow(group: typer.Typer) -> None:
    """Let paragraphs of help fill the terminal, whatever its width; those that begin with \\b stay."""
    for command in group.registered_commands:
        paragraphs = (inspect.getdoc(command.callback) or "").split("\n\n")
        flowing = (text if text.startswith("\b") else text.replace("\n", " ") for text in paragraphs)
        command.help = "\n\n".join(flowing)
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _flow(inner.typer_instance)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sottovoce {__version__}")
        raise typer.Exit


@app.callback()
def _all(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """An inspector listens to running calls, whispers to the agent, steps in. Proves who hears whom."""


app.command("demo")(running.demo)
app.command("selftest")(running.selftest)
app.command("serve")(running.serve)
app.command("status")(status.status)
app.command("migrate")(database.migrate)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(agents.commands, name="agents")
app.add_typer(users.commands, name="user")
app.add_typer(app_keys.commands, name="app-keys")
app.add_typer(contacts.commands, name="contacts")
app.add_typer(inspection.commands, name="inspect")
app.add_typer(retention.commands, name="retention")
app.add_typer(sampling.commands, name="sampling")
app.add_typer(audit.commands, name="audit")
app.add_typer(compat.commands, name="compat")
app.add_typer(settings.commands, name="config")
_flow(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; its exit code: 0 done, 1 it failed, 2 called or set wrongly."""

    def command() -> int:
        try:
            app(args=list(arguments) if arguments is not None else None, prog_name="sottovoce")
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(bool(end.code))
        return 0

    return telling(command)


if __name__ == "__main__":
    sys.exit(main())
