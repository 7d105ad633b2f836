"""The CC-Gateway interface as seen by a client (fact sheet: CEC "API Reference", cec_07_2400 ff.)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from sottovoce.clock import Clock, SystemClock
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

RESOURCE = "/agentgateway/resource"
SUCCESS = "0"
NOT_SIGNED_IN = "100-006"
LISTEN, INSERT, WHISPER = 0, 1, 2
"""`switchtype` of requestswitchinsertwhisperagent (cec_07_2414)."""
_POLL_TIMEOUT_S = 20.0
_KEPT_EVENTS = 1000


class Failed(Exception):
    """The server answered with a retcode that is not success, or not in its own form."""

    def __init__(self, request: str, retcode: str, message: str) -> None:
        super().__init__(f"{request}: {retcode} {message}".rstrip())
        self.retcode = retcode
        self.message = message


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `sent_at` and `answered_at` are seconds on the monotonic clock."""

    retcode: str
    message: str
    result: Any
    event: Mapping[str, Any] | None
    sent_at: float
    answered_at: float


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """One event that a poll brought."""

    kind: str
    """`eventType`, for example `AgentState_Ready`."""
    content: Any
    arrived_at: float = 0.0
    """Seconds on the client's monotonic clock."""


def guid_of(headers: httpx.Headers) -> str | None:
    """The Guid that an answer hands out: what follows `=` in Set-GUID, as real clients read it."""
    value = headers.get("Set-GUID")
    return value.partition("=")[2].strip() or None if value and "=" in value else None


