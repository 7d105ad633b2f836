"""The door calls sipp: digest, CANCEL, PRACK, re-INVITE, refusals, forks, over UDP and TCP."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doors.sip import far_sides
from tests.doors.sip.peers.harness import HOST, TRANSPORTS, free_port, needs_sipp, sipp, switch

from sottovoce.config import PhonePickup, TrunkSettings
from sottovoce.domain.legs import ReleaseCause
from sottovoce.domain.lines import LegAnswered, LegRinging
from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.ports import Account

pytestmark = [pytest.mark.peer, needs_sipp]

RANG = ["LegRinging", "LegAnswered", "LegGone"]


def trunk(port: int, transport: Transport) -> TrunkSettings:
    account = Account("ours", "trunk secret")
    return far_sides.trunk("trunk", HOST, port, transport, account, networks=(f"{HOST}/32",))


ANSWERED = [
    ("call_out", RANG),
    ("call_out_peer_bye", RANG),
    ("call_out_digest", RANG),
    ("call_out_rel", RANG),
    ("call_out_early", RANG),
    ("call_out_route", RANG),
    ("call_out_422", RANG),
    ("call_out_hold", ["LegRinging", "LegAnswered", "LegHeld", "LegResumed", "LegGone"]),
    ("call_out_fork", ["LegAnswered", "LegGone"]),
]
BY_THEM = {"call_out_peer_bye"}


@TRANSPORTS
@pytest.mark.parametrize(("scenario", "heard"), ANSWERED, ids=[row[0] for row in ANSWERED])
async def test_a_call_that_is_answered(
    tmp_path: Path, transport: Transport, scenario: str, heard: list[str]
) -> None:
    port = free_port(transport)
    async with (
        switch(trunk=trunk(port, transport)) as line,
        sipp(tmp_path, scenario, transport, port=port) as peer,
    ):
        leg = line.dial()
        await line.until(lambda: LegAnswered(leg) in line.events)
        if scenario not in BY_THEM:
            await line.until(lambda: heard[-2] in line.kinds())
            if scenario == "call_out_hold":
                await peer.seen("CSeq: 2 ACK")
            if scenario == "call_out_fork":
                await peer.seen("CSeq: 2 BYE")
            line.door.hang_up(leg)
        await peer.done()
        await line.all_gone()
        assert line.kinds() == heard
        assert line.causes == [ReleaseCause.NORMAL]


@TRANSPORTS
@pytest.mark.parametrize("scenario", ["call_out_cancel", "call_out_cancel_late"])
async def test_a_ringing_call_is_cancelled(tmp_path: Path, transport: Transport, scenario: str) -> None:
    port = free_port(transport)
    async with (
        switch(trunk=trunk(port, transport)) as line,
        sipp(tmp_path, scenario, transport, port=port) as peer,
    ):
        leg = line.dial()
        await line.until(lambda: LegRinging(leg) in line.events)
        line.door.hang_up(leg, ReleaseCause.CANCELLED)
        await peer.done()
        await line.all_gone()
        assert line.kinds() == ["LegRinging", "LegGone"]


@TRANSPORTS
async def test_an_answer_of_no_use_ends_the_call(tmp_path: Path, transport: Transport) -> None:
    port = free_port(transport)
    async with (
        switch(trunk=trunk(port, transport)) as line,
        sipp(tmp_path, "call_out_codec", transport, port=port) as peer,
    ):
        line.dial()
        await peer.done()
        await line.all_gone()
        assert line.kinds() == ["LegRinging", "LegGone"]
        assert line.causes == [ReleaseCause.UNSUPPORTED_MEDIA]


PICKUPS = [
    ("call_out_talk", [PhonePickup.TALK], 1, True),
    ("call_out_anew", [PhonePickup.ANSWER_AFTER], 2, True),
    ("call_out_anew", [PhonePickup.TALK, PhonePickup.ANSWER_AFTER], 2, True),
    ("call_out_stubborn", [PhonePickup.TALK], 1, False),
    ("call_out_stubborn", [PhonePickup.ANSWER_AFTER, PhonePickup.TALK], 2, False),
    ("call_out_stubborn", [], 1, False),
]


@TRANSPORTS
@pytest.mark.parametrize(("scenario", "ways", "invites", "lifts"), PICKUPS, ids=str)
async def test_a_phone_that_rings_is_had_to_lift(
    tmp_path: Path,
    transport: Transport,
    scenario: str,
    ways: list[PhonePickup],
    invites: int,
    lifts: bool,
) -> None:
    port = free_port(transport)
    async with (
        switch(trunk=trunk(port, transport), phone_pickup=ways) as line,
        sipp(tmp_path, scenario, transport, port=port, calls=invites) as peer,
    ):
        leg = line.dial()
        await line.until(lambda: LegRinging(leg) in line.events)
        assert await line.door.ask_to_lift(leg) is lifts
        if lifts:
            await line.until(lambda: LegAnswered(leg) in line.events)
            assert await line.door.ask_to_lift(leg) is False
        assert line.kinds() == RANG[: 1 + lifts]
        line.door.hang_up(leg)
        await peer.done()
        await line.all_gone()
        assert line.kinds() == [*RANG[: 1 + lifts], "LegGone"]


REFUSALS = [
    ("call_out_302", ReleaseCause.REJECTED),
    ("call_out_404", ReleaseCause.UNREACHABLE),
    ("call_out_480", ReleaseCause.NO_ANSWER),
    ("call_out_486", ReleaseCause.BUSY),
    ("call_out_488", ReleaseCause.UNSUPPORTED_MEDIA),
    ("call_out_503", ReleaseCause.UNREACHABLE),
    ("call_out_603", ReleaseCause.REJECTED),
    ("call_out_digest_refused", ReleaseCause.REJECTED),
]


@TRANSPORTS
@pytest.mark.parametrize(("scenario", "cause"), REFUSALS, ids=[row[0] for row in REFUSALS])
async def test_a_call_that_is_refused(
    tmp_path: Path, transport: Transport, scenario: str, cause: ReleaseCause
) -> None:
    port = free_port(transport)
    async with (
        switch(trunk=trunk(port, transport)) as line,
        sipp(tmp_path, scenario, transport, port=port) as peer,
    ):
        line.dial()
        await peer.done()
        await line.all_gone()
        assert line.kinds() == ["LegGone"]
        assert line.causes == [cause]
