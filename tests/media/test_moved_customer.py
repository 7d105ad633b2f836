"""A supervised customer is transferred by a re-INVITE: another phone, perhaps another codec, same leg."""

from __future__ import annotations

import pytest
from tests.media.test_workers import LISTEN, WHISPER, Floor, floor_of
from tests.media.tone_phones import ABSENT, TonePhone

from sottovoce.domain.legs import Codec
from sottovoce.media.engine import SetRemote


async def moved_to(floor: Floor, customer: TonePhone, codec: Codec) -> TonePhone:
    """The customer's leg answers at another phone from now on; the former one is silent."""
    elsewhere = await TonePhone("second", codec=codec).listen()
    elsewhere.target = customer.target
    await floor.engine.ask(SetRemote(customer.leg, elsewhere.remote()))
    customer.talks = False
    floor.phones.append(elsewhere)
    return elsewhere


@pytest.mark.parametrize("codec", list(Codec))
async def test_a_supervision_outlives_a_customers_transfer_and_the_whisper_stays_with_the_agent(
    codec: Codec,
) -> None:
    async with floor_of() as floor:
        customer, agent, inspector = [await floor.phone(name) for name in ("customer", "agent", "inspector")]
        await floor.route(WHISPER)
        await agent.hears("customer", "inspector")
        elsewhere = await moved_to(floor, customer, codec)
        await elsewhere.hears("agent")
        await agent.hears("second", "inspector")
        await inspector.hears("second", "agent")
        await floor.route(LISTEN)
        await agent.hears("second")
        assert elsewhere.loudest["inspector"] < ABSENT
        assert customer.loudest["inspector"] < ABSENT
