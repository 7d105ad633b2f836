"""Runs every measurement, prints the tables and keeps them in docs/benchmarks.md."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table as Printed
from tests.bench import audible, gateway, legs, queues, road, sampling
from tests.bench.tables import Table, machine

REPORT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MEASUREMENTS = [one.measure for one in (legs, audible, road, gateway, sampling, queues)]
INTRODUCTION = """# Benchmarks

Written by `make bench`, which measures all of this anew. Server, load and measurement share the machine;
nothing here is a test, and no test is timed.
"""


async def measure(console: Console) -> list[Table]:
    tables: list[Table] = []
    with console.status("") as status:
        for measurement in MEASUREMENTS:
            tables += await measurement(status.update)
    return tables


def kept_fuzzing() -> str:
    """What `make fuzz FUZZ_ARGS=--keep` wrote at the end of the report."""
    _, begin, rest = REPORT.read_text(encoding="utf-8").partition("\n## Fuzzing\n")
    return begin + rest


def show(console: Console, table: Table) -> None:
    printed = Printed(*table.columns, title=table.title)
    for row in table.rows:
        printed.add_row(*row)
    console.print(printed)


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 160)
    where = machine()
    tables = asyncio.run(measure(console))
    for table in tables:
        show(console, table)
    when = datetime.now(UTC).strftime("%d %B %Y")
    sections = "\n".join(table.markdown() for table in tables)
    kept = kept_fuzzing()
    REPORT.write_text(f"{INTRODUCTION}\nMeasured on {when}: {where}.\n\n{sections}{kept}")
    console.print(f"written to {REPORT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
