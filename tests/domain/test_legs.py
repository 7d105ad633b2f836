from __future__ import annotations

from sottovoce.domain.legs import LegDirection, LegFigures


def test_who_is_on_hold_by_the_far_side_still_gets_its_music() -> None:
    assert [way for way in LegDirection if way.sends] == [LegDirection.SENDRECV, LegDirection.SENDONLY]
    assert [way for way in LegDirection if way.receives] == [LegDirection.SENDRECV, LegDirection.RECVONLY]


def test_a_leg_that_nothing_went_through_was_silent() -> None:
    nothing = LegFigures()
    assert (nothing.level_in_dbov, nothing.level_out_dbov) == (-127.0, -127.0)
    assert nothing.sent == nothing.lost == nothing.concealed == nothing.late == nothing.dropped == 0
