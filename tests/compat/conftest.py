"""The after-call half for the tests of its use cases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.quality.standing import Standing


@pytest.fixture
async def standing(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Standing]:
    made = Standing(postgres_dsn, tmp_path)
    await made.open()
    yield made
    await made.close()
