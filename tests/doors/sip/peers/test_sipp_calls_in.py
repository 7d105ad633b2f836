"""sipp calls the door: the whole INVITE usage as an independent stack sees it, over UDP and TCP."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doors.sip.peers.harness import TRANSPORTS, call_in, needs_sipp, sipp, switch

from sottovoce.domain.legs import ReleaseCause
from sottovoce.domain.lines import LegAnswered, LegGone, LegOffered
from sottovoce.doors.sip.hops import Transport

pytestmark = [pytest.mark.peer, needs_sipp]

TALK = ["LegOffered", "LegAnswered", "LegGone"]
HOLD = ["LegHeld", "LegResumed"]

# scenario, what the operator does, what the floor hears
CALLS = [
    ("call_in", "ring-accept", TALK),
    ("call_in_early", "early-accept", TALK),
    ("call_in_busy", "ring-busy", ["LegOffered", "LegGone"]),
    ("call_in_cancel", "ring", ["LegOffered", "LegGone"]),
    ("call_in_cancel_late", "accept", TALK),
    ("call_in_hold", "ring-accept", ["LegOffered", "LegAnswered", *HOLD, *HOLD, "LegGone"]),
    ("call_in_delayed", "ring-accept", TALK),
    ("call_in_reinvite_empty", "accept", TALK),
    ("call_in_reinvite_codec", "accept", TALK),
    ("call_in_prack", "early-accept", TALK),
    ("call_in_update", "accept", ["LegOffered", "LegAnswered", *HOLD, "LegGone"]),
    ("call_in_timer", "ring-accept", TALK),
    ("call_in_refreshed", "ring-accept-talk-push45", TALK),
    ("call_in_expired", "ring-accept-talk-push60", TALK),
    ("call_in_options", "accept", TALK),
    ("call_in_route", "accept-talk-bye", TALK),
    ("call_in_server_bye", "accept-talk-bye", TALK),
    ("call_in_missing_ack", "accept-wait-push31.8", None),
    ("call_in_glare", "ring-accept-talk-push45", TALK),
    ("call_in_m_lines", "ring-accept", TALK),
    ("call_in_refer", "accept", TALK),
    ("call_in_info", "accept", ["LegOffered", "LegAnswered", "LegPressed", "LegGone"]),
    ("call_in_non_ascii", "ring-accept", TALK),
]


@TRANSPORTS
@pytest.mark.parametrize(("scenario", "service", "heard"), CALLS, ids=[row[0] for row in CALLS])
async def test_a_call_in(
    tmp_path: Path, transport: Transport, scenario: str, service: str, heard: list[str] | None
) -> None:
    async with switch() as line:
        await call_in(tmp_path, scenario, transport, line, service)
        if heard is not None:
            assert line.kinds() == heard
        assert len(line.of(LegGone)) == 1


@TRANSPORTS
@pytest.mark.parametrize(
    "scenario",
    ["call_in_unknown", "call_in_codec", "call_in_srtp", "call_in_extension", "call_in_body_type"],
)
async def test_a_call_that_the_floor_never_hears_of(
    tmp_path: Path, transport: Transport, scenario: str
) -> None:
    async with switch() as line:
        service = "nobody" if scenario == "call_in_unknown" else "ring-accept"
        await call_in(tmp_path, scenario, transport, line, service)
        assert line.kinds() == []


@TRANSPORTS
@pytest.mark.parametrize("scenario", ["options", "methods", "call_in_cancel_unknown", "dialog_unknown"])
async def test_requests_outside_of_calls(tmp_path: Path, transport: Transport, scenario: str) -> None:
    async with switch() as line:
        await call_in(tmp_path, scenario, transport, line, "anybody")
        assert line.kinds() == []


@TRANSPORTS
async def test_a_stranger_is_kept_out(tmp_path: Path, transport: Transport) -> None:
    async with switch(trusted=False) as line:
        await call_in(tmp_path, "call_in_stranger", transport, line, "ring-accept")
        assert line.kinds() == []


@TRANSPORTS
async def test_overload(tmp_path: Path, transport: Transport) -> None:
    async with switch(calls=0) as line:
        await call_in(tmp_path, "call_in_overload", transport, line, "ring-accept")
        assert line.kinds() == []


@TRANSPORTS
async def test_a_late_ack_finds_the_call_standing(tmp_path: Path, transport: Transport) -> None:
    async with switch() as line:
        peer = await call_in(tmp_path, "call_in_late_ack", transport, line, "accept", deaf=True)
        assert line.kinds() == TALK
        assert peer.wire.count("SIP/2.0 200 OK") >= 4  # three to the INVITE, one to the BYE


@TRANSPORTS
async def test_a_reliable_response_is_repeated(tmp_path: Path, transport: Transport) -> None:
    async with switch() as line:
        peer = await call_in(tmp_path, "call_in_prack_lost", transport, line, "early-accept", deaf=True)
        assert line.kinds() == TALK
        assert peer.wire.count("SIP/2.0 183 ") >= 2


async def test_a_lost_answer_to_bye_is_given_again(tmp_path: Path) -> None:
    """Over UDP only: a reliable transport loses nothing."""
    async with switch() as line:
        await call_in(tmp_path, "call_in_lost_bye", Transport.UDP, line, "accept", deaf=True)
        assert line.kinds() == TALK


async def test_a_bye_without_an_answer_is_repeated(tmp_path: Path) -> None:
    """Over UDP only, as above."""
    async with switch() as line:
        peer = await call_in(
            tmp_path, "call_in_server_bye_lost", Transport.UDP, line, "accept-talk-bye", deaf=True
        )
        assert line.kinds() == TALK
        assert peer.wire.count("BYE sip:") >= 2


async def test_who_calls_is_read_from_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    async with switch() as line:
        await call_in(tmp_path, "call_in_non_ascii", Transport.UDP, line, "ring-accept")
        (offered,) = line.of(LegOffered)
        assert isinstance(offered, LegOffered)
        assert (offered.caller, offered.called) == ("caller", "ring-accept")


async def test_a_cancelled_call_says_so(tmp_path: Path) -> None:
    async with switch() as line:
        await call_in(tmp_path, "call_in_cancel", Transport.UDP, line, "ring")
        assert line.causes == [ReleaseCause.CANCELLED]


async def test_an_expired_session_says_so(tmp_path: Path) -> None:
    async with switch() as line:
        await call_in(tmp_path, "call_in_expired", Transport.UDP, line, "ring-accept-talk-push60")
        assert line.causes == [ReleaseCause.SESSION_EXPIRED]


async def test_a_lossy_network_loses_no_call(tmp_path: Path) -> None:
    """One message in ten is lost, each way; the timers of both sides mend it."""
    async with switch() as line:
        to = line.port(Transport.UDP)
        async with sipp(tmp_path, "call_in_lossy", Transport.UDP, to=to, calls=20, lost=10) as peer:
            await peer.done()
        await line.until(lambda: len(line.of(LegGone)) == 20)
        assert len(line.of(LegAnswered)) == 20
