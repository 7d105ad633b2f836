"""The log: one line an event, machine-readable if asked, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

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


def test_levels() -> None:
    stream = logged("json", "warning")
    structlog.get_logger("x").info("not this")
    logging.getLogger("y").info("nor this")
    structlog.get_logger("x").warning("this")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["this"]
