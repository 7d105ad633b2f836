from __future__ import annotations

from sottovoce.domain.legs import LegFigures


def test_a_leg_that_nothing_went_through_was_silent() -> None:
    nothing = LegFigures()
    assert (nothing.level_in_dbov, nothing.level_out_dbov) == (-127.0, -127.0)
    assert nothing.sent == nothing.lost == nothing.concealed == nothing.late == nothing.dropped == 0
