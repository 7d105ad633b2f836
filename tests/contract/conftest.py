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
def quality(after_call: QualityStanding) -> QualityStanding:
    """The after-call half with its two tenants."""
    return after_call
