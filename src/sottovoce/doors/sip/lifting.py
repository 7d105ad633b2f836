"""Having a phone that rings lift by itself: asked in the dialog in which it rings, or rung anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog

from sottovoce.config import PhonePickup
from sottovoce.doors.sip.calling import Calling
from sottovoce.doors.sip.endpoint import Endpoint
from sottovoce.doors.sip.legs import SipLeg

log = structlog.get_logger(__name__)

WITHIN_S = 3.0
"""In which a phone says that it will lift, or does."""


def ringing(leg: SipLeg) -> Calling | None:
    """The call of ours that rings at that leg; None where none does."""
    session = leg.session
    return session if not leg.ending and isinstance(session, Calling) and session.rings else None


async def lift(
    endpoint: Endpoint,
    leg: SipLeg,
    ways: Iterable[PhonePickup],
    ring_anew: Callable[[SipLeg], Awaitable[None]],
) -> bool:
    """Try these ways until the phone lifts, or says that it will; whether it does."""
    for way in ways:
        session = ringing(leg)
        if session is None:
            return False
        lifts = leg.lifting = asyncio.get_running_loop().create_future()
        if way is PhonePickup.TALK:
            endpoint.act(partial(_ask, session, leg))
        else:
            leg.then(partial(ring_anew, leg))
        try:
            async with asyncio.timeout(WITHIN_S):
                if await lifts:
                    return True
        except TimeoutError:
            log.info("phone does not lift", leg=leg.id, way=way.value)
    return False


def _ask(session: Calling, leg: SipLeg, ua: object) -> None:
    session.ask_to_talk(leg.note_lifting)
