"""An HTTP client of the agent gateway; it checks every answer against the ledger first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
from tests.contract.ledger import complaints, find, matching

from sottovoce.contracts import Row, rows

BASE = "/agentgateway/resource"
ROWS = rows("cc-gateway")
EVENT_KEYS = [["eventType", "workNo", "content"], ["eventType", "workNo", "content", "jsonKey"]]


@dataclass(frozen=True)
class Answered:
    """An answer that the ledger allows."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers
    raw: bytes

    @property
    def retcode(self) -> str:
        retcode = self.body["retcode"]
        assert isinstance(retcode, str)
        return retcode

    @property
    def result(self) -> Any:
        return self.body["result"]

    @property
    def event(self) -> dict[str, Any] | None:
        return self.body.get("event")


def check(verb: str, path: str, status: int, headers: httpx.Headers, raw: bytes) -> Answered:
    """The answer, if its ledger allows it. Raises AssertionError."""
    assert headers["content-type"] == "application/json"
    body = json.loads(raw)
    assert list(body)[:2] == ["message", "retcode"], raw
    assert isinstance(body["retcode"], str)
    assert isinstance(body["message"], str)
    assert raw == json.dumps(body, separators=(",", ":")).encode(), "blanks, line breaks or no ASCII"
    row = find(verb, path)
    if status in (408, 413, 431, 500, 503):
        assert list(body) == ["message", "retcode"]
    elif row is None:
        assert status == (405 if matching(path) else 404), (verb, path, status)
        assert body["retcode"] == "000-002"
        assert list(body) == ["message", "retcode"]
    else:
        assert status == 200
        _check_row(row, body)
    return Answered(status, body, headers, raw)


def _check_row(row: Row, body: dict[str, Any]) -> None:
    if body["retcode"] != "0":
        assert body["retcode"] in row.codes, f"{row.path} may not answer {body['retcode']}"
        assert list(body) == ["message", "retcode"]
        assert body["message"]
        return
    assert row.status == "done", f"{row.path} is not served and answers success"
    assert complaints(row, body) == []
    if "event" in body:
        assert [key for key in body["event"] if key != "eventGenTime"] in EVENT_KEYS


class LedgerClient:
    """Talks to one server; keeps each agent's Guid."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.guids: dict[int, str] = {}
        self.seen: set[str] = set()
        """Log names of the interfaces that answered success."""

    async def raw(self, verb: str, path: str, **sent: Any) -> Answered:
        """Any request; `path` is the whole one."""
        answer = await self.http.request(verb, path, **sent)
        answered = check(verb, path, answer.status_code, answer.headers, answer.content)
        row = find(verb, path)
        if row is not None and answered.retcode == "0":
            self.seen.add(row.name)
        return answered

    async def ask(self, agent: int, verb: str, tail: str, **sent: Any) -> Answered:
        """A request of a signed-in agent. In `tail`, `{a}` is the agent."""
        headers = {"Guid": self.guids[agent], **sent.pop("headers", {})}
        path = BASE + tail.replace("{a}", str(agent))
        return await self.raw(verb, path, headers=headers, **sent)

    async def ok(self, agent: int, verb: str, tail: str, **sent: Any) -> Any:
        """A request that must succeed; its result, None without one."""
        answered = await self.ask(agent, verb, tail, **sent)
        assert answered.retcode == "0", answered.body
        return answered.body.get("result")

    async def refused(self, agent: int, verb: str, tail: str, **sent: Any) -> str:
        """A request that must be refused; its retcode."""
        answered = await self.ask(agent, verb, tail, **sent)
        assert answered.retcode != "0", answered.body
        return answered.retcode

    async def sign_in(self, agent: int, *, force: bool = False, how: str = "", **wish: Any) -> Answered:
        """Sign in, as real clients do; keeps the Guid."""
        tail = f"/onlineagent/{agent}/" + ("forcelogin" if force else how)
        tail = tail.rstrip("/")
        body = {"password": "secret", "phonenum": str(1000 + agent), **wish}
        answered = await self.raw("PUT", BASE + tail, json=body)
        if answered.retcode == "0":
            self.guids[agent] = answered.headers["set-guid"].removeprefix("JSESSIONID=")
        return answered

    async def poll(self, agent: int) -> dict[str, Any] | None:
        """One poll; its event."""
        answered = await self.ask(agent, "GET", "/agentevent/{a}")
        assert answered.retcode == "0", answered.body
        return answered.event

    async def events(self, agent: int) -> list[tuple[str, Any]]:
        """Everything that waits: type and content."""
        found = []
        while (event := await self.poll(agent)) is not None:
            assert event["workNo"] == str(agent)
            found.append((event["eventType"], event["content"]))
        return found


__all__ = ["BASE", "ROWS", "Answered", "LedgerClient", "check"]
