"""`make` alone prints the targets, with what each does; none of them asks for root."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_make_alone_prints_every_target() -> None:
    apart = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    told = subprocess.run(["make"], cwd=ROOT, env=apart, capture_output=True, text=True, check=True).stdout
    named = {line.split()[1]: line.split()[2:] for line in told.splitlines()}
    assert {"setup", "run", "test", "check", "bench", "fuzz"} <= named.keys()
    assert all(named.values()), "each says what it does"
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) >= named.keys()


def test_no_target_asks_for_root() -> None:
    assert not re.search(r"\b(sudo|apt-get|su)\b", (ROOT / "Makefile").read_text())
