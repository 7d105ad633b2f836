"""The entry of `sottovoce compat cc-sqm`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from rich.console import Console

from sottovoce.compat.bench import Bench, People
from sottovoce.compat.findings import Findings
from sottovoce.compat.report import FindingsReport
from sottovoce.compat.sqm import calls, items, plans, requests, samples, scoring, tasks, token
from sottovoce.compat.sqm.catalogue import Interfaces, interfaces
from sottovoce.compat.wire import Wire

RIGHT, WRONG, NOT_CHECKED = 0, 1, 2
FAMILY = "cc-sqm"

Walk = Callable[[Bench, Interfaces], Awaitable[None]]
WALKS: Mapping[str, Walk] = {
    "calls": calls.walk,
    "tasks": tasks.walk,
    "samples": samples.walk,
    "plans": plans.walk,
    "appeals": items.walk,
    "scoring": scoring.walk,
    "requests": requests.walk,
}
"""The parts, in order."""
PARTS = {"token", *WALKS}
"""The token is asked for in any case."""


def main(
    against: str,
    app_key: str,
    app_secret: str,
    people: People,
    *,
    scratch_call: str | None = None,
    lasting: bool = False,
    only: tuple[str, ...] = (),
    strict: bool = False,
    verify: bool = True,
    into: Path | None = None,
) -> int:
    """Check the server at `against`, print the table, write it to `into`.

    0: nothing failed; 1: something did, or something made could not be put away; 2: there was no token, or
    no server.
    """
    console = Console(highlight=False)
    report = FindingsReport(console)
    findings = Findings(report.row, strict)
    wire = Wire(against, app_key, app_secret, verify=verify)
    bench = Bench(wire, people, findings, scratch_call, lasting, only=only)
    console.print(f"checking {against}; what is made there is called {bench.name}-...\n", soft_wrap=True)
    left = asyncio.run(_run(bench))
    if left is None:
        console.print("no token, so nothing more could be asked", style="bold red")
        return NOT_CHECKED
    report.end(findings, left)
    if into is not None:
        into.write_text(json.dumps(findings.document(FAMILY, against), indent=1) + "\n", encoding="utf-8")
    return RIGHT if findings.right and not left else WRONG


async def _run(bench: Bench) -> list[str] | None:
    try:
        return await check(bench)
    finally:
        await bench.wire.close()


async def check(bench: Bench) -> list[str] | None:
    """All checks; what could not be put away, or None where there was no token to begin with."""
    if not await token.walk(bench):
        return None
    known = interfaces(bench.name, bench.people.inspector or bench.people.director)
    bench.afterwards("tasks", lambda: tasks.put_away(bench, known))
    try:
        for part, walk in WALKS.items():
            if bench.begin(part):
                with bench.check(part, "everything of it could be asked"):
                    await walk(bench, known)
    finally:
        left = await bench.put_away()
    return left
