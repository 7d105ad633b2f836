from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from sottovoce.clock import ManualClock, SystemClock


def test_a_manual_clock_moves_both_its_hands() -> None:
    clock = ManualClock()
    start = clock.now()
    clock.advance(2.5)
    assert clock.monotonic() == 2.5
    assert clock.now() - start == timedelta(seconds=2.5)


def test_a_manual_clock_refuses_to_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-1)


def test_the_system_clock_speaks_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
    assert SystemClock().monotonic() <= SystemClock().monotonic()
