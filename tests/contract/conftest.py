"""A whole gateway for the tests of the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import Standing


@pytest.fixture
async def standing(tmp_path: Path) -> AsyncIterator[Standing]:
    made = Standing(tmp_path)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def client(standing: Standing) -> LedgerClient:
    return standing.client
