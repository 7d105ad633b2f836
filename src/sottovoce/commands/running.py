"""`sottovoce serve`, `demo` and `selftest`: thin, each loads its room only when called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sottovoce import logs
from sottovoce.commands.telling import ConfigOption, settings_of


def serve(config: ConfigOption = None) -> None:
    """Run the server until it is told to stop (Ctrl-C or SIGTERM).

    SIGHUP has it read its certificate again and reopen its log; no call notices. Under systemd it says when
    it is ready and that it lives.

    Example: [bold]sottovoce serve --config /etc/sottovoce.toml[/bold]
    """
    from sottovoce import app

    settings = settings_of(config)
    if settings.log.file is not None:
        logs.configure(settings.log.level, settings.log.format, file=settings.log.file)
    _end_with(app.serve(settings))


def demo(
    agents: Annotated[int, typer.Option("--agents", min=1, max=20, help="How many agents.")] = 3,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=1, help="End by itself after so many seconds.")
    ] = None,
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Walk an inspector through it and end; exit code 1 if a whisper leaks."),
    ] = False,
) -> None:
    """Run a small contact centre with customers who really call.

    It names a file of curl lines to listen and to whisper with. Everything is on free ports of this machine
    and gone after Ctrl-C.

    Example: [bold]sottovoce demo[/bold]
    """
    from sottovoce.demo import run

    _end_with(run.main(agents=agents, seconds=seconds, prove=prove))


def selftest(
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="URL", help="A running server, instead of one started for the test."
        ),
    ] = None,
    stage: Annotated[
        Path | None,
        typer.Option(
            "--stage", metavar="FILE", help="The test agents of that server; without it, an example is shown."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON on standard output.")
    ] = False,
) -> None:
    """Prove who hears whom: phones with a tone each walk through every mode of supervision.

    Prints the matrix of who hears whom, the leakage of the whisper to the customer and the time from
    command to ear. Exit code 1 on any wrong cell.

    Example: [bold]sottovoce selftest[/bold]

    Example: [bold]sottovoce selftest --against https://pbx.example:8043 --stage agents.yaml[/bold]
    """
    from sottovoce.demo.trial import selftest_stage
    from sottovoce.selftest import run

    logs.configure("error")
    own = selftest_stage if against is None and stage is None else None
    _end_with(run.main(start=own, against=against, stage=stage, as_json=as_json))


def _end_with(code: int) -> None:
    if code:
        raise typer.Exit(code)