class Gateway:
    """A server's HTTP side: one pool of connections for all its agents."""

    def __init__(
        self, base_url: str, *, verify: bool = True, connections: int = 64, clock: Clock | None = None
    ) -> None:
        self.clock = clock or SystemClock()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(verify=verify, limits=limits, timeout=_POLL_TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def request(
        self,
        verb: str,
        path: str,
        *,
        guid: str | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> tuple[Answer, httpx.Headers]:
        """One request below `/agentgateway/resource`; `Failed` if the answer is not the family's JSON."""
        headers = {"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json"}
        if guid is not None:
            headers["Guid"] = guid
        sent_at = self.clock.monotonic()
        response = await self._http.request(
            verb,
            f"{self.base_url}{RESOURCE}{path}",
            headers=headers,
            params=dict(query) if query else None,
            json=body,
        )
        try:
            return parse(response, sent_at, self.clock.monotonic()), response.headers
        except ValueError as failure:
            raise Failed(
                f"{verb} {path}", str(response.status_code), f"not the family's answer: {failure}"
            ) from None

    def agent(self, agent: int, *, dynamic_guid: bool = False) -> AgentClient:
        """A client for one agent; it is not signed in yet."""
        return AgentClient(self, agent, dynamic_guid=dynamic_guid)


def parse(response: httpx.Response, sent_at: float, answered_at: float) -> Answer:
    """An answer from a response; ValueError if its body is not an object with a string `retcode`."""
    document = response.json()
    if not isinstance(document, dict) or not isinstance(document.get("retcode"), str):
        raise ValueError(f"no retcode in {response.text[:200]!r}")
    event = document.get("event")
    return Answer(
        retcode=document["retcode"],
        message=str(document.get("message", "")),
        result=document.get("result"),
        event=event if isinstance(event, dict) else None,
        sent_at=sent_at,
        answered_at=answered_at,
    )


class AgentClient:
    """One agent at the gateway. Methods raise `Failed` for a retcode other than "0"."""

    def __init__(self, gateway: Gateway, agent: int, *, dynamic_guid: bool = False) -> None:
        self.agent = agent
        self.guid: str | None = None
        self._gateway = gateway
        self._dynamic = dynamic_guid
        self._events: deque[GatewayEvent] = deque(maxlen=_KEPT_EVENTS)
        self._news = asyncio.Event()
        self._listeners: list[Callable[[GatewayEvent], None]] = []

    # -- requests

    async def ask(
        self, verb: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Answer:
        """One request as this agent; `Failed` unless its retcode is "0"."""
        answer, headers = await self._gateway.request(verb, path, guid=self.guid, query=query, body=body)
        if answer.retcode != SUCCESS:
            raise Failed(f"{verb} {path}", answer.retcode, answer.message)
        if self._dynamic and (fresh := guid_of(headers)):
            self.guid = fresh
        return answer

    async def sign_in(
        self,
        password: str,
        phone: str,
        *,
        force: bool = True,
        skills: Sequence[int] | None = None,
        **flags: Any,
    ) -> Answer:
        """(Force)login, then resetskill: all configured skills, or `skills`. `flags` go into the body."""
        body = {"password": password, "phonenum": phone, **flags}
        path = f"/onlineagent/{self.agent}" + ("/forcelogin" if force else "")
        answer, headers = await self._gateway.request("PUT", path, guid=self.guid, body=body)
        if answer.retcode != SUCCESS:
            raise Failed(f"PUT {path}", answer.retcode, answer.message)
        self.guid = guid_of(headers)
        if self.guid is None:
            raise Failed(f"PUT {path}", answer.retcode, "signed in, but the answer has no Set-GUID")
        await self.reset_skills(skills)
        return answer

    async def reset_skills(self, skills: Sequence[int] | None = None) -> Answer:
        """Serve all configured skill queues, or only these."""
        auto = "true" if skills is None else "false"
        wanted = ";".join(str(skill) for skill in skills or ())
        query = {"skillid": wanted, "phonelinkage": "1"}
        return await self.ask("POST", f"/onlineagent/{self.agent}/resetskill/{auto}", query)

    async def sign_out(self, *, force: bool = True) -> Answer:
        """(Force)logout; the Guid is forgotten. A plain logout during a call is refused."""
        path = f"/onlineagent/{self.agent}/" + ("forcelogout" if force else "logout")
        answer = await self.ask("DELETE", path)
        self.guid = None
        return answer

    async def say_busy(self) -> Answer:
        """Take no more calls until `say_free`."""
        return await self.ask("POST", f"/onlineagent/{self.agent}/saybusy")

    async def say_free(self) -> Answer:
        """Be idle: ready for the next call."""
        return await self.ask("POST", f"/onlineagent/{self.agent}/sayfree")

    async def status(self) -> int:
        """The agent's state: 3 busy, 4 idle, 5 wrap-up, 7 talking, 8 rest."""
        answer = await self.ask("GET", f"/onlineagent/{self.agent}/agentstatus")
        result = answer.result[0] if isinstance(answer.result, list) else answer.result
        return int(result["agentState"])

    async def snapshot(self) -> Any:
        """syncagentinfo: empties the server's queue of this agent and says where things stand."""
        return (await self.ask("POST", f"/onlineagent/{self.agent}/syncagentinfo")).result

    # -- calls

    async def call_out(self, called: str, *, caller: str = "") -> str:
        """Place a call; the answer is its call id."""
        body = {"called": called, "caller": caller}
        return str((await self.ask("PUT", f"/voicecall/{self.agent}/callout", body=body)).result)

    async def answer(self) -> Answer:
        """Answer the call that rings at this agent."""
        return await self.ask("PUT", f"/voicecall/{self.agent}/answer")

    async def hold(self) -> Answer:
        """Put the customer on hold: music and nobody else."""
        return await self.ask("POST", f"/voicecall/{self.agent}/hold")

    async def take_back(self) -> Answer:
        """Take the held customer back (gethold)."""
        return await self.ask("POST", f"/voicecall/{self.agent}/gethold")

    async def release(self) -> Answer:
        """Hang the present call up."""
        return await self.ask("DELETE", f"/voicecall/{self.agent}/release")

    async def mute(self) -> Answer:
        """Let customer and inspectors hear nothing of this agent."""
        return await self.ask("POST", f"/voicecall/{self.agent}/beginmute")

    async def unmute(self) -> Answer:
        """Be heard again."""
        return await self.ask("POST", f"/voicecall/{self.agent}/endmute")

    async def consult(self, target: int, *, joins: bool = False) -> str:
        """Consult agent `target` while the customer is held, or ask them in (`joins`); that call's id."""
        body = {"dstaddress": str(target), "devicetype": 2, "mode": 2 if joins else 1}
        return str((await self.ask("POST", f"/voicecall/{self.agent}/innerhelp", body=body)).result)

    async def join(self, held: str) -> Answer:
        """Make one talk of the held call and the present one (confjoin)."""
        return await self.ask("POST", f"/voicecall/{self.agent}/confjoin", body={"callid": held})

    async def transfer(self, target: int, *, blind: bool = False) -> Answer:
        """Hand the call over to agent `target`, when they answer or at once."""
        body = {"devicetype": 2, "address": str(target), "mode": 0 if blind else 2}
        return await self.ask("POST", f"/voicecall/{self.agent}/transfer", body=body)

    async def disconnect(self, number: str) -> Answer:
        """Take one party, by number, out of the call."""
        return await self.ask("POST", f"/voicecall/{self.agent}/disconnect/{number}")

    async def call_ids(self) -> list[str]:
        """The ids of this agent's calls."""
        answer = await self.ask("GET", f"/calldata/{self.agent}/allcallid")
        return [str(call) for call in answer.result or ()]

    # -- supervision (qualitycontrol)

    async def listen(self, target: int) -> Answer:
        """Begin to listen to agent `target` (addsupervise)."""
        return await self.ask("PUT", f"/qualitycontrol/{self.agent}/addsupervise/{target}")

    async def insert(self, target: int) -> Answer:
        """Join the call of agent `target`, heard by all (addinsert)."""
        return await self.ask("PUT", f"/qualitycontrol/{self.agent}/addinsert/{target}")

    async def whisper(self, target: int) -> Answer:
        """Begin to whisper to agent `target`, unheard by the customer (requestwhisperagent)."""
        return await self._whisper("requestwhisperagent", target)

    async def stop_whisper(self, target: int) -> Answer:
        """Stop whispering to agent `target`, which ends the supervision (cec_07_2413)."""
        return await self._whisper("requeststopwhisperagent", target)

    async def switch(self, target: int, mode: int) -> Answer:
        """Change a running supervision's mode: LISTEN, INSERT or WHISPER."""
        return await self._whisper("requestswitchinsertwhisperagent", target, switchtype=str(mode))

    async def toggle(self, target: int) -> Answer:
        """Change from listening to inserting, or back."""
        return await self.ask("POST", f"/qualitycontrol/{self.agent}/switch/{target}")

    async def stop(self, target: int) -> Answer:
        """Leave a call that is listened to or inserted into."""
        return await self.ask("DELETE", f"/qualitycontrol/{self.agent}/{target}")

    async def intercept(self, target: int, call: str | None = None) -> Answer:
        """Take the present call of agent `target`, or the named one, away from the agent."""
        tail = f"/{quote(call, safe='')}" if call else ""
        return await self.ask("PUT", f"/qualitycontrol/{self.agent}/intercept/{target}{tail}")

    async def force(self, target: int, state: str) -> Answer:
        """`state` is `busy`, `idle` or `logout`."""
        return await self.ask("POST", f"/qualitycontrol/{self.agent}/force{state}/{target}")

    async def agent_info(self, target: int) -> Mapping[str, Any]:
        """What the gateway tells of agent `target`, as on its page (agentbyworkno)."""
        answer = await self.ask("GET", f"/agentgroup/{self.agent}/agentbyworkno/{target}")
        return dict(answer.result)

    async def all_agents(self) -> list[Mapping[str, Any]]:
        """The same of every agent of the VDN (allagentstatus)."""
        return list((await self.ask("GET", f"/agentgroup/{self.agent}/allagentstatus")).result or ())

    async def _whisper(self, action: str, target: int, **query: str) -> Answer:
        asked = {"whisperagentid": str(target), **query}
        return await self.ask("POST", f"/qualitycontrol/{self.agent}/{action}", asked)

    # -- events

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Poll events while the block runs."""
        tasks = Tasks()
        tasks.spawn(self._poll(), name=f"poll {self.agent}")
        try:
            yield
        finally:
            await tasks.close()

    def subscribe(self, listener: Callable[[GatewayEvent], None]) -> None:
        """Call `listener` for every event polled from now on."""
        self._listeners.append(listener)

    def forget_events(self) -> None:
        """Drop what was polled and not taken."""
        self._events.clear()

    async def next_event(self, *kinds: str, timeout: float = 15.0) -> GatewayEvent:
        """Take the oldest event of one of these kinds, dropping those before it, or raise TimeoutError."""

        async def found() -> GatewayEvent:
            while True:
                while self._events:
                    event = self._events.popleft()
                    if event.kind in kinds:
                        return event
                self._news.clear()
                await self._news.wait()

        try:
            return await asyncio.wait_for(found(), timeout)
        except TimeoutError:
            raise TimeoutError(
                f"agent {self.agent}: none of {', '.join(kinds)} within {timeout:g} s"
            ) from None

    async def poll_once(self) -> GatewayEvent | None:
        """One long poll; None for the empty answer."""
        answer = await self.ask("GET", f"/agentevent/{self.agent}")
        if answer.event is None:
            return None
        kind = str(answer.event.get("eventType", ""))
        return GatewayEvent(kind, answer.event.get("content"), answer.answered_at)

    async def _poll(self) -> None:
        while True:
            try:
                event = await self.poll_once()
            except Failed as failure:
                if failure.retcode == NOT_SIGNED_IN or self.guid is None:
                    log.info("no longer signed in, polling ends", agent=self.agent)
                    return
                log.warning("poll refused", agent=self.agent, retcode=failure.retcode)
                event = None
                await asyncio.sleep(0.5)
            except httpx.HTTPError as failure:
                log.warning("poll failed", agent=self.agent, failure=repr(failure))
                event = None
                await asyncio.sleep(0.5)
            if event is not None:
                self._events.append(event)
                self._news.set()
                for listener in self._listeners:
                    listener(event)
