"""`make fuzz`: a million inputs; what broke becomes an entry of the corpus. Exit code 1 if anything did."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from datetime import UTC, datetime

from tests.bench.__main__ import REPORT
from tests.bench.tables import Table, machine
from tests.fuzz.running import Report, run
from tests.fuzz.targets import CORPUS, TARGETS

SLOW_S = 1.0
"""An input that takes so much of the processor is a fault too."""
GROWN_MEGABYTES = 300.0
"""More memory than that is one, too: corpora, targets and what they keep are in it."""
TITLE = "Fuzzing"


def table(report: Report, seed: int) -> Table:
    """What is written down of a run."""
    rows = [
        [
            name,
            f"{tally.inputs:,}",
            f"{tally.bytes_in / max(1, tally.inputs):,.0f}",
            f"{tally.bytes_out / max(1, tally.bytes_in):.2f}",
            f"{1e6 * tally.seconds / max(1, tally.inputs):,.0f}",
            f"{1e3 * tally.slowest_s:,.0f}",
        ]
        for name, tally in report.tallies.items()
    ]
    columns = ["target", "inputs", "bytes each", "bytes out per byte in", "mean µs", "slowest ms"]
    when = datetime.now(UTC).strftime("%d %B %Y")
    notes = [
        f"`make fuzz` on {when}, seed {seed}: {report.inputs:,} inputs, {len(report.faults)} faults, "
        f"{report.grown_megabytes:.0f} MB more at the peak than at the start. Times are the processor's. "
        f"{machine()}."
    ]
    return Table(TITLE, columns, rows, notes)


def keep(report: Report, seed: int) -> None:
    """Write the table into the report, in place of the one before."""
    text = REPORT.read_text(encoding="utf-8")
    text = re.sub(rf"\n## {TITLE}\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL).rstrip("\n")
    REPORT.write_text(f"{text}\n\n{table(report, seed).markdown()}", encoding="utf-8")


def main() -> int:
    words = argparse.ArgumentParser(prog="make fuzz FUZZ_ARGS=…", description=__doc__)
    words.add_argument("--inputs", type=int, default=1_000_000, help="how many, of all targets (%(default)s)")
    words.add_argument("--seconds", type=float, default=7200.0, help="how long at most (%(default)s)")
    words.add_argument("--seed", type=int, default=1, help="another one makes other inputs (%(default)s)")
    words.add_argument("--only", choices=list(TARGETS), nargs="+", default=[], help="these targets alone")
    words.add_argument("--keep", action="store_true", help="write the result into docs/benchmarks.md")
    asked = words.parse_args()

    def say(report: Report) -> None:
        print(f"\r{report.inputs:,} inputs, {len(report.faults)} faults", end="", flush=True)

    report = run(asked.inputs, asked.seed, only=asked.only, seconds=asked.seconds, say=say)
    print()
    for fault in report.faults:
        path = CORPUS / fault.target / f"found-{hashlib.sha256(fault.data).hexdigest()[:12]}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(fault.data)
        print(f"{fault.target}: {fault.why}kept as {path}\n", file=sys.stderr)
    print(table(report, asked.seed).markdown())
    slow = [name for name, tally in report.tallies.items() if tally.slowest_s > SLOW_S]
    for name in slow:
        print(f"{name}: {report.tallies[name].slowest[:200]!r} took too long", file=sys.stderr)
    if asked.keep:
        keep(report, asked.seed)
    return 1 if report.faults or slow or report.grown_megabytes > GROWN_MEGABYTES else 0


if __name__ == "__main__":
    sys.exit(main())
