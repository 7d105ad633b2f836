"""sipp as a phone of ours: digest on REGISTER and on INVITE, right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doors.sip.peers.harness import (
    DOMAIN,
    PASSWORD,
    TRANSPORTS,
    call_in,
    free_port,
    needs_sipp,
    sipp,
    switch,
)

from sottovoce.domain.lines import LegAnswered, LegOffered, LineKind
from sottovoce.doors.sip.hops import Transport

pytestmark = [pytest.mark.peer, needs_sipp]

PHONE = {"username": "phone7001", "password": PASSWORD, "domain": DOMAIN}


@TRANSPORTS
async def test_registering_and_leaving(tmp_path: Path, transport: Transport) -> None:
    async with switch(trusted=False) as line:
        await call_in(tmp_path, "register", transport, line, **PHONE)
        assert line.door.contacts("phone7001") == []


@pytest.mark.parametrize("wrong", [{"password": "guessed"}, {"username": "phone9999"}])
async def test_a_stranger_does_not_register(tmp_path: Path, wrong: dict[str, str]) -> None:
    async with switch(trusted=False) as line:
        await call_in(tmp_path, "register_refused", Transport.UDP, line, **PHONE | wrong)
        assert line.door.contacts("phone7001") == []


async def test_too_short_an_interval(tmp_path: Path) -> None:
    async with switch(trusted=False) as line:
        await call_in(tmp_path, "register_interval", Transport.UDP, line, **PHONE)


@TRANSPORTS
async def test_a_phone_calls_with_digest(tmp_path: Path, transport: Transport) -> None:
    async with switch(trusted=False) as line:
        await call_in(tmp_path, "phone_call_in", transport, line, **PHONE)
        assert line.kinds() == ["LegOffered", "LegAnswered", "LegGone"]
        (offered,) = line.of(LegOffered)
        assert isinstance(offered, LegOffered)
        assert (offered.caller, offered.account) == ("7001", "7001")


@TRANSPORTS
async def test_a_registered_phone_is_called(tmp_path: Path, transport: Transport) -> None:
    async with switch(trusted=False) as line:
        port = free_port(transport)
        async with sipp(tmp_path, "call_out", transport, port=port) as peer:
            await call_in(tmp_path, "register_for", transport, line, **PHONE, contact_port=str(port))
            leg = line.dial("7001", side=LineKind.PHONE)
            await line.until(lambda: LegAnswered(leg) in line.events)
            line.door.hang_up(leg)
            await peer.done()
        await line.all_gone()
        assert line.kinds() == ["LegRinging", "LegAnswered", "LegGone"]


async def test_a_phone_that_is_not_there_is_unreachable() -> None:
    async with switch(trusted=False) as line:
        line.dial("7002", side=LineKind.PHONE)
        await line.all_gone()
        assert [cause.value for cause in line.causes] == ["unreachable"]
