"""The door over real sockets: two doors that are each other's trunk, and a phone of the user agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from tests.doors.sip.far_sides import trunk
from tests.doors.sip.network import eventually
from tests.silent_engine import SilentEngine

from sottovoce.clock import SystemClock
from sottovoce.config import Advertised, NetworkSettings, SipSettings
from sottovoce.domain.directory import PhoneAccount, VdnId
from sottovoce.domain.journal import PhoneSaved
from sottovoce.domain.legs import LegAddress, LegId, ReleaseCause
from sottovoce.domain.lines import (
    Destination,
    LegAnswered,
    LegGone,
    LegHeld,
    LegOffered,
    LegPressed,
    LegResumed,
    LegRinging,
    LegSaved,
    LineEvent,
    LineKind,
)
from sottovoce.doors.sip import events
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import OutgoingCall
from sottovoce.doors.sip.digest import Algorithm, ha1
from sottovoce.doors.sip.door import SipDoor
from sottovoce.doors.sip.endpoint import Endpoint
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.ports import Account, Journal
from sottovoce.doors.sip.registering import RegisterWith, Registration
from sottovoce.media.engine import DigitPressed
from sottovoce.tasks import Tasks

T = TypeVar("T")
VDN = VdnId(1)
DOMAIN = "test.example"


def account(number: str, password: str = "secret") -> PhoneAccount:
    username = f"phone{number}"
    secrets = {a.value: ha1(a, username, DOMAIN, password) for a in Algorithm}
    return PhoneAccount(number, username, secrets)


class Book:
    """A directory of three phones; numbers that begin with 9 are ours."""

    def __init__(self) -> None:
        self._accounts = {a.username: a for a in map(account, ("501", "502", "503"))}

    def account(self, username: str) -> tuple[PhoneAccount, VdnId] | None:
        found = self._accounts.get(username)
        return (found, VDN) if found is not None else None

    def route(self, called: str) -> VdnId | None:
        return VDN if called.startswith("9") else None


class Kept:
    """A journal that has the last word on each phone."""

    def __init__(self) -> None:
        self.phones: dict[str, PhoneSaved] = {}

    def append(self, vdn: VdnId, changes: Sequence[PhoneSaved]) -> None:
        self.phones |= {change.username: change for change in changes}


class Floor:
    """One door, its engine, and the line events so far."""

    def __init__(
        self,
        settings: SipSettings,
        tasks: Tasks,
        *,
        network: NetworkSettings | None = None,
        capacity: int = 100,
        first_port: int = 30000,
        journal: Journal | None = None,
    ) -> None:
        self.engine = SilentEngine(capacity, first_port)
        network = network or NetworkSettings()
        self.door = SipDoor(self.engine, Book(), settings, network, SystemClock(), tasks, journal=journal)
        self.events: list[LineEvent] = []
        self._changed = asyncio.Event()
        self.door.subscribe(self._heard)
        self.on_offer: Callable[[LegId], None] | None = None

    def _heard(self, event: LineEvent) -> None:
        self.events.append(event)
        if isinstance(event, LegOffered) and self.on_offer is not None:
            self.on_offer(event.leg)
        self._changed.set()

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[T], count: int = 1) -> T:
        while len(self.of(kind)) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.of(kind)[-1]

    def answer_all(self) -> None:
        def answer(leg: LegId) -> None:
            self.door.announce(leg, early_media=False)
            self.door.accept(leg)

        self.on_offer = answer

    @property
    def port(self) -> int:
        return self.door.addresses[Transport.UDP][1]


def settings(**more: object) -> SipSettings:
    return SipSettings.model_validate({"host": "127.0.0.1", "port": 0, "domain": DOMAIN, **more})


@asynccontextmanager
async def floors(
    transport: Transport = Transport.UDP, network: NetworkSettings | None = None
) -> AsyncIterator[tuple[Floor, Floor]]:
    """A caller whose trunk is the second, and the second, which takes calls from loopback."""
    tasks = Tasks()
    inbound = trunk("in", "127.0.0.1", networks=("127.0.0.0/8",))
    second = Floor(settings(trunks=(inbound,)), tasks, first_port=40000)
    await second.door.start()
    out = settings(trunks=(trunk("out", "127.0.0.1", second.port, transport),))
    first = Floor(out, tasks, network=network)
    await first.door.start()
    try:
        yield first, second
    finally:
        await first.door.stop()
        await second.door.stop()
        await tasks.close()


def to(number: str) -> Destination:
    return Destination(LineKind.TRUNK, number)


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_call_out_of_one_door_into_the_other(transport: Transport) -> None:
    async with floors(transport) as (first, second):
        second.answer_all()
        leg = LegId("out-1")
        first.door.ring(leg, VDN, to("900"), "123")
        await first.until(LegAnswered)
        await second.until(LegAnswered)
        offered = second.of(LegOffered)[0]
        assert (offered.caller, offered.called, offered.vdn, offered.account) == ("123", "900", VDN, None)
        assert first.of(LegRinging) == [LegRinging(leg)]
        there, here = second.engine.open[offered.leg], first.engine.open[leg]
        assert (here and here.port, there and there.port) == (40002, 30002)
        second.door.hang_up(offered.leg)
        assert await first.until(LegGone) == LegGone(leg, ReleaseCause.NORMAL)
        assert await second.until(LegGone) == LegGone(offered.leg, ReleaseCause.NORMAL)
        assert first.engine.closed == [leg]
        assert second.engine.closed == [offered.leg]
        assert first.of(LegSaved)
        assert second.of(LegSaved)


class Phone:
    """A phone of the user agent, without media."""

    def __init__(self, number: str, tasks: Tasks, password: str = "secret") -> None:
        self.events: list[events.Event] = []
        self.number = number
        self.account = Account(f"phone{number}", password)
        self.endpoint = Endpoint(SipSettings(domain=DOMAIN), SystemClock(), tasks, self._heard)
        self.answers = True
        self._changed = asyncio.Event()

    def _heard(self, event: events.Event) -> None:
        self.events.append(event)
        if isinstance(event, events.CallOffered) and self.answers:
            session = self.endpoint.ua.offer(event.call)
            session.place(LegAddress("127.0.0.1", 50000))
            session.ring()
            session.accept()
        self._changed.set()

    async def until(self, kind: type[T], count: int = 1) -> T:
        while len(found := [e for e in self.events if isinstance(e, kind)]) < count:
            self._changed.clear()
            await self._changed.wait()
        return found[-1]

    async def register(self, hop: Hop) -> Registration:
        address = f"sip:{self.account.username}@{DOMAIN}"
        return self.endpoint.act(lambda ua: ua.register(RegisterWith(address, hop, self.account)))

    def call(self, number: str, hop: Hop) -> None:
        call = OutgoingCall(
            to=f"sip:{number}@{DOMAIN}",
            hop=hop,
            local=LegAddress("127.0.0.1", 50000),
            from_uri=f"sip:{self.account.username}@{DOMAIN}",
            account=self.account,
        )
        self.endpoint.act(lambda ua: ua.invite(call))


@asynccontextmanager
async def office(transport: Transport = Transport.UDP) -> AsyncIterator[tuple[Floor, Phone, Hop]]:
    """A door and a phone that is not registered yet."""
    tasks = Tasks()
    floor = Floor(settings(), tasks)
    await floor.door.start()
    phone = Phone("501", tasks)
    await phone.endpoint.start("127.0.0.1", 0)
    try:
        yield floor, phone, Hop(transport, "127.0.0.1", floor.port)
    finally:
        await floor.door.stop()
        await phone.endpoint.stop()
        await tasks.close()


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_phone_registers_is_rung_and_holds(transport: Transport) -> None:
    async with office(transport) as (floor, phone, hop):
        await phone.register(hop)
        await phone.until(events.Registered)
        assert [b.number for b in floor.door.contacts("phone501")] == ["501"]
        floor.door.ring(LegId("a"), VDN, Destination(LineKind.PHONE, "501"), "123")
        await floor.until(LegAnswered)
        session = phone.endpoint.ua.offer((await phone.until(events.CallAnswered)).call)
        phone.endpoint.act(lambda ua: session.hold())
        await floor.until(LegHeld)
        phone.endpoint.act(lambda ua: session.resume())
        await floor.until(LegResumed)
        phone.endpoint.act(lambda ua: session.hang_up())
        assert await floor.until(LegGone) == LegGone(LegId("a"), ReleaseCause.NORMAL)
        assert floor.engine.open == {}


async def test_a_phone_that_sends_its_keys_by_both_ways_is_taken_at_its_media() -> None:
    async with office() as (floor, phone, hop):
        await phone.register(hop)
        await phone.until(events.Registered)
        floor.door.ring(LegId("a"), VDN, Destination(LineKind.PHONE, "501"), "123")
        await floor.until(LegAnswered)
        session = phone.endpoint.ua.offer((await phone.until(events.CallAnswered)).call)
        for key in "12":
            assert session.dialog is not None
            info = session.dialog.request("INFO")
            info.headers.set("Content-Type", "application/dtmf")
            info.body = key.encode()
            answered = asyncio.get_running_loop().create_future()
            phone.endpoint.act(lambda ua, info=info, done=answered: session.exchange(info, done.set_result))  # type: ignore[misc]
            assert (await answered).status == 200
            floor.engine.tell(DigitPressed(LegId("a"), key))
        phone.endpoint.act(lambda ua: session.hang_up())
        await floor.until(LegGone)
        assert floor.of(LegPressed) == [LegPressed(LegId("a"), "1")]


@pytest.mark.parametrize("registers", [True, False])
@pytest.mark.parametrize("transport", list(Transport))
async def test_a_phone_calls_after_a_challenge(transport: Transport, registers: bool) -> None:
    async with office(transport) as (floor, phone, hop):
        if registers:
            await phone.register(hop)
            await phone.until(events.Registered)
        floor.answer_all()
        phone.call("777", hop)
        await phone.until(events.CallAnswered)
        offered = await floor.until(LegOffered)
        assert (offered.caller, offered.called, offered.account) == ("501", "777", "501")
        floor.door.hang_up(offered.leg)
        ended = await phone.until(events.CallEnded)
        assert ended.by_far_side


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("there", [True, False])
async def test_a_phone_is_rung_after_a_restart_before_it_registers_anew(
    transport: Transport, there: bool
) -> None:
    """Over TCP a new connection is made to its contact."""
    tasks, journal = Tasks(), Kept()
    before = Floor(settings(), tasks, journal=journal)
    await before.door.start()
    phone = Phone("501", tasks)
    await phone.endpoint.start("127.0.0.1", 0)
    await phone.register(Hop(transport, "127.0.0.1", before.port))
    await phone.until(events.Registered)
    await before.door.stop()
    if not there:
        await phone.endpoint.stop()
    after = Floor(settings(), tasks)
    after.door.remember(journal.phones.values())
    await after.door.start()
    after.door.ring(LegId("a"), VDN, Destination(LineKind.PHONE, "501"), "123")
    if there:
        await after.until(LegAnswered)
    elif transport is Transport.TCP:
        assert (await after.until(LegGone)).cause is ReleaseCause.UNREACHABLE
    await after.door.stop()
    await phone.endpoint.stop()
    await tasks.close()


async def test_strangers_are_refused() -> None:
    async with office() as (floor, phone, hop):
        phone.account = Account("phone501", "wrong")
        phone.call("777", hop)
        assert (await phone.until(events.CallEnded)).status == 403
        phone.account = Account("nobody", "secret")
        phone.call("777", hop)
        assert (await phone.until(events.CallEnded, 2)).status == 403
        assert floor.of(LegOffered) == []
        assert floor.engine.opened == []


async def test_trunks_and_registered_phones_keep_their_connections() -> None:
    tasks = Tasks()
    floor = Floor(settings(trunks=(trunk("in", "127.0.0.9", networks=("127.0.0.9/32",)),)), tasks)
    await floor.door.start()
    phone = Phone("501", tasks)
    await phone.endpoint.start("127.0.0.1", 0)
    assert [floor.door.knows(host) for host in ("127.0.0.9", "127.0.0.1", "127.0.0.7")] == [
        True,
        False,
        False,
    ]
    await phone.register(Hop(Transport.TCP, "127.0.0.1", floor.port))
    await phone.until(events.Registered)
    assert floor.door.knows("127.0.0.1")
    await floor.door.stop()
    await phone.endpoint.stop()
    await tasks.close()


async def test_a_wrong_password_does_not_register() -> None:
    async with office() as (floor, phone, hop):
        phone.account = Account("phone501", "wrong")
        await phone.register(hop)
        assert (await phone.until(events.RegistrationFailed)).status == 403
        assert floor.door.contacts("phone501") == []


async def test_media_exhausted_is_503_with_retry_after() -> None:
    async with floors() as (first, second):
        second.engine.capacity = 0
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        await first.until(LegGone)
        assert second.events == []
        first.engine.capacity = 0
        first.door.ring(LegId("b"), VDN, to("900"), "123")
        assert await first.until(LegGone, 2) == LegGone(LegId("b"), ReleaseCause.OVERLOAD)
        assert first.engine.closed == [LegId("a")]


async def test_a_number_that_nobody_answers_is_unreachable() -> None:
    async with floors() as (first, second):
        first.door.ring(LegId("a"), VDN, to("100"), "123")
        assert await first.until(LegGone) == LegGone(LegId("a"), ReleaseCause.UNREACHABLE)
        first.door.ring(LegId("b"), VDN, Destination(LineKind.PHONE, "501"), "123")
        assert await first.until(LegGone, 2) == LegGone(LegId("b"), ReleaseCause.UNREACHABLE)
        assert second.events == []
        assert first.engine.open == {}


@pytest.mark.parametrize(
    ("cause", "heard"),
    [
        (ReleaseCause.BUSY, ReleaseCause.BUSY),
        (ReleaseCause.REJECTED, ReleaseCause.REJECTED),
        (ReleaseCause.NO_ANSWER, ReleaseCause.NO_ANSWER),
        (ReleaseCause.UNREACHABLE, ReleaseCause.UNREACHABLE),
        (ReleaseCause.OVERLOAD, ReleaseCause.UNREACHABLE),
    ],
)
async def test_an_offer_that_the_floor_refuses(cause: ReleaseCause, heard: ReleaseCause) -> None:
    async with floors() as (first, second):
        second.on_offer = lambda leg: second.door.hang_up(leg, cause)
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        assert (await first.until(LegGone)).cause is heard
        assert (await second.until(LegGone)).cause is cause


async def test_a_caller_who_gives_up() -> None:
    async with floors() as (first, second):
        second.on_offer = lambda leg: second.door.announce(leg, early_media=False)
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        await first.until(LegRinging)
        first.door.hang_up(LegId("a"))
        assert await first.until(LegGone) == LegGone(LegId("a"), ReleaseCause.CANCELLED)
        assert (await second.until(LegGone)).cause is ReleaseCause.CANCELLED
        assert first.engine.open == second.engine.open == {}


async def test_hanging_up_before_the_media_is_open_rings_nobody() -> None:
    async with floors() as (first, second):
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        first.door.hang_up(LegId("a"), ReleaseCause.NO_ANSWER)
        first.door.hang_up(LegId("a"))
        assert await first.until(LegGone) == LegGone(LegId("a"), ReleaseCause.NO_ANSWER)
        assert first.engine.opened == first.engine.closed == []
        assert second.events == []


async def test_early_media_reaches_the_caller_before_the_answer() -> None:
    async with floors() as (first, second):
        second.on_offer = lambda leg: second.door.announce(leg, early_media=True)
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        await first.until(LegRinging)
        offered = await second.until(LegOffered)
        await eventually(lambda: first.engine.open[LegId("a")] and second.engine.open[offered.leg])
        assert first.of(LegAnswered) == []
        second.door.accept(offered.leg)
        await first.until(LegAnswered)
        await second.until(LegAnswered)


async def test_a_worker_that_died_ends_its_legs_only() -> None:
    async with floors() as (first, second):
        second.answer_all()
        for name in ("a", "b"):
            first.door.ring(LegId(name), VDN, to("900"), "123")
        await first.until(LegAnswered, 2)
        first.engine.lose(LegId("a"))
        assert await first.until(LegGone) == LegGone(LegId("a"), ReleaseCause.WORKER_LOST)
        assert (await second.until(LegGone)).cause is ReleaseCause.NORMAL
        assert list(first.engine.open) == [LegId("b")]


async def test_the_byes_that_a_crash_left_are_said_at_start() -> None:
    async with floors() as (first, second):
        second.answer_all()
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        await first.until(LegAnswered)
        await second.until(LegAnswered)
        saved = first.of(LegSaved)[-1].dialog
        tasks = Tasks()
        later = Floor(settings(trunks=(trunk("out", "127.0.0.1", second.port),)), tasks)
        later.door.recover({LegId("a"): saved, LegId("x"): {"nonsense": True}})
        await later.door.start()
        assert (await second.until(LegGone)).cause is ReleaseCause.NORMAL
        await later.door.stop()
        await tasks.close()


async def test_the_next_contact_is_rung_when_the_first_is_unreachable() -> None:
    async with office(Transport.TCP) as (floor, phone, hop):
        await phone.register(hop)
        await phone.until(events.Registered)
        tasks = Tasks()
        other = Phone("501", tasks)
        await other.endpoint.start("127.0.0.1", 0)
        await other.register(hop)
        await other.until(events.Registered)
        await other.endpoint.stop()
        await tasks.close()
        assert len(floor.door.contacts("phone501")) == 2
        floor.door.ring(LegId("a"), VDN, Destination(LineKind.PHONE, "501"), "123")
        await floor.until(LegAnswered)
        assert floor.of(LegGone) == []
        assert len(phone.events) > 1


@pytest.mark.parametrize("nat", [[], ["127.0.0.0/8"]])
@pytest.mark.parametrize("anywhere", [[], ["127.0.0.0/8"]])
async def test_rtp_from_anywhere_is_a_setting_of_its_own_and_off(nat: list[str], anywhere: list[str]) -> None:
    around = NetworkSettings.model_validate({"nat": nat, "rtp_from_anywhere": anywhere})
    async with floors(network=around) as (first, second):
        second.answer_all()
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        await first.until(LegAnswered)
        remote = first.engine.open[LegId("a")]
        assert remote is not None
        assert (remote.nat, remote.anywhere) == (bool(nat), bool(anywhere))


async def test_a_trunk_that_we_register_with() -> None:
    async with office() as (floor, _, hop):
        tasks = Tasks()
        account = Account("phone502", "secret")
        up = trunk("up", "127.0.0.1", hop.port, account=account, domain=DOMAIN, register_here=True)
        lower = Floor(settings(trunks=(up,)), tasks)
        await lower.door.start()
        await eventually(lambda: floor.door.contacts("phone502"))
        await lower.door.stop()
        await tasks.close()


async def test_a_trunk_that_insists_on_its_user_in_from_gets_it() -> None:
    async with floors() as (_, second):
        tasks = Tasks()
        out = trunk("out", "127.0.0.1", second.port, from_user="ours", from_domain="here.example")
        first = Floor(settings(trunks=(out,)), tasks)
        await first.door.start()
        first.door.ring(LegId("a"), VDN, to("900"), "123")
        assert (await second.until(LegOffered)).caller == "ours"
        await first.door.stop()
        await tasks.close()


async def test_stopping_says_bye_to_all() -> None:
    async with floors() as (first, second):
        second.answer_all()
        for number in range(5):
            first.door.ring(LegId(str(number)), VDN, to("900"), "123")
        await first.until(LegAnswered, 5)
        await second.until(LegAnswered, 5)
        await first.door.stop()
        await second.until(LegGone, 5)
        assert first.engine.open == second.engine.open == {}
        assert len(first.of(LegGone)) == 5


async def test_the_address_in_sip_and_sdp_is_chosen_by_network() -> None:
    tasks = Tasks()
    network = NetworkSettings(advertised=(Advertised(network="127.0.0.0/8", address="198.51.100.7"),))
    floor = Floor(settings(), tasks, network=network)
    await floor.door.start()
    phone = Phone("501", tasks)
    await phone.endpoint.start("127.0.0.1", 0)
    phone.answers = False
    await phone.register(Hop(Transport.UDP, "127.0.0.1", floor.port))
    await phone.until(events.Registered)
    floor.door.ring(LegId("a"), VDN, Destination(LineKind.PHONE, "501"), "123")
    session = phone.endpoint.ua.offer((await phone.until(events.CallOffered)).call)
    assert isinstance(session, Called)
    invite = session.invite.request
    assert b"c=IN IP4 198.51.100.7\r\n" in invite.body
    assert invite.contact is not None
    assert invite.contact.uri.host == "198.51.100.7"
    await floor.door.stop()
    await phone.endpoint.stop()
    await tasks.close()
