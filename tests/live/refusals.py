"""How the tests of the floor say that a use case must be refused."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from sottovoce.errors import Code, Refused


async def refused(code: Code, asked: Awaitable[object]) -> None:
    """`asked` is refused with exactly this code."""
    with pytest.raises(Refused) as refusal:
        await asked
    assert refusal.value.code is code
