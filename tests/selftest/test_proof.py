from __future__ import annotations

import pytest

from sottovoce.domain.legs import Codec
from sottovoce.selftest.proof import TICKS, prove_same_bytes


@pytest.mark.parametrize("codec", list(Codec))
async def test_the_customers_bytes_are_the_same_with_and_without_a_whisper(codec: Codec) -> None:
    found = await prove_same_bytes(codec)
    assert found.right
    assert (found.packets, found.differing) == (TICKS, 0)
