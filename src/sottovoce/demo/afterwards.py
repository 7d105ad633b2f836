"""What becomes of the demo's calls: contacts that a plan samples into a review task.

All of it over HTTP with an app key, as any quality client would; only the key itself is made in the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog

from sottovoce.app import Running
from sottovoce.client.ccsqm import Quality, QualityFailure, Sample
from sottovoce.client.ccsqm.plans import Period
from sottovoce.client.ccsqm.vocabulary import Cycle, Earlier
from sottovoce.clock import Clock, SystemClock
from sottovoce.demo.people import Person
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER, Role, UserId
from sottovoce.storage.review import app_keys

log = structlog.get_logger(__name__)

VDN = VdnId(1)
DIRECTOR = UserId("1611917095665261978")
"""The operator of the seed document [2506]."""
REVIEWER = UserId("1600226476732482572")
LEADER = UserId("1600226359041729505")
CALLS = 2
"""So many calls have to be over before the plan begins, and are in its sample at most."""
PLAN = "Every day"
_LOOKS_EVERY_S = 1.0
_BEGINS_IN_S = 3.0
_WINDOW = timedelta(days=2)


def staff(agents: Sequence[Person], inspector: Person) -> dict[str, Any]:
    """The users and groups of the seed file's entry: who inspects whom afterwards."""
    return {
        "users": [
            {"name": "Dora", "roles": ["quality_director"], "user": DIRECTOR},
            {"name": "Ida", "roles": ["inspector"], "user": REVIEWER, "agent": inspector.agent},
            {"name": "Lea", "roles": ["table_leader"], "user": LEADER},
            *({"name": person.name, "roles": ["staff"], "agent": person.agent} for person in agents),
        ],
        "groups": [
            {
                "name": "Hotline",
                "side": "table",
                "leaders": ["Lea"],
                "members": [person.name for person in agents],
            }
        ],
    }


@dataclass(frozen=True, slots=True)
class AppKey:
    """The app key and secret that the demo's client of the quality interfaces signs in with."""

    key: str
    secret: str


async def app_key(server: Running) -> AppKey:
    """A key of the demo's VDN, made as `sottovoce app-keys add` makes one."""
    office = server.office
    async with office.work(VDN, SERVER) as work:
        made, secret = await app_keys.make(work, "demo")
    return AppKey(made.app_key, secret)


@dataclass(frozen=True, slots=True)
class Picture:
    """What there is at one moment."""

    contacts: int = 0
    tasks: int = 0
    items: int = 0
    done: int = 0
    """Of `items`."""
    plan_runs: int = 0
    next_run: datetime | None = None
    """Of the plan; None: it has not begun."""


class Afterwards:
    """Keeps the plan, and a picture of what came of it."""

    def __init__(self, quality: Quality, clock: Clock | None = None) -> None:
        self.quality = quality
        self.picture = Picture()
        self._clock = clock or SystemClock()
        self._began_at = self._clock.now()
        self.enough = asyncio.Event()
        """Set once `CALLS` calls are over and kept as contacts."""

    async def live(self) -> None:
        """Begin the plan once `CALLS` calls are over, and look again and again; for ever."""
        plan: str | None = None
        while True:
            try:
                self.picture = await self.look()
                if self.picture.contacts >= CALLS:
                    self.enough.set()
                    plan = plan or await self._begin_plan()
            except (QualityFailure, httpx.HTTPError) as failure:
                log.warning("the after-call half did not answer", why=str(failure))
            await asyncio.sleep(_LOOKS_EVERY_S)

    async def look(self) -> Picture:
        """Ask for everything. Raises QualityFailure, httpx.HTTPError."""
        since, until = self._began_at - _WINDOW, self._began_at + _WINDOW
        quality = self.quality
        calls = await quality.calls.details(since, until, limit=1)
        tasks = await quality.tasks.query(since, until)
        plans = (await quality.plans.query()).plans
        return Picture(
            contacts=calls.total,
            tasks=tasks.total,
            items=sum(task.to_inspect for task in tasks.tasks),
            done=sum(task.inspected for task in tasks.tasks),
            plan_runs=sum(plan.runs_done for plan in plans),
            next_run=next((plan.next_at for plan in plans if plan.running), None),
        )

    async def _begin_plan(self) -> str:
        """A daily plan whose first run is due in a moment."""
        period = Period(Cycle.DAILY, self._clock.now() + timedelta(seconds=_BEGINS_IN_S), runs=30)
        sample = Sample(CALLS, earlier=Earlier.UNSAMPLED)
        plan = await self.quality.plans.add(PLAN, sample, period, [REVIEWER])
        await self.quality.plans.begin(plan)
        return plan


async def walk(quality: Quality) -> Mapping[str, Any]:
    """Create a task, appoint the inspector, complete one call, terminate; the answer to the last.

    Raises QualityFailure where one of them is declined.
    """
    task = await quality.tasks.create("A first look", Sample(CALLS))
    await quality.tasks.appoint(task, {REVIEWER: None}, take_effect=True)
    inspector = quality.acting_as(REVIEWER)
    items = await inspector.tasks.items(task, role=Role.INSPECTOR)
    await inspector.tasks.complete(items.items[0].item, items.items[0].calls[0].call)
    answer = await quality.ask("qualitytask/terminateQualityTask", {"qualityTaskId": task})
    return dict(answer)


TERMINATED = {"resultCode": "0409000", "resultDesc": "Operation successful."}
"""What the seed document answers [2506]."""
