from __future__ import annotations

import pytest

from sottovoce.phones.sources import Babble


@pytest.fixture
def speech() -> tuple[Babble, Babble]:
    """Two voices that have nothing to do with each other."""
    return Babble(1), Babble(2)
