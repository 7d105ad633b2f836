"""What commands print: tables for people and pipes, JSON for programs, and no sign of others that steers."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.test_architecture import ROOT

from sottovoce.commands.telling import harmless, tabulate

HEADS = ("agent", "VDN", "name", "made at")
BERLIN = datetime(2026, 3, 29, 1, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
LONG = "a name of more than eighty signs, " * 4
ROWS = [(101, 1, LONG, BERLIN), (102, 1, "[/x] \x1b[2J\x9b[red]", None)]


def test_nothing_is_cut_or_broken_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    tabulate(HEADS, ROWS)
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["agent", "VDN", "name", "made", "at"]
    assert LONG.strip() in first
    assert first.endswith("2026-03-29 03:30:00 CEST")
    assert second.split(maxsplit=2) == ["102", "1", "[/x] \\x1b[2J\\x9b[red]"]


def test_json_has_values_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    tabulate(HEADS, ROWS, as_json=True)
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"agent": 101, "vdn": 1, "name": LONG, "made_at": "2026-03-29T03:30:00+02:00"}
    assert second["made_at"] is None


def test_a_terminal_gets_a_table_of_its_width() -> None:
    program = "from tests.commands import test_telling as t; t.tabulate(t.HEADS, t.ROWS)"
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "60", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", program], stdout=theirs, env=environment, cwd=ROOT, check=True)
    os.close(theirs)
    printed = b""
    with contextlib.suppress(OSError):  # how a terminal tells that nobody writes any more
        while part := os.read(ours, 4096):
            printed += part
    os.close(ours)
    lines = re.sub("\x1b\\[[0-9;]*m", "", printed.decode()).splitlines()
    assert all(len(line) <= 60 for line in lines)
    names = [line.split("│")[3].strip() for line in lines if line.count("│") == 5]
    assert " ".join(names).startswith("a name of more")
    assert "\x1b[2J" not in printed.decode()


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    tabulate(HEADS, [], none="no calls yet")
    assert capsys.readouterr().err == "no calls yet\n"


def test_signs_that_steer_are_written_out() -> None:
    assert harmless("ä [b] \x1b]0;x\x07\u202e") == "ä [b] \\x1b]0;x\\x07\\u202e"
