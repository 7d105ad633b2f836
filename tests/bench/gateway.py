"""The agent gateway under load: requests a second, and how long an event takes to a hanging poll.

The load speaks HTTP over bare streams: a full client would cost more than the server it measures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from tests.bench.standing import FIRST_AGENT, PASSWORD
from tests.bench.tables import Say, Table

AGENTS = 500
RATE_S = 5.0
RATE_CONNECTIONS = 16
EVENTS = 300
BASE = "/agentgateway/resource"


class Connection:
    """One keep-alive connection of one agent."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.guid = ""

    async def ask(self, verb: str, path: str, body: bytes = b"") -> bytes:
        """One request; the answer's body."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(
            f"{verb} {BASE}{path} HTTP/1.1\r\nHost: bench\r\nGuid: {self.guid}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        if b"Set-GUID" in fields:
            self.guid = fields[b"Set-GUID"].decode().removeprefix("JSESSIONID=")
        return await reader.readexactly(int(fields[b"Content-Length"]))

    async def must(self, verb: str, path: str, body: bytes = b"") -> None:
        """`ask`, which has to succeed."""
        answer = json.loads(await self.ask(verb, path, body))
        if answer["retcode"] != "0":
            raise RuntimeError(f"{verb} {path}: {answer}")

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


class Agent:
    """An agent who polls on one connection and asks on another. `came` has each event's time of arrival."""

    def __init__(self, number: int, port: int) -> None:
        self.number = number
        self.asks, self.polls = Connection(port), Connection(port)
        self.came: asyncio.Queue[tuple[str, float]] = asyncio.Queue()

    async def sign_in(self) -> None:
        wish = json.dumps({"password": PASSWORD, "phonenum": f"8{self.number}"}).encode()
        await self.asks.must("PUT", f"/onlineagent/{self.number}/forcelogin", wish)
        self.polls.guid = self.asks.guid

    async def poll(self) -> None:
        while True:
            answer = json.loads(await self.polls.ask("GET", f"/agentevent/{self.number}"))
            if event := answer.get("event"):
                self.came.put_nowait((event["eventType"], time.perf_counter()))

    async def until(self, kind: str) -> float:
        """When the next event of `kind` came; what came before it is dropped."""
        async with asyncio.timeout(15):
            while True:
                name, at = await self.came.get()
                if name == kind:
                    return at

    def close(self) -> None:
        self.asks.close()
        self.polls.close()


@asynccontextmanager
async def standing(agents: int) -> AsyncIterator[dict[str, int]]:
    """The server's ports; its process ends with the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.standing", str(agents)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 90)
        ports: dict[str, int] = json.loads(line)
        yield ports
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 30)


async def measure(say: Say) -> list[Table]:
    """Requests a second, then polls."""
    say("agent gateway: starting a server with its agents")
    async with standing(AGENTS) as ports:
        agents = [Agent(FIRST_AGENT + n, ports["port"]) for n in range(AGENTS)]
        polling: list[asyncio.Task[Any]] = []
        try:
            rates = await _rates(agents[:RATE_CONNECTIONS], ports["bare"], say)
            for number, agent in enumerate(agents):
                say(f"agent gateway: {number} of {AGENTS} agents poll")
                await agent.sign_in()
                polling.append(asyncio.create_task(agent.poll()))
            for agent in agents:
                await agent.until("AgentState_Ready")
            return [rates, await _polls(agents, say)]
        finally:
            for task in polling:
                task.cancel()
            await asyncio.gather(*polling, return_exceptions=True)
            for agent in agents:
                agent.close()


async def _rates(agents: list[Agent], bare_port: int, say: Say) -> Table:
    say(f"agent gateway: requests a second over {len(agents)} connections")
    for agent in agents:
        await agent.sign_in()
    served = await _rate([(agent.asks, f"/onlineagent/{agent.number}/agentstatus") for agent in agents])
    nothing = [Connection(bare_port) for _ in agents]
    bare = await _rate([(connection, "/") for connection in nothing])
    for connection in nothing:
        connection.close()
    return Table(
        "API calls per second",
        ["what", "calls a second", "of the bare server"],
        [
            ["agentstatus, with its Guid checked", f"{served:,.0f}", f"{served / bare:.2f}"],
            ["the same HTTP server with nothing behind it", f"{bare:,.0f}", "1.00"],
        ],
        [f"{len(agents)} keep-alive connections for {RATE_S:.0f} s, one request at a time on each."],
    )


async def _rate(targets: list[tuple[Connection, str]]) -> float:
    end = time.perf_counter() + RATE_S

    async def ask_on(connection: Connection, path: str) -> int:
        count = 0
        while time.perf_counter() < end:
            await connection.ask("GET", path)
            count += 1
        return count

    return sum(await asyncio.gather(*(ask_on(*target) for target in targets))) / RATE_S


async def _polls(agents: list[Agent], say: Say) -> Table:
    events: list[float] = []
    signs: list[float] = []
    for number in range(EVENTS):
        say(f"agent gateway: event {number} of {EVENTS} to {len(agents)} hanging polls")
        agent = agents[number * 7 % len(agents)]
        begun = time.perf_counter()
        await agent.asks.must("POST", f"/onlineagent/{agent.number}/saybusy")
        events.append(await agent.until("AgentState_SetNotReady_Success") - begun)
        await agent.asks.must("POST", f"/onlineagent/{agent.number}/cancelbusy")
        await agent.until("AgentState_CancelNotReady_Success")
    for number in range(0, EVENTS, 5):
        agent = agents[number % len(agents)]
        begun = time.perf_counter()
        await agent.sign_in()
        signs.append(await agent.until("AgentState_Ready") - begun)
    return Table(
        f"Events with {len(agents)} agents polling",
        ["what", "p50, ms", "p99, ms", "longest, ms"],
        [
            [name, *(f"{value * 1000:.1f}" for value in (*np.percentile(times, [50, 99]), max(times)))]
            for name, times in (
                ("saybusy sent → its event on the agent's poll", events),
                ("sign-in sent → AgentState_Ready on the poll (cheap password hash)", signs),
            )
        ],
        [
            "Bar: 20 ms at p99. argon2id at its default cost adds its own time to a sign-in, by design.",
            "A sign-in pays for the password hash, a commit with fsync before it takes effect, and a second"
            " poll of the same agent; an event for the HTTP layer (routing, decoding) twice.",
        ],
    )
