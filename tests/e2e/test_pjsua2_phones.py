"""The witness itself: two pjsua2 phones that call each other hear each other's tone and nothing else."""

from __future__ import annotations

import pytest
from tests.e2e.pjsua2_phones import Pjsua2Phone

pytest.importorskip("pjsua2", reason="the pjsua2-python wheel is not installed on this platform")


async def test_two_phones_hear_each_other_and_nothing_else() -> None:
    async with Pjsua2Phone.start("one", tone=983) as one, Pjsua2Phone.start("two", tone=557) as two:
        await two.auto_answer()
        await one.call(f"sip:two@127.0.0.1:{two.port}")
        assert (await one.expect("ringing"))["code"] == 180
        await one.expect("connected")
        await two.expect("connected")
        at_two = await two.hear(settle_s=0.5)
        at_one = await one.hear()
        assert at_two.tones == {983}
        assert at_one.tones == {557}
        assert not at_one.hearing.unclear
        assert at_one.hearing.levels[557] == pytest.approx(-15.0, abs=0.5)

        await one.say(1789)
        assert (await two.hear(settle_s=0.5)).tones == {1789}
        await one.say(None)
        assert (await two.hear(settle_s=0.5)).tones == set()

        await one.send_digits("5")
        assert (await two.expect("digit"))["digit"] == "5"
        await one.hang_up()
        assert (await two.expect("gone"))["code"] == 200
        assert await two.calls() == 0


async def test_a_phone_may_refuse() -> None:
    async with Pjsua2Phone.start("one") as one, Pjsua2Phone.start("two") as two:
        await one.call(f"sip:two@127.0.0.1:{two.port}")
        await two.expect("incoming")
        await two.answer(486)
        assert (await one.expect("gone"))["code"] == 486
