"""A whole gateway for the tests of the wire, and the whole after-call half."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import Standing
from tests.quality.standing import Standing as QualityStanding


@pytest.fixture
async def standing(tmp_path: Path) -> AsyncIterator[Standing]:
    made = Standing(tmp_path)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def client(standing: Standing) -> LedgerClient:
    return standing.client


@pytest.fixture
async def quality(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[QualityStanding]:
    """The after-call half with its two tenants."""
    made = QualityStanding(postgres_dsn, tmp_path)
    await made.open()
    yield made
    await made.close()
