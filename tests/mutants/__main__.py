"""Tries random changes, prints those that no test noticed, and the score."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from tests.mutants.changes import Change, changes
from tests.test_architecture import ROOT, SOURCE, is_pure, modules

COPIED = ("src", "tests", "docs", "pyproject.toml", "README.md", "CHANGELOG.md", "Makefile")
TOO_LONG_S = 240.0
SQM = "tests/http/ccsqm/test_"
# Folder of src/sottovoce -> the tests that tell its stories, run where a module's own tests noticed nothing.
STORIES = {
    "domain": ["tests/domain", "tests/live"],
    "live": ["tests/live"],
    "doors/sip": ["tests/doors/sip", "--ignore=tests/doors/sip/peers"],
    "media": [f"tests/media/test_{name}.py" for name in ("mixer", "moved_customer", "inprocess", "tracks")],
    "http/ccgateway": ["tests/http/ccgateway", "tests/contract/test_cc_gateway_walk.py"],
    "http/ccsqm": [f"{SQM}{name}.py" for name in ("appraisecall", "scenariomanage", "regularqualitytask")],
    "http/ccisqm": ["tests/http/ccisqm", f"{SQM}appraisecall.py"],
    "http/family": ["tests/http/family", "tests/http/ccgateway"],
    "quality": ["tests/quality/test_task_lists.py", "tests/quality/test_result_import.py"],
    "phones": ["tests/phones"],
}


def tests_of(module: Path) -> list[list[str]]:
    """What to run for a module, one after the other: its mirror, then the stories of its room."""
    folder = module.relative_to(SOURCE).parent
    mirror = ROOT / "tests" / folder / f"test_{module.name}"
    own = [[str(mirror.relative_to(ROOT))]] if mirror.exists() else []
    return [*own, STORIES[str(folder)]] if str(folder) in STORIES else own


def run(tree: Path, tests: list[str]) -> str:
    """What these tests notice in that copy: their first failure, or that they do not end; "" for nothing."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=TOO_LONG_S
        )
    except subprocess.TimeoutExpired:
        return "time"
    first = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return "" if done.returncode == 0 else (first or [f"exit {done.returncode}"])[0]


def main() -> None:
    """Draw, try, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="changes to try (300)")
    parser.add_argument("--minutes", type=float, default=60, help="begin no further one after so long (60)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="draws the same again")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="copies at work at once")
    parser.add_argument("--only", default="", help="modules whose path has this in it")
    wanted = parser.parse_args()
    pure = [module for module in modules() if is_pure(module) and tests_of(module)]
    pure = [module for module in pure if wanted.only in str(module.relative_to(SOURCE))]
    known = [(module, change) for module in pure for change in changes(module.read_text())]
    drawn = random.Random(wanted.seed).sample(known, min(wanted.count, len(known)))
    print(f"seed {wanted.seed}: {len(drawn)} of {len(known)} changes in {len(pure)} modules", flush=True)
    until = time.monotonic() + wanted.minutes * 60
    trees: Queue[Path] = Queue()

    def untouched(tests: list[str]) -> None:
        tree = trees.get()
        if told := run(tree, tests):
            sys.exit(f"without any change: {told}")
        trees.put(tree)

    def one(module: Path, change: Change) -> str | None:
        """What noticed it; "" for nothing, None where the time is up."""
        if time.monotonic() > until:
            return None
        tree = trees.get()
        place = tree / module.relative_to(ROOT)
        place.write_text(change.made(module.read_text()))
        told = next((told for tests in tests_of(module) if (told := run(tree, tests))), "")
        place.write_text(module.read_text())
        trees.put(tree)
        if not told:
            print(f"survived  {module.relative_to(SOURCE)}:{change}", flush=True)
        return told

    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(wanted.workers) as pool:
        for number in range(wanted.workers):
            for name in COPIED:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
                (Path(folder) / str(number)).mkdir(exist_ok=True)
                copy(ROOT / name, Path(folder) / str(number) / name)
            trees.put(Path(folder) / str(number))
        needed = {tuple(tests) for module, _ in drawn for tests in tests_of(module)}
        list(pool.map(untouched, [list(tests) for tests in sorted(needed)]))
        told = [result for result in pool.map(lambda pair: one(*pair), drawn) if result is not None]
    noticed = sum(result != "" for result in told)
    print(f"{noticed} of {len(told)} noticed ({told.count('time')} by the time): {noticed / len(told):.0%}")


if __name__ == "__main__":
    main()
