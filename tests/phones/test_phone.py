"""Phones of ours calling each other over real SIP and RTP on loopback."""

from __future__ import annotations

import asyncio

import pytest

from sottovoce.domain.legs import ReleaseCause
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.phones.phone import CallState, NotRegistered, Phone, PhoneCall
from sottovoce.phones.sources import Tone


async def connected(
    one: Phone, two: Phone, *, transport: Transport = Transport.UDP
) -> tuple[PhoneCall, PhoneCall]:
    mine = await one.call("two", via=Hop(transport, "127.0.0.1", two.port))
    theirs = await two.next_call()
    await mine.talking()
    await theirs.talking()
    return mine, theirs


@pytest.mark.parametrize("transport", list(Transport))
async def test_two_phones_talk_and_part(transport: Transport) -> None:
    async with Phone("one", lambda: Tone(983)) as one, Phone("two", lambda: Tone(557)) as two:
        mine, theirs = await connected(one, two, transport=transport)
        assert (theirs.caller, theirs.called) == ("one", "two")
        at_one, at_two = await asyncio.gather(one.hear(settle_s=0.2), two.hear(settle_s=0.2))
        assert at_one.hearing.heard == {557}
        assert at_two.hearing.heard == {983}
        mine.hang_up()
        assert await theirs.ended() is ReleaseCause.NORMAL
        assert await mine.ended() is ReleaseCause.NORMAL
        assert not one.calls
        assert not two.calls
        assert (await one.hear()).packets == 0


async def test_a_phone_that_is_not_lifted_rings_until_the_caller_gives_up() -> None:
    async with Phone("one") as one, Phone("two", auto_answer=False) as two:
        mine = await one.call("two", via=Hop(Transport.UDP, "127.0.0.1", two.port))
        theirs = await two.next_call()
        assert theirs.state is CallState.RINGING
        mine.hang_up()
        assert await theirs.ended() is ReleaseCause.CANCELLED
        assert await mine.ended() is ReleaseCause.CANCELLED


async def test_a_phone_is_lifted_by_hand_or_refuses() -> None:
    async with Phone("one") as one, Phone("two", auto_answer=False) as two:
        hop = Hop(Transport.UDP, "127.0.0.1", two.port)
        lifted = await one.call("two", via=hop)
        (await two.next_call()).answer()
        await lifted.talking()
        refused = await one.call("two", via=hop)
        (await two.next_call()).refuse(486)
        assert await refused.ended() is ReleaseCause.BUSY
        with pytest.raises(ConnectionError, match="busy"):
            await refused.talking()
        two.busy = True
        third = await one.call("two", via=hop)
        assert await third.ended() is ReleaseCause.BUSY
        assert third.status == 486


async def test_hold_sends_silence_and_resume_the_voice() -> None:
    async with Phone("one", lambda: Tone(983)) as one, Phone("two", lambda: Tone(557)) as two:
        mine, theirs = await connected(one, two)
        mine.hold()
        async with asyncio.timeout(10):
            while not theirs.held_by_far_side:  # noqa: ASYNC110 - only the flag tells
                await asyncio.sleep(0.02)
        at_two, at_one = await asyncio.gather(two.hear(settle_s=0.3), one.hear(settle_s=0.3))
        assert at_two.hearing.heard == frozenset()
        assert at_one.hearing.heard == frozenset()
        mine.resume()
        async with asyncio.timeout(10):
            while theirs.held_by_far_side:  # noqa: ASYNC110 - only the flag tells
                await asyncio.sleep(0.02)
        at_two, at_one = await asyncio.gather(two.hear(settle_s=0.3), one.hear(settle_s=0.3))
        assert at_two.hearing.heard == {983}
        assert at_one.hearing.heard == {557}


async def test_keys_are_heard_at_the_other_end() -> None:
    async with Phone("one", lambda: Tone(983)) as one, Phone("two") as two:
        mine, theirs = await connected(one, two)
        mine.press("42#")
        async with asyncio.timeout(10):
            while len(theirs.media.ear.digits) < 3:  # noqa: ASYNC110 - an ear says nothing by itself
                await asyncio.sleep(0.02)
        assert "".join(theirs.media.ear.digits) == "42#"


async def test_what_is_said_changes_in_the_middle_of_a_call() -> None:
    async with Phone("one", lambda: Tone(983)) as one, Phone("two") as two:
        await connected(one, two)
        one.say(lambda: Tone(1241))
        assert (await two.hear(settle_s=0.2)).hearing.heard == {1241}


async def test_a_phone_that_vanished_says_nothing_more() -> None:
    async with Phone("one", lambda: Tone(983)) as one, Phone("two") as two:
        mine, theirs = await connected(one, two)
        await one.vanish()
        assert await mine.ended() is ReleaseCause.UNREACHABLE
        assert (await two.hear(settle_s=0.2)).packets == 0
        assert theirs.state is CallState.TALKING


async def test_a_phone_without_a_way_out_says_so() -> None:
    async with Phone("one") as one:
        with pytest.raises(NotRegistered):
            await one.call("two")
