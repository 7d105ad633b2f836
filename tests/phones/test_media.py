"""Two phones' media against each other over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sottovoce.domain.legs import Codec, LegDirection, RemoteMedia
from sottovoce.phones import meters
from sottovoce.phones.media import PhoneMedia
from sottovoce.phones.sources import Babble, Mixed, Quiet, Source, Tone


@asynccontextmanager
async def pair(
    one: Source, two: Source, *, codec: Codec = Codec.PCMU, direction: LegDirection = LegDirection.SENDRECV
) -> AsyncIterator[tuple[PhoneMedia, PhoneMedia]]:
    """`direction` is what the first may do, as the second was told."""
    first, second = PhoneMedia(one), PhoneMedia(two)
    at_first, at_second = await first.open("127.0.0.1"), await second.open("127.0.0.1")
    try:
        first.set_remote(RemoteMedia("127.0.0.1", at_second.port, codec, dtmf_payload_type=101))
        second.set_remote(
            RemoteMedia("127.0.0.1", at_first.port, codec, dtmf_payload_type=101, direction=direction)
        )
        yield first, second
    finally:
        await first.close()
        await second.close()


@pytest.mark.parametrize("codec", list(Codec))
async def test_each_hears_the_others_tone_and_nothing_else(codec: Codec) -> None:
    async with pair(Tone(983), Tone(557), codec=codec) as (one, two):
        at_one, at_two = await asyncio.gather(one.hear(settle_s=0.1), two.hear(settle_s=0.1))
        assert at_one.hearing.heard == {557}
        assert at_two.hearing.heard == {983}
        assert at_one.hearing.levels[557] == pytest.approx(-15.0, abs=0.5)
        one.source = Tone(1789)
        assert (await two.hear(settle_s=0.1)).hearing.heard == {1789}
        assert two.ear.figures.lost == 0


async def test_one_who_is_told_that_nobody_listens_sends_nothing() -> None:
    async with pair(Tone(983), Tone(557), direction=LegDirection.SENDONLY) as (one, two):
        heard = await one.hear()
        assert heard.packets == 0
        assert heard.hearing.heard == frozenset()
        assert (await two.hear()).hearing.heard == {983}


async def test_a_muted_phone_sends_nothing() -> None:
    async with pair(Tone(983), Quiet()) as (one, two):
        one.muted = True
        assert (await two.hear(settle_s=0.1)).packets == 0
        one.muted = False
        assert (await two.hear(settle_s=0.1)).hearing.heard == {983}


async def test_digits_arrive_in_order() -> None:
    async with pair(Tone(983), Quiet()) as (one, two):
        one.press("12#*D")
        async with asyncio.timeout(10):
            while len(two.ear.digits) < 5:  # noqa: ASYNC110 - an ear says nothing by itself
                await asyncio.sleep(0.02)
        assert list(two.ear.digits) == list("12#*D")
        with pytest.raises(ValueError, match="no key"):
            one.press("x")


async def test_meters_find_the_talker_in_what_was_heard(speech: tuple[Babble, Babble]) -> None:
    voice, other = speech
    async with pair(Mixed(voice), other) as (one, two):
        await two.hear(settle_s=1.0)
        heard = two.ear.last()
        found = meters.shares(heard, {"one": one.said(8000 + 3200), "two": two.said(8000 + 3200)})
        assert found["one"].heard
        assert found["one"].gain == pytest.approx(1.0, abs=0.1)
        assert found["two"].talking
        assert not found["two"].heard
