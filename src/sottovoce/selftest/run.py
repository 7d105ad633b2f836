"""The entry of `sottovoce selftest`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from rich.console import Console

from sottovoce.selftest.findings import Findings
from sottovoce.selftest.measures import PROBLEMS, Walk, Watch
from sottovoce.selftest.parties import taking_part
from sottovoce.selftest.proof import prove_same_bytes
from sottovoce.selftest.report import ProofReport
from sottovoce.selftest.stage import EXAMPLE, BadStage, Stage, read_stage
from sottovoce.selftest.steps import WALK, Step

StartStage = Callable[[], AbstractAsyncContextManager[Stage]]
"""Starts a server of its own with test agents; it is gone when the block ends."""
WRONG, BAD_CALL = 1, 2


def main(
    *,
    start: StartStage | None = None,
    against: str | None = None,
    stage: Path | None = None,
    as_json: bool = False,
    steps: Sequence[Step] = WALK,
) -> int:
    """Prove who hears whom, at a server started by `start`, or at the running one that `stage` describes.

    `against` is that server's HTTP address, in place of the file's; `steps` are walked. The exit code is 0
    when everything was as expected, 1 if anything was not, 2 if it could not be begun.
    """
    errors = Console(stderr=True)
    if stage is not None:
        try:
            given = read_stage(stage, against=against)
        except BadStage as failure:
            errors.print(str(failure), markup=False, soft_wrap=True)
            return BAD_CALL
        found = asyncio.run(_at(given, steps, as_json=as_json))
    elif against is not None or start is None:
        errors.print(
            f"a running server is tested with agents of its own; describe them in a file:\n\n{EXAMPLE}",
            markup=False,
        )
        return BAD_CALL
    else:
        found = asyncio.run(_own(start, steps, as_json=as_json))
    if as_json:
        json.dump(found.as_json(), sys.stdout, indent=2)
        sys.stdout.write("\n")
    return 0 if found.right else WRONG


async def walk(stage: Stage, watch: Watch = lambda found: None, steps: Sequence[Step] = WALK) -> Findings:
    """The walk on one stage; what went wrong is in the findings, nothing is raised for it."""
    found = Findings()
    try:
        found.same_bytes = await prove_same_bytes()
        async with taking_part(stage) as parties:
            await Walk(parties, found, watch, steps).go()
    except PROBLEMS as failure:
        found.failure = found.failure or str(failure) or repr(failure)
    return found


async def _own(start: StartStage, steps: Sequence[Step], *, as_json: bool) -> Findings:
    async with start() as stage:
        return await _at(stage, steps, as_json=as_json)


async def _at(stage: Stage, steps: Sequence[Step], *, as_json: bool) -> Findings:
    console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    report = ProofReport(console)
    found = await walk(stage, report.step, steps)
    report.end(found)
    return found
