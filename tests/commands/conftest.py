"""The after-call half as commands find it: a database by its DSN, settings from nowhere else."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.quality.standing import Standing


@pytest.fixture
def standing(
    after_call: Standing, postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Standing]:
    for name in [name for name in os.environ if name.startswith("SOTTOVOCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SOTTOVOCE_DATABASE__DSN", postgres_dsn)
    monkeypatch.setenv("SOTTOVOCE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield after_call
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
