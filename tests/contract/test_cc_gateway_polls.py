"""Exactly once, in order: what happens to an event when clients leave, poll twice, or the server stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message
from tests.contract.client import BASE
from tests.contract.sockets import until
from tests.contract.standing import Standing

from sottovoce.config import AgentSettings, AuthMode
from sottovoce.domain.directory import AgentId
from sottovoce.domain.events import AgentEvent
from sottovoce.http.edge import CONNECTION_OPEN
from sottovoce.live.guids import RENEW_S

A = 101
PATIENT = AgentSettings(poll_wait=60)


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Standing]:
    """A server whose polls hang."""
    made = Standing(tmp_path, gateway=PATIENT)
    await made.open()
    await made.client.sign_in(A)
    await made.quiet()
    for _ in range(2):
        assert await made.client.poll(A) is not None
    yield made
    await made.close()


class Poll:
    """One poll by hand: the test decides when its client leaves and whether what is written arrives."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._leaving = asyncio.Event()
        self._requested = False
        self.connected = True
        self.sent: list[Message] = []

    async def _receive(self) -> Message:
        if not self._requested:
            self._requested = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._leaving.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def run(self) -> None:
        guid = self._standing.client.guids[A].encode()
        await self._standing.app(
            {
                "type": "http",
                "method": "GET",
                "path": f"{BASE}/agentevent/{A}",
                "query_string": b"",
                "headers": [(b"guid", guid)],
                "extensions": {CONNECTION_OPEN: lambda: self.connected},
            },
            self._receive,
            self._send,
        )

    def leave(self) -> None:
        self.connected = False
        self._leaving.set()

    @property
    def body(self) -> dict[str, Any]:
        decoded = json.loads(b"".join(message.get("body", b"") for message in self.sent))
        assert isinstance(decoded, dict)
        return decoded


async def hang(standing: Standing) -> tuple[Poll, asyncio.Task[None]]:
    """A poll that hangs now."""
    before = set(standing.gateway.hanging)
    poll = Poll(standing)
    task = standing.tasks.spawn(poll.run(), name="poll")
    await until(lambda: standing.gateway.hanging - before)
    for _ in range(5):
        await asyncio.sleep(0)
    return poll, task


async def happen(standing: Standing, reason: int) -> None:
    """An event for the agent."""
    await standing.client.ok(A, "POST", f"/onlineagent/{{a}}/saybusy?reason={reason}&prolong=true")
    await standing.quiet()


async def reasons(standing: Standing, count: int) -> list[str]:
    found = []
    for _ in range(count):
        event = await standing.client.poll(A)
        assert event is not None
        found.append(event["content"]["reason"])
    return found


async def test_an_event_ends_a_hanging_poll(patient: Standing) -> None:
    poll, task = await hang(patient)
    await happen(patient, 201)
    await task
    assert poll.body["event"]["content"] == {"reason": "201"}
    assert [message.get("more_body", False) for message in poll.sent] == [False, True, False]


async def test_events_come_one_by_one_and_in_order(patient: Standing) -> None:
    for reason in range(200, 251):
        await happen(patient, reason)
    assert await reasons(patient, 51) == [str(reason) for reason in range(200, 251)]


async def test_a_client_that_left_takes_nothing(patient: Standing) -> None:
    poll, task = await hang(patient)
    poll.leave()
    await task
    assert poll.sent == []
    await happen(patient, 201)
    assert await reasons(patient, 1) == ["201"]


async def test_a_client_that_leaves_as_the_event_comes_takes_nothing(patient: Standing) -> None:
    poll, task = await hang(patient)
    happening = patient.tasks.spawn(happen(patient, 201), name="event")
    poll.leave()
    await task
    await happening
    assert await reasons(patient, 1) == ["201"]


async def test_an_event_whose_answer_was_not_written_comes_again(patient: Standing) -> None:
    await happen(patient, 201)
    await happen(patient, 202)
    poll = Poll(patient)
    poll.connected = False
    await poll.run()
    assert poll.body["event"]["content"] == {"reason": "201"}
    assert await reasons(patient, 2) == ["201", "202"]


