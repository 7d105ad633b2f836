"""Scheduled sample-inspection plans: `regularqualitytask/` [2497-2502]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sottovoce.client.ccsqm.connection import Operator
from sottovoce.client.ccsqm.fields import seconds_of
from sottovoce.client.ccsqm.vocabulary import ROLES, Cycle, Sample
from sottovoce.domain.people import Role

RUNNING = "2"
_BY_RUNS, _BY_TIME = "1", "2"
_EVEN, _PERCENTAGES = 0, 2


@dataclass(frozen=True, slots=True)
class Period:
    """When a plan runs: from `begins_at` on, until it ran `runs` times or until `ends_at` (one of both)."""

    cycle: Cycle
    begins_at: datetime
    runs: int | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan in a list of plans."""

    plan: str
    name: str
    running: bool
    created_by: str
    created_at: datetime | None
    cycle: str
    begins_at: datetime | None
    next_at: datetime | None
    runs_done: int
    runs: int | None
    interaction: str


@dataclass(frozen=True, slots=True)
class PlanPage:
    """One page of a list of plans; `total` counts those of all pages."""

    total: int
    plans: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Plans:
    """The interfaces of `regularqualitytask/`. Every method raises QualityFailure."""

    _operator: Operator

    async def add(
        self,
        name: str,
        sample: Sample,
        period: Period,
        inspectors: Sequence[str] | Mapping[str, int],
        *,
        role: Role = Role.QUALITY_DIRECTOR,
    ) -> str:
        """Make a plan; its id. `inspectors` share evenly, or each has its percentage (they add up to 100)."""
        body = _plan(name, sample, period, inspectors, role)
        return (await self._operator.fields("regularqualitytask/addQualityTask", body)).id("objId")

    async def update(
        self,
        plan: str,
        name: str,
        sample: Sample,
        period: Period,
        inspectors: Sequence[str] | Mapping[str, int],
        *,
        role: Role = Role.QUALITY_DIRECTOR,
    ) -> None:
        """Change a plan as a whole."""
        body = {**_plan(name, sample, period, inspectors, role), "qiqtId": plan}
        await self._operator.ask("regularqualitytask/updateQualityTask", body)

    async def begin(self, plan: str) -> None:
        """Let a stopped plan run when its time comes."""
        await self._operator.ask("regularqualitytask/beginQualityTask", {"regularQualityTaskId": plan})

    async def stop(self, plan: str) -> None:
        """Let a running plan run no more; it can be begun again."""
        await self._operator.ask("regularqualitytask/stopQualityTask", {"regularQualityTaskId": plan})

    async def delete(self, plan: str) -> None:
        """Delete a plan, also a running one. The tasks that it made stay."""
        await self._operator.ask("regularqualitytask/deleteQualityTask", {"regularQualityTaskId": plan})

    async def query(self, *, page: int = 1, rows: int = 100) -> PlanPage:
        """One page of the plans that the user may see; pages count from 1."""
        answer = await self._operator.fields(
            "regularqualitytask/queryQualityTask", {"page": page, "rows": rows}
        )
        return PlanPage(
            answer.whole("total"),
            tuple(
                Plan(
                    plan=row.id("qiqtId"),
                    name=row.text("qiqtName"),
                    running=row.text("qiqtStatus") == RUNNING,
                    created_by=row.text("qiqtCreater"),
                    created_at=row.moment("qiqtCreateTimeStr"),
                    cycle=row.text("qiqtCycleType"),
                    begins_at=row.moment("qiqtStartTimeStr"),
                    next_at=row.moment("nextExecutionTimeStr"),
                    runs_done=row.whole("qiqtExecutionTimes"),
                    runs=row.whole("qiqtTotalTimes") or None,
                    interaction=row.text("interactionType"),
                )
                for row in answer.each("list")
            ),
        )


def _plan(
    name: str, sample: Sample, period: Period, inspectors: Sequence[str] | Mapping[str, int], role: Role
) -> dict[str, Any]:
    if isinstance(inspectors, Mapping):
        counts = [{"personID": person, "count": share} for person, share in inspectors.items()]
    else:
        counts = [{"personID": person, "count": 0} for person in inspectors]
    return {
        "qiqtName": name,
        "currentRole": ROLES[role],
        "extractionRange": {
            "currentRole": ROLES[role],
            "fixedColumns": sample.for_plan(),
        },
        "appointQuality": {
            "setCountsType": _PERCENTAGES if isinstance(inspectors, Mapping) else _EVEN,
            "setCounts": counts,
        },
        "cronStructure": {
            "qiqtCycleType": period.cycle.value,
            "qiqtStartTime": seconds_of(period.begins_at),
            "qiqtEndType": _BY_TIME if period.ends_at is not None else _BY_RUNS,
            "qiqtEndTime": seconds_of(period.ends_at),
            "qiqtTotalTimes": period.runs,
        },
    }
