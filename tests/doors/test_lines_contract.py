"""The contract of doors over SIP on loopback, and over scripted phones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from tests.doors.lines_contract import (
    ACCESS_CODE,
    LEG,
    OUTSIDER,
    PHONE,
    VDN,
    LinesContract,
    Manner,
    Town,
)
from tests.doors.sip.far_sides import trunk
from tests.doors.sip.network import eventually
from tests.doors.sip.test_door import DOMAIN, Book, settings
from tests.scripted_phones import InProcessLines, ScriptedPhone

from sottovoce.clock import SystemClock
from sottovoce.config import NetworkSettings, SipSettings
from sottovoce.domain.legs import LegAddress, LegId, ReleaseCause
from sottovoce.domain.lines import LegSaved, LineEvent
from sottovoce.doors.sip import events
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import OutgoingCall
from sottovoce.doors.sip.door import SipDoor
from sottovoce.doors.sip.endpoint import Endpoint
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.registering import RegisterWith
from sottovoce.doors.sip.session import Session
from sottovoce.tasks import Tasks

LOOPBACK = "127.0.0.1"
MEDIA = LegAddress(LOOPBACK, 50000)


class SipPhone:
    """A phone of the user agent, without media."""

    def __init__(self, tasks: Tasks, door: Hop, manner: Manner = Manner.RINGS) -> None:
        self.endpoint = Endpoint(SipSettings(domain=DOMAIN), SystemClock(), tasks, self._heard)
        self.registered = False
        self._door = door
        self._manner = manner
        self._session: Session | None = None

    def _heard(self, event: events.Event) -> None:
        match event:
            case events.CallOffered(call=call):
                self._rung(self.endpoint.ua.offer(call))
            case events.Registered():
                self.registered = True

    def _rung(self, session: Called) -> None:
        self._session = session
        session.place(MEDIA)
        if self._manner is Manner.BUSY:
            session.refuse(486)
            return
        session.ring()
        if self._manner is Manner.ANSWERS:
            session.accept()

    async def register(self) -> None:
        account = Account(f"phone{PHONE}", "secret")
        wanted = RegisterWith(f"sip:{account.username}@{DOMAIN}", self._door, account)
        self.endpoint.act(lambda ua: ua.register(wanted))
        await eventually(lambda: self.registered)

    def dial(self, number: str) -> None:
        call = OutgoingCall(
            to=f"sip:{number}@{DOMAIN}",
            hop=self._door,
            local=MEDIA,
            from_uri=f"sip:{OUTSIDER}@{DOMAIN}",
        )
        self._session = self.endpoint.act(lambda ua: ua.invite(call))

    @property
    def session(self) -> Session:
        assert self._session is not None
        return self._session

    def lift(self) -> None:
        session = self.session
        assert isinstance(session, Called)
        self.endpoint.act(lambda ua: session.accept())

    def hang_up(self) -> None:
        self.endpoint.act(lambda ua: self.session.hang_up())

    def hold(self) -> None:
        self.endpoint.act(lambda ua: self.session.hold())

    def resume(self) -> None:
        self.endpoint.act(lambda ua: self.session.resume())

    def press(self, key: str) -> None:
        session = self.session
        assert session.dialog is not None
        info = session.dialog.request("INFO")
        info.headers.set("Content-Type", "application/dtmf-relay")
        info.body = f"Signal={key}\r\nDuration=160\r\n".encode()
        self.endpoint.act(lambda ua: session.exchange(info, lambda answered: None))

    async def free(self) -> None:
        await eventually(lambda: self._session is None or self._session.ended)


class SipTown(Town):
    """A door whose trunk is the loopback network, but for the phone that registers from it."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._tasks = Tasks()
        self._transport = transport
        self._phones: list[SipPhone] = []
        self._door = self._made()
        self._door.subscribe(self.heard)

    def _made(self) -> SipDoor:
        outside = trunk("outside", LOOPBACK, networks=("127.0.0.0/8",))
        return SipDoor(
            self.engine, Book(), settings(trunks=(outside,)), NetworkSettings(), SystemClock(), self._tasks
        )

    async def start(self) -> None:
        await self._door.start()

    @property
    def lines(self) -> SipDoor:
        return self._door

    async def _phone(self, manner: Manner) -> SipPhone:
        door = Hop(self._transport, *self._door.addresses[self._transport])
        phone = SipPhone(self._tasks, door, manner)
        await phone.endpoint.start(LOOPBACK, 0)
        self._phones.append(phone)
        return phone

    async def phone(self, manner: Manner) -> SipPhone:
        phone = await self._phone(manner)
        await phone.register()
        return phone

    async def outsider(self) -> SipPhone:
        phone = await self._phone(Manner.RINGS)
        phone.dial(ACCESS_CODE)
        return phone

    async def recovered(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> list[LineEvent]:
        later, said = self._made(), list[LineEvent]()
        later.subscribe(said.append)
        later.recover(dialogs)
        await later.start()
        await later.stop()
        return said

    async def end(self) -> None:
        await self._door.stop()

    async def close(self) -> None:
        await self.end()
        for phone in self._phones:
            await phone.endpoint.stop()
        await self._tasks.close()


class TestSipDoor(LinesContract):
    @pytest.fixture(params=list(Transport))
    async def town(self, request: pytest.FixtureRequest) -> AsyncIterator[SipTown]:
        town = SipTown(request.param)
        await town.start()
        yield town
        await town.close()

    async def test_a_talk_is_saved_and_its_bye_said_by_the_next_door(self, town: SipTown) -> None:
        phone = await town.talk()
        saved = [event for event in town.said if isinstance(event, LegSaved)]
        assert {event.leg for event in saved} == {LEG}
        await town.recovered({LEG: saved[-1].dialog})
        await phone.free()


class Desk:
    """A scripted phone whose end can be waited for."""

    def __init__(self, lines: InProcessLines, phone: ScriptedPhone) -> None:
        self._lines = lines
        self._phone = phone
        self.lift, self.hang_up = phone.lift, phone.hang_up
        self.hold, self.resume, self.press = phone.hold, phone.resume, phone.press

    async def free(self) -> None:
        await self._lines.settled()
        assert self._phone.leg is None


class ScriptedTown(Town):
    """Scripted phones."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks = Tasks()
        self._lines = InProcessLines(self.engine, self._tasks)
        self._lines.subscribe(self.heard)

    @property
    def lines(self) -> InProcessLines:
        return self._lines

    async def phone(self, manner: Manner) -> Desk:
        rejects = ReleaseCause.BUSY if manner is Manner.BUSY else None
        made = self._lines.phone(PHONE, ready=manner is Manner.ANSWERS, rejects=rejects)
        return Desk(self._lines, made)

    async def outsider(self) -> Desk:
        caller = self._lines.phone(OUTSIDER)
        self._lines.call_in(VDN, caller, ACCESS_CODE)
        return Desk(self._lines, caller)

    async def recovered(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> list[LineEvent]:
        later, said = InProcessLines(self.engine, self._tasks), list[LineEvent]()
        later.subscribe(said.append)
        later.recover(dialogs)
        await later.settled()
        return said

    async def end(self) -> None:
        for leg in list(self._lines.legs):
            self._lines.hang_up(leg)
        await self._lines.settled()

    async def close(self) -> None:
        await self.end()
        await self._tasks.close()


class TestScriptedPhones(LinesContract):
    @pytest.fixture
    async def town(self) -> AsyncIterator[ScriptedTown]:
        town = ScriptedTown()
        yield town
        await town.close()