async def test_an_event_whose_writing_failed_comes_again(patient: Standing) -> None:
    await happen(patient, 201)

    class Failing(Poll):
        async def _send(self, message: Message) -> None:
            if message["type"] == "http.response.body":
                raise OSError("broken pipe")
            await super()._send(message)

    await Failing(patient).run()
    assert await reasons(patient, 1) == ["201"]


async def test_a_second_poll_ends_the_first_with_nothing(patient: Standing) -> None:
    first, first_task = await hang(patient)
    second, second_task = await hang(patient)
    await first_task
    assert first.body == {"message": "", "retcode": "0"}
    await happen(patient, 201)
    await second_task
    assert second.body["event"]["content"] == {"reason": "201"}


async def test_many_polls_at_once_double_nothing(patient: Standing) -> None:
    polls = [Poll(patient) for _ in range(10)]
    tasks = [patient.tasks.spawn(poll.run(), name="poll") for poll in polls]
    for reason in (201, 202, 203):
        await happen(patient, reason)
    patient.gateway.end_polls()
    await asyncio.gather(*tasks)
    seen = [poll.body["event"]["content"]["reason"] for poll in polls if "event" in poll.body]
    left = await reasons(patient, 3 - len(seen))
    assert sorted(seen) + left == ["201", "202", "203"]


async def test_signing_out_ends_a_hanging_poll(patient: Standing) -> None:
    poll, task = await hang(patient)
    await patient.client.ok(A, "DELETE", "/onlineagent/{a}/forcelogout")
    await task
    assert poll.body["retcode"] in ("0", "100-006")


async def test_stopping_answers_hanging_polls(patient: Standing) -> None:
    poll, task = await hang(patient)
    patient.gateway.end_polls()
    await task
    assert poll.body == {"message": "", "retcode": "0"}
    assert await patient.client.poll(A) is None


async def test_a_cancelled_poll_takes_nothing(patient: Standing) -> None:
    _, task = await hang(patient)
    task.cancel()
    await asyncio.wait({task})
    await happen(patient, 201)
    assert await reasons(patient, 1) == ["201"]


async def test_an_event_without_a_wire_form_blocks_nothing(standing: Standing) -> None:
    await standing.at_work(A)

    @dataclass(frozen=True, slots=True)
    class Unheard(AgentEvent):
        """Nothing that the wire knows."""

    standing.desk.feed.offer(Unheard(AgentId(A)), standing.clock.now())
    await happen(standing, 201)
    assert await standing.client.poll(A) is None
    assert await reasons(standing, 1) == ["201"]


async def test_silence_signs_out(standing: Standing) -> None:
    await standing.at_work(A)
    standing.clock.advance(121)
    await standing.desk.run_due()
    answered = await standing.client.ask(A, "GET", "/agentevent/{a}")
    assert answered.retcode == "100-006"


async def test_dynamic_guids_come_with_polls_and_handshakes(tmp_path: Path) -> None:
    made = Standing(tmp_path, agents=AgentSettings(auth_mode=AuthMode.DYNAMIC))
    await made.open()
    await made.at_work(A)
    old = made.client.guids[A]
    made.clock.advance(RENEW_S + 1)
    polled = await made.client.ask(A, "GET", "/agentevent/{a}")
    new = polled.headers["set-guid"].removeprefix("JSESSIONID=")
    assert polled.raw == b'{"message":"","retcode":"0"}'
    assert new == polled.headers["guid"] != old
    shaken = await made.client.ask(A, "POST", "/onlineagent/{a}/handshake")
    assert shaken.headers["guid"] == new
    status = "/onlineagent/{a}/agentstatus"
    await made.client.ok(A, "GET", status)
    made.client.guids[A] = new
    await made.client.ok(A, "GET", status)
    made.client.guids[A] = old
    await made.client.ok(A, "GET", status)
    made.clock.advance(61)
    assert await made.client.refused(A, "GET", status) == "100-006"
    await made.close()
