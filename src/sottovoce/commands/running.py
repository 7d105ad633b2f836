"""`sottovoce serve`, `demo` and `selftest`: thin, each loads its room only when called."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Annotated, Any

import typer

from sottovoce.commands.telling import ConfigOption, settings_of


def serve(config: ConfigOption = None) -> None:
    """Run the server until it is told to stop (Ctrl-C or SIGTERM).

    Example: [bold]sottovoce serve --config /etc/sottovoce.toml[/bold]
    """
    _end_with(_entry("sottovoce.app", "serve")(settings_of(config)))


def demo(
    agents: Annotated[int, typer.Option("--agents", min=1, max=20, help="How many agents.")] = 3,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=1, help="End by itself after so many seconds.")
    ] = None,
) -> None:
    """Run a small contact centre with customers who really call, and print curl lines to whisper into a call.

    Everything is on free ports of this machine and gone after Ctrl-C.

    Example: [bold]sottovoce demo[/bold]
    """
    _end_with(_entry("sottovoce.demo.run", "main")(agents=agents, seconds=seconds))


def selftest(
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="URL", help="A running server, instead of one started for the test."
        ),
    ] = None,
) -> None:
    """Prove who hears whom: phones with a tone each walk through every mode of supervision.

    Prints the matrix of who hears whom, the leakage of the whisper to the customer and the time from
    command to ear. Exit code 1 on any wrong cell.

    Example: [bold]sottovoce selftest[/bold]
    """
    _end_with(_entry("sottovoce.selftest.run", "main")(against=against))


def _entry(module: str, name: str) -> Callable[..., Any]:
    entry: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return entry


def _end_with(code: object) -> None:
    if isinstance(code, int) and code:
        raise typer.Exit(code)
