"""Pushing to servers that take it, fail, lie, are slow or gone: order is kept, no customer is cut off."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.live.conftest import Stage
from tests.push_server import LIES, OK, PushServer, push_server

from sottovoce.config import AgentSettings, PushSettings
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.destinations import Push, Way
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import Restored, SessionEnded, SessionSaved
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.pushes import PushWire
from sottovoce.live.availability import ChangeState
from sottovoce.live.chatting import StartChat
from sottovoce.live.handling import Release
from sottovoce.live.presence import RedirectPush, SignOutAgent
from sottovoce.live.state import LiveSettings
from sottovoce.live.views import SignIn
from sottovoce.pushing.pusher import Pusher
from sottovoce.pushing.seals import KEY_BYTES, Seals

A, B, I = AgentId(101), AgentId(102), AgentId(300)  # noqa: E741
LOOPBACK = ("127.0.0.0/8", "::1/128")
TALK = {"555": {"1101"}, "1101": {"555"}}
IN = [
    "AgentState_Busy",
    "AgentEvent_Incoming_CallInfo",
    "AgentOther_PhoneAlerting",
    "AgentOther_PhoneOffhook",
    "AgentEvent_Auto_Answer",
    "AgentEvent_Customer_Alerting",
    "AgentEvent_Talking",
    "AgentMediaEvent_Record",
]
SIGNED_IN = ["AgentOther_InService", "AgentState_Ready"]


class PushStage(Stage):
    """The live half with its pusher, and a client's server."""

    def __init__(self, server: PushServer, **settings: object) -> None:
        super().__init__(LiveSettings(Path("/rec"), AgentSettings(ring_timeout=20, wrap_up_limit=0)))
        self.server = server
        given = {"allowed": (server.url("/"),), "networks": LOOPBACK, "retry": 0.05, **settings}
        self.pushes = PushSettings.model_validate(given)
        self.pusher = self.new_pusher()

    def new_pusher(self, key: bytes = b"k" * KEY_BYTES) -> Pusher:
        return Pusher(self.desk, self.pushes, Seals(key), PushWire(), self.clock, self.tasks)

    async def pushed_to(self, *agents: int, way: Way = Way.LIST, host: str = "127.0.0.1") -> None:
        for agent in agents:
            push = Push(way, self.server.url(f"/cc/{agent}?token=t0p", host), "s3cret")
            await self.sign_in(agent, push=self.pusher.admit(AgentId(agent), push))

    async def arrived(self, *events: str) -> None:
        """Wait until these are the last that came."""
        await self.quiet()
        await self.server.until(lambda: tuple(self.server.events()[-len(events) :]) == events)

    async def close(self) -> None:
        await self.desk.close()
        await self.pusher.close()
        await self.tasks.close()

    def ends(self) -> list[tuple[int, str]]:
        return [(one.agent, one.reason) for one in self.store.written if isinstance(one, SessionEnded)]


@pytest.fixture
async def server() -> AsyncIterator[PushServer]:
    async with push_server() as made:
        yield made


@pytest.fixture
async def stage(server: PushServer) -> AsyncIterator[PushStage]:
    made = PushStage(server)
    await made.desk.open([VdnId(1), VdnId(2)])
    yield made
    await made.close()


async def say_busy(stage: PushStage, agent: AgentId, reason: int) -> None:
    await stage.desk.ask(ChangeState(agent, Trigger.SAY_BUSY, reason, prolong=True))


def reasons(server: PushServer) -> list[str]:
    """The reasons of all busy states taken, in order."""
    events = [event for pushed in server.taken for event in pushed.body["eventList"]]
    return [
        one["content"]["reason"] for one in events if one["eventType"] == "AgentState_SetNotReady_Success"
    ]


