"""The log: one line an event, machine-readable if asked, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from sottovoce import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def logged(form: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, form, stream)
    return stream


def test_json_lines() -> None:
    stream = logged("json")
    structlog.get_logger("sottovoce.live").info("signed in", agent=101, name="Änn")
    logging.getLogger("uvicorn.error").warning("from %s", "a library")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["agent"], first["name"], first["level"]) == (
        "signed in",
        101,
        "Änn",
        "info",
    )
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["logger"]) == ("from a library", "uvicorn.error")


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_masked(form: str) -> None:
    stream = logged(form)
    log = structlog.get_logger("x")
    secrets = {"password": "hush-1", "guid": "hush-2", "Authorization": "hush-3", "ha1": {"MD5": "hush-4"}}
    log.info("e", **secrets, url="postgresql://sottovoce:hush-5@/db", count=7)
    assert "hush" not in stream.getvalue()
    assert stream.getvalue().count("***") == 5
    assert "7" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values(form: str) -> None:
    stream = logged(form)
    password = "hush"
    try:
        raise ValueError("broken")
    except ValueError as failure:
        structlog.get_logger("x").error("task failed", exc_info=failure)
    assert "ValueError: broken" in stream.getvalue()
    assert password not in stream.getvalue()


def test_repeats_are_counted_and_told_once() -> None:
    """Who shows a stale Guid four times a second writes two lines in the first minute."""
    stream, waiting = io.StringIO(), list[Callable[[], None]]()
    logs.configure("info", "json", stream, repeats=logs.Repeats(lambda seconds, then: waiting.append(then)))
    log = structlog.get_logger("sottovoce.http")

    def lines() -> list[tuple[object, ...]]:
        told = [json.loads(line) for line in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        assert not any("per" in line for line in told)
        return [(line["event"], line.get("n"), line.get("again")) for line in told]

    for n in range(5):
        log.info("refused", n=n, per=("poll", 101))
        log.info("refused", n=n, per=("poll", 102))
        log.info("turn", n=n)
    assert lines() == [("refused", 0, None), ("refused", 0, None), *(("turn", n, None) for n in range(5))]
    waiting.pop(0)()
    assert lines() == [("refused", 4, 4)]
    log.info("refused", n=7, per=("poll", 101))
    assert lines() == []
    waiting.pop()()
    assert lines() == [("refused", 7, 1)], "as long as it goes on, once a minute"
    waiting.pop()()
    assert lines() == []
    log.info("refused", n=8, per=("poll", 101))
    assert lines() == [("refused", 8, None)]


def test_more_kinds_of_repeats_than_are_counted_are_counted_together() -> None:
    stream = io.StringIO()
    logs.configure("info", "json", stream, repeats=logs.Repeats(lambda seconds, then: None))
    for n in range(3 * logs.MOST_COUNTED):
        structlog.get_logger("x").info("refused", per=n)
    assert len(stream.getvalue().splitlines()) == logs.MOST_COUNTED + 1


def test_without_an_event_loop_each_repeat_is_written() -> None:
    stream = logged("json")
    for _ in range(3):
        structlog.get_logger("x").info("refused", per=1)
    assert len(stream.getvalue().splitlines()) == 3


def test_what_is_always_said_is_in_each_line() -> None:
    stream = io.StringIO()
    logs.configure("info", "json", stream, always={"worker": "2"})
    structlog.get_logger("x").info("own")
    logging.getLogger("y").warning("of a library")
    assert [json.loads(line)["worker"] for line in stream.getvalue().splitlines()] == ["2", "2"]


def test_levels() -> None:
    stream = logged("json", "warning")
    structlog.get_logger("x").info("not this")
    logging.getLogger("y").info("nor this")
    structlog.get_logger("x").warning("this")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["this"]


def test_a_log_file_may_be_moved_away(tmp_path: Path) -> None:
    file = tmp_path / "sottovoce.log"
    logs.configure("info", "json", file=file)
    log = structlog.get_logger("x")
    log.info("first")
    file.rename(tmp_path / "sottovoce.log.1")
    log.info("second")
    file.unlink()
    logs.reopen()
    assert file.exists(), "begun anew before the next line"
    log.info("third")
    assert json.loads(file.read_text())["event"] == "third"
    assert stat.S_IMODE(file.stat().st_mode) & 0o027 == 0
    logs.configure(stream=io.StringIO())
    assert '"event": "first"' in (tmp_path / "sottovoce.log.1").read_text()


def test_lines_for_the_journal_bear_their_priority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "journal").open("w+") as journal:
        found = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        logs.configure("info", "json", journal)
        structlog.get_logger("x").error("it broke")
        structlog.get_logger("x").info("it goes")
        journal.flush()
        journal.seek(0)
        lines = journal.read().splitlines()
    assert [line[:3] for line in lines] == ["<3>", "<6>"]
    assert json.loads(lines[0][3:])["event"] == "it broke"
