"""The after-call half for the tests of CC-iSQM."""

from __future__ import annotations

import pytest
from tests.quality.standing import Standing


@pytest.fixture
def standing(after_call: Standing) -> Standing:
    return after_call