async def test_a_list_of_events_with_the_token(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    await stage.call_in("555")
    await stage.arrived(*IN)
    assert stage.server.events() == SIGNED_IN + IN
    for pushed in stage.server.taken:
        assert pushed.target == "/cc/101?token=t0p"
        assert pushed.headers["service_token"] == "s3cret"
        assert pushed.headers["content-type"] == "application/json;charset=UTF-8"
        assert pushed.headers["host"] == f"127.0.0.1:{stage.server.port}"
        assert pushed.body.keys() == {"workNo", "eventList"}
        assert pushed.body["workNo"] == "101"
        assert all(list(event) == ["eventType", "workNo", "content"] for event in pushed.body["eventList"])


async def test_the_older_way_brings_one_as_a_poll_is_answered(stage: PushStage) -> None:
    await stage.pushed_to(101, way=Way.SINGLE)
    await stage.call_in("555")
    await stage.arrived(*IN)
    assert stage.server.events() == SIGNED_IN + IN
    assert len(stage.server.taken) == len(SIGNED_IN + IN)
    first = stage.server.taken[0]
    assert first.target == "/cc/101?token=t0p"
    assert "service_token" not in first.headers
    assert first.body == {
        "message": "",
        "retcode": "0",
        "event": {"eventType": "AgentOther_InService", "workNo": "101", "content": None},
    }


@pytest.mark.parametrize("way", Way)
async def test_whatever_fails_is_sent_again_and_order_is_kept(stage: PushStage, way: Way) -> None:
    stage.server.script.extend(LIES.values())
    await stage.pushed_to(101, way=way)
    await stage.call_in("555")
    await stage.arrived(*IN)
    assert stage.server.events() == SIGNED_IN + IN
    firsts = {tuple(pushed.events) for pushed in stage.server.refused}
    assert firsts == {tuple(stage.server.taken[0].events)}, "the same again until it arrives"
    assert len(stage.server.refused) == len(LIES)
    assert {pushed.target for pushed in stage.server.refused} == {"/cc/101?token=t0p"}, "no redirect"


async def test_success_as_a_number_is_success(stage: PushStage) -> None:
    wire = PushWire()
    assert wire.taken(OK)
    assert wire.taken(b'{"retcode":0}')
    assert not any(wire.taken(said) for said in (b'{"retcode":1}', b'{"retcode":""}', b"{}", b"null"))
    assert not wire.taken(b"[" * 100_000)


async def test_one_request_at_a_time_of_an_agent_and_events_gather(stage: PushStage) -> None:
    stage.server.slow = asyncio.Event()
    await stage.pushed_to(101)
    await stage.server.until(lambda: bool(stage.server.taken))
    for reason in range(200, 230):
        await say_busy(stage, A, reason)
    stage.server.slow.set()
    await stage.server.until(lambda: len(reasons(stage.server)) == 30)
    assert reasons(stage.server) == [str(reason) for reason in range(200, 230)]
    assert stage.server.most == 1
    assert max(len(pushed.body["eventList"]) for pushed in stage.server.taken) == 20


async def test_a_server_that_never_answers_is_asked_again(server: PushServer) -> None:
    stage = PushStage(server, timeout=0.5)
    await stage.desk.open([VdnId(1)])
    server.slow = asyncio.Event()
    await stage.pushed_to(101)
    await server.until(lambda: len(server.taken) == 2)
    assert server.taken[0].events == server.taken[1].events[: len(server.taken[0].events)]
    server.slow.set()
    await stage.call_in("555")
    await stage.arrived(*IN)
    await stage.close()


async def test_a_server_that_is_gone_and_comes_back() -> None:
    async with push_server() as first:
        stage = PushStage(first)
        await stage.desk.open([VdnId(1)])
        await stage.pushed_to(101)
        await stage.arrived(*SIGNED_IN)
    await stage.call_in("555")
    assert stage.state(101) is AgentState.TALKING
    async with push_server(first.port) as stage.server:
        await stage.arrived(*IN)
        assert stage.server.events() == IN
        await stage.close()


async def failing(stage: PushStage, seconds: float) -> None:
    """The server fails for so long; the client's heartbeats go on."""
    done = len(stage.server.refused)
    stage.server.script.extend([LIES["500"]] * 1000)
    await stage.server.until(lambda: len(stage.server.refused) > done + 1)
    stage.desk.sessions.heartbeat(A)
    stage.clock.advance(seconds)
    done = len(stage.server.refused)
    await stage.server.until(lambda: bool(stage.ends()) or len(stage.server.refused) > done + 1)
    await stage.quiet()


async def test_two_minutes_of_failure_sign_out(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    await say_busy(stage, A, 200)
    await failing(stage, 119)
    assert stage.ends() == []
    await failing(stage, 2)
    assert stage.ends() == [(A, "events could not be pushed")]


async def test_but_not_out_of_a_call_nor_does_a_heartbeat_keep_the_agent(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    stage.server.script.extend([LIES["500"]] * 1000)
    await stage.call_in("555")
    await failing(stage, 130)
    stage.desk.sessions.heartbeat(A)
    assert stage.hears() == TALK
    assert stage.ends() == []
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.ends() == [(A, "events could not be pushed")]


async def test_who_is_reached_again_before_the_call_ends_stays(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    stage.server.script.extend([LIES["500"]] * 1000)
    await stage.call_in("555")
    await failing(stage, 130)
    stage.server.script.clear()
    await stage.arrived(*IN)
    await stage.desk.ask(Release(A))
    await stage.arrived("AgentState_Ready", "AgentMediaEvent_StopRecordDone")
    assert stage.state(101) is AgentState.IDLE
    assert stage.ends() == []


async def test_silence_signs_out_though_pushes_arrive_and_the_client_is_told(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    await stage.later(121)
    assert stage.ends() == [(A, "no sign of life")]
    await stage.arrived("AgentOther_ShutdownService")


async def test_an_inspector_s_lease_outlives_the_time_between_heartbeats(stage: PushStage) -> None:
    await stage.pushed_to(300)
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    for _ in range(3):
        await stage.later(60)
        assert "1300" in stage.hears()["1101"]
        stage.desk.sessions.heartbeat(I)
        stage.desk.sessions.heartbeat(A)
    await stage.later(91)
    assert stage.hears() == TALK


async def test_a_poll_is_refused_and_a_client_that_polls_is_not_pushed_to(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.sign_in(102)
    with pytest.raises(Refused) as refused:
        await stage.desk.next_event(A, 0)
    assert refused.value.code is Code.EVENTS_PUSHED
    assert await stage.names(102) == ["InService", "AgentReady"]
    await stage.arrived(*SIGNED_IN)
    await stage.desk.sessions.sign_in(A, wish(), force=True)
    assert (await stage.names(101))[:1] == ["InService"]
    await say_busy(stage, A, 200)
    await stage.quiet()
    assert stage.server.events() == SIGNED_IN


def wish(push: str = "") -> SignIn:
    return SignIn("secret", "", push=push)


async def test_a_new_sign_in_waits_for_what_is_on_its_way_and_drops_the_rest(stage: PushStage) -> None:
    stage.server.slow = asyncio.Event()
    await stage.pushed_to(101)
    await stage.server.until(lambda: bool(stage.server.taken))
    await say_busy(stage, A, 200)
    push = stage.pusher.admit(A, Push(Way.LIST, stage.server.url("/new"), "other"))
    await stage.desk.sessions.sign_in(A, wish(push), force=True)
    stage.server.slow.set()
    await stage.server.until(lambda: len(stage.server.taken) > 1)
    assert [pushed.target for pushed in stage.server.taken] == ["/cc/101?token=t0p", "/new"]
    assert reasons(stage.server) == []
    assert stage.server.most == 1


async def test_a_sign_out_empties_the_queue(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.call_in("555")
    await stage.desk.ask(SignOutAgent(A, force=True))
    await stage.quiet()
    await stage.arrived(
        "AgentEvent_Call_Release",
        "AgentEvent_Customer_Release",
        "AgentOther_PhoneRelease",
        "AgentState_Ready",
    )


async def test_a_snapshot_forgets_what_waits(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    stage.server.script.extend([LIES["500"]] * 1000)
    await say_busy(stage, A, 200)
    await stage.server.until(lambda: len(stage.server.refused) > 1)
    await stage.desk.snapshot(A)
    stage.server.script.clear()
    await say_busy(stage, A, 201)
    await stage.server.until(lambda: "201" in reasons(stage.server))
    assert reasons(stage.server) == ["201"]


async def test_a_new_token_counts_from_the_next_push(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    to = stage.desk.pushed_to(A)
    assert stage.pusher.with_token(A, to, "s3cret") == to
    await stage.desk.ask(RedirectPush(A, stage.pusher.with_token(A, to, "n3w")))
    await say_busy(stage, A, 200)
    await stage.server.until(lambda: reasons(stage.server) == ["200"])
    assert stage.server.taken[-1].headers["service_token"] == "n3w"
    saved = [one for one in stage.store.written if isinstance(one, SessionSaved)][-1]
    assert saved.settings["push"] == stage.desk.pushed_to(A)
    with pytest.raises(Refused):
        stage.pusher.with_token(A, to, "a b")


async def failed(logs: list[MutableMapping[str, Any]]) -> str:
    """Wait until the log says that a push failed; why."""
    async with asyncio.timeout(20):
        while not (said := [one["reason"] for one in logs if one["event"] == "push failed"]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return str(said[0])


TLS = Path(__file__).parents[1] / "http" / "tls"


@pytest.mark.parametrize(
    ("host", "own_authority", "arrives"),
    [
        ("localhost", True, True),
        ("127.0.0.1", True, True),
        ("127.0.0.2", True, False),
        ("localhost", False, False),
    ],
)
async def test_tls_is_checked_against_the_name(host: str, own_authority: bool, arrives: bool) -> None:
    """The certificate is of localhost and 127.0.0.1; the system's authorities do not know it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    async with push_server(host="127.0.0.2" if host == "127.0.0.2" else "127.0.0.1", tls=context) as server:
        trusted = {"ca_file": TLS / "certificate.pem"} if own_authority else {}
        stage = PushStage(server, allowed=(server.url("/", host),), **trusted)
        await stage.desk.open([VdnId(1)])
        with capture_logs() as logs:
            await stage.pushed_to(101, host=host)
            if arrives:
                await stage.arrived(*SIGNED_IN)
            else:
                assert "certificate" in (await failed(logs)).lower()
        await stage.close()
        assert bool(server.taken) is arrives


async def test_a_name_that_leads_inside_is_not_connected_to(server: PushServer) -> None:
    url = server.url("/", "localhost")
    stage = PushStage(server, allowed=(url,), networks=())
    await stage.desk.open([VdnId(1)])
    with capture_logs() as logs:
        await stage.pushed_to(101, host="localhost")
        await stage.call_in("555")
        assert await failed(logs) == "localhost: no address of localhost may be connected to"
    assert stage.hears() == TALK
    await stage.close()
    assert (server.taken, server.refused) == ([], [])


async def test_one_dead_server_does_not_hold_up_another(server: PushServer) -> None:
    async with push_server() as dead:
        dead.slow = asyncio.Event()
        stage = PushStage(server, allowed=(server.url("/"), dead.url("/")), connections=4, timeout=30)
        await stage.desk.open([VdnId(1)])
        stage.server = dead
        await stage.pushed_to(102, 103)
        await dead.until(lambda: len(dead.taken) == 1)
        stage.server = server
        await stage.pushed_to(101)
        await stage.arrived(*SIGNED_IN)
        assert (dead.most, len(dead.taken)) == (1, 1), "a quarter of the connections"
        await stage.close()


async def restarted(stage: PushStage, key: bytes = b"k" * KEY_BYTES) -> None:
    """kill -9, and a new start from the journal."""
    saved = {one.agent: one for one in stage.store.written if isinstance(one, SessionSaved)}
    await stage.pusher.close()
    await stage.desk.close()
    stage.store.restored[VdnId(1)] = Restored(sessions=list(saved.values()))
    stage.desk = stage.new_desk()
    stage.pusher = stage.new_pusher(key)
    await stage.desk.open([VdnId(1)])


async def test_after_a_restart_the_push_goes_on(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    assert not any("s3cret" in str(one) or "t0p" in str(one) for one in stage.store.written)
    await restarted(stage)
    await stage.arrived("AgentState_Ready")
    await stage.call_in("555")
    await stage.arrived(*IN)


async def test_without_its_key_the_agent_may_poll(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    await restarted(stage, b"K" * KEY_BYTES)
    assert await stage.names(101) == ["AgentReady"]


async def test_a_push_that_fails_after_its_session_says_nothing_of_the_next(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    stage.server.script.extend([LIES["500"]] * 2)
    await say_busy(stage, A, 200)
    await stage.server.until(lambda: len(stage.server.refused) == 1)
    stage.server.slow = asyncio.Event()
    await stage.server.until(lambda: stage.server.most == 1 and len(stage.server.refused) == 2)
    stage.desk.sessions.heartbeat(A)
    stage.clock.advance(121)
    stage.desk.sessions.heartbeat(A)
    await stage.desk.sessions.sign_in(A, wish(), force=True)
    stage.server.slow.set()
    while stage.pusher._running:  # noqa: ASYNC110 - the former session's push
        await asyncio.sleep(0)
    await stage.quiet()
    assert stage.ends() == []
    assert (await stage.names(101))[0] == "InService"


async def test_who_is_not_reached_and_falls_silent_is_not_kept_by_a_heartbeat(stage: PushStage) -> None:
    await stage.pushed_to(101)
    await stage.arrived(*SIGNED_IN)
    stage.server.script.extend([LIES["500"]] * 1000)
    await stage.call_in("555")
    await failing(stage, 130)
    await stage.later(121)
    stage.desk.sessions.heartbeat(A)
    await stage.quiet()
    assert stage.hears() == TALK
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.ends() == [(A, "events could not be pushed")]


async def test_a_sign_in_elsewhere_is_told_nothing_of_the_session_before(stage: PushStage) -> None:
    await stage.sign_in(101, 102)
    await stage.desk.ask(StartChat(B, A))
    push = stage.pusher.admit(A, Push(Way.LIST, stage.server.url("/new"), "s3cret"))
    await stage.desk.sessions.sign_in(A, SignIn("secret", "1103", push=push), force=True)
    await say_busy(stage, A, 200)
    await stage.server.until(lambda: reasons(stage.server) == ["200"])
    assert stage.server.events()[: len(SIGNED_IN)] == SIGNED_IN
