"""baresip as a phone: it registers, is called, holds, calls, and hangs up."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doors.sip.peers.baresip import baresip
from tests.doors.sip.peers.harness import DOMAIN, TRANSPORTS, needs_baresip, switch

from sottovoce.domain.lines import LegAnswered, LegGone, LegOffered, LineKind
from sottovoce.doors.sip.hops import Transport

pytestmark = [pytest.mark.peer, needs_baresip]


@TRANSPORTS
async def test_a_registered_phone_is_called_and_answers(tmp_path: Path, transport: Transport) -> None:
    async with (
        switch(trusted=False) as line,
        baresip(tmp_path, "phone7001", line.port(transport), transport) as phone,
    ):
        await phone.says("200 OK")
        leg = line.dial("7001", side=LineKind.PHONE)
        await line.until(lambda: LegAnswered(leg) in line.events)
        await phone.says("Call established")
        line.door.hang_up(leg)
        await line.all_gone()
        assert line.kinds("LegRinging") == ["LegAnswered", "LegGone"]


@TRANSPORTS
async def test_a_phone_holds_and_hangs_up(tmp_path: Path, transport: Transport) -> None:
    async with (
        switch(trusted=False) as line,
        baresip(tmp_path, "phone7001", line.port(transport), transport) as phone,
    ):
        await phone.says("200 OK")
        leg = line.dial("7001", side=LineKind.PHONE)
        await line.until(lambda: LegAnswered(leg) in line.events)
        await phone.says("Call established")
        phone.types("x")
        await line.until(lambda: "LegHeld" in line.kinds())
        phone.types("X")
        await line.until(lambda: "LegResumed" in line.kinds())
        phone.types("b")
        await line.all_gone()
        assert line.kinds("LegRinging") == ["LegAnswered", "LegHeld", "LegResumed", "LegGone"]


@TRANSPORTS
async def test_a_phone_calls_out_with_digest(tmp_path: Path, transport: Transport) -> None:
    async with (
        switch(trusted=False) as line,
        baresip(tmp_path, "phone7001", line.port(transport), transport) as phone,
    ):
        await phone.says("200 OK")
        phone.types(f"/dial sip:ring-accept-talk-bye@{DOMAIN}\n")
        await phone.says("Call established")
        await line.until(lambda: bool(line.of(LegGone)))
        (offered,) = line.of(LegOffered)
        assert isinstance(offered, LegOffered)
        assert (offered.account, offered.called) == ("7001", "ring-accept-talk-bye")


async def test_a_wrong_password_is_not_registered(tmp_path: Path) -> None:
    async with (
        switch(trusted=False) as line,
        baresip(tmp_path, "phone9999", line.port(Transport.UDP), Transport.UDP) as phone,
    ):
        await phone.says("403 Forbidden")
        assert line.door.contacts("phone9999") == []
