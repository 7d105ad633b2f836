"""From a call that was made to a review task that was terminated, with the server killed in between."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from tests.e2e.served import DIRECTOR, INSPECTOR, Served, at_work, quality, serving

from sottovoce.client.ccsqm import Quality, Sample
from sottovoce.client.ccsqm.calls import InspectedCall
from sottovoce.client.ccsqm.plans import Period
from sottovoce.client.ccsqm.vocabulary import Cycle
from sottovoce.domain.people import Role

CALLS = 4
LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


async def talk(served: Served, calls: int) -> None:
    """Customers call Ann and hang up after a moment; into the last call Ian whispers."""
    async with at_work(served) as floor:
        async with floor.ann.polling():
            for number in range(calls):
                call = await floor.talk()
                if number == calls - 1:
                    await floor.ian.whisper(101)
                    await floor.ann.next_event("AgentOther_BeQcStart")
                await floor.customer.hear()
                call.hang_up()
                await floor.ann.next_event("AgentEvent_Customer_Release")
                await floor.ann.ask("POST", "/onlineagent/101/sayfree")
        await floor.ann.sign_out()


async def analysed(director: Quality, calls: int) -> tuple[InspectedCall, ...]:
    """The calls as listed, once the machine has listened to all of them."""
    async with asyncio.timeout(60):
        while True:
            page = await director.calls.details(LONG_AGO, FAR_AHEAD)
            if page.total == calls and all(call.left_speech_ratio is not None for call in page.calls):
                return page.calls
            await asyncio.sleep(0.2)


async def as_the_seed_writes_it(served: Served, task: str) -> httpx.Response:
    """The first seed document's request, with its spelling of the headers."""
    async with httpx.AsyncClient() as http:
        given = await http.post(
            f"{served.url}/apigovernance/api/oauth/tokenByAkSk",
            json={"app_key": served.app_key, "app_secret": served.app_secret},
        )
        token = given.json()["AccessToken"]
        return await http.post(
            f"{served.url}/apiaccess/CCSQM/rest/ccisqm/v1/qualitytask/terminateQualityTask",
            headers={"x-app-key": served.app_key, "X-UserID": DIRECTOR, "Authorization": f"Bearer {token}"},
            content=b'{\n\t"qualityTaskId": "%s"\n}' % task.encode(),
        )


async def test_calls_become_contacts_a_task_and_its_end() -> None:
    async with serving() as served:
        director, inspector = await quality(served)
        async with director, inspector:
            await talk(served, CALLS)
            calls = await analysed(director, CALLS)
            assert {call.agent_name for call in calls} == {"Ann"}
            assert all(call.duration_s >= 1 for call in calls)
            assert all(0 <= (call.right_speech_ratio or 0) <= 1 for call in calls)

            task = await director.tasks.create("March", Sample(CALLS - 1))
            assert "PASS" in await served.command("sampling", "verify", task)
            await served.stop(signal.SIGKILL)
            await served.start()
            await director.tasks.appoint(task, {INSPECTOR: None}, take_effect=True)
            items = (await inspector.tasks.items(task, role=Role.INSPECTOR)).items
            assert len(items) == CALLS - 1
            await inspector.tasks.complete(items[0].item, items[0].calls[0].call)
            await served.stop(signal.SIGKILL)
            await served.start()

            answer = await as_the_seed_writes_it(served, task)
            assert answer.status_code == 200
            assert answer.json() == {"resultCode": "0409000", "resultDesc": "Operation successful."}
            again = await as_the_seed_writes_it(served, task)
            assert again.json()["resultCode"] == "0409005"
            (listed,) = (await director.tasks.query(LONG_AGO, FAR_AHEAD)).tasks
            assert (listed.status, listed.to_inspect, listed.inspected) == ("5", CALLS - 1, 1)
            after = (await director.tasks.items(task)).items
            assert sorted(item.status for item in after) == [1] + [3] * (CALLS - 2)
            assert "PASS" in await served.command("sampling", "verify", task)
            assert await served.stop() == 0
            assert "VDN 1: PASS" in await served.verified_audit()


async def test_a_plan_that_came_due_while_the_server_was_down_runs_once(tmp_path: Path) -> None:
    async with serving() as served:
        director, _ = await quality(served)
        async with director:
            await talk(served, 1)
            await analysed(director, 1)
            due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
            period = Period(Cycle.DAILY, due, runs=5)
            plan = await director.plans.add("Daily", Sample(10), period, [INSPECTOR])
            await director.plans.begin(plan)
            await served.stop(signal.SIGKILL)
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()) + 0.5)
            await served.start()
            async with asyncio.timeout(30):
                while not (tasks := (await director.tasks.query(LONG_AGO, FAR_AHEAD)).tasks):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            await served.stop(signal.SIGKILL)
            await served.start()
            await asyncio.sleep(5)
            assert (await director.tasks.query(LONG_AGO, FAR_AHEAD)).tasks == tasks
            (listed,) = (await director.plans.query()).plans
            assert (listed.runs_done, listed.next_at) == (1, due + timedelta(days=1))
            assert (tasks[0].status, tasks[0].to_inspect) == ("3", 1)
            assert await served.stop() == 0
