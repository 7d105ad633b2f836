"""Inspected calls, their scores, and appeals: `appraisecall/` of both families [2492-2495, 2526, 2527]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sottovoce.client.ccsqm.connection import Operator
from sottovoce.client.ccsqm.fields import Fields, seconds_of
from sottovoce.domain.contacts import Interaction

EVERY_STATUS = (0, 1, 2, 3, 9, *range(31, 41))
"""A call's inspection: waiting, running, success, transcribing, failed for one reason or another (3.2)."""
INSPECTED = 2


@dataclass(frozen=True, slots=True)
class Spoken:
    """A stretch of a transcript; times as the server gives them."""

    text: str
    speaker: str
    begin: float | None
    end: float | None


@dataclass(frozen=True, slots=True)
class InspectedCall:
    """A call with what its inspection found. Durations are seconds."""

    call: str
    uuid: str
    status: int
    interaction: int
    began_at: datetime | None
    uploaded_at: datetime | None
    duration_s: int
    file_name: str
    agent: str
    agent_name: str
    left_channel: str
    left_speech_ratio: float | None
    left_silence: float | None
    right_speech_ratio: float | None
    right_silence: float | None
    violations: int
    """Those of critical rules; only of `detail`."""
    transcript: tuple[Spoken, ...]
    """Only of `detail`."""
    machine: float | None = None
    manual: float | None = None
    """The lowest score of its scenarios; None: none, or the server tells none."""


@dataclass(frozen=True, slots=True)
class CallPage:
    """One page of a list of calls; `total` counts those of all pages."""

    total: int
    calls: tuple[InspectedCall, ...]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """A rule's result on a call. `revised`: 1 to compliant, 0 to violation, -1 not."""

    result: str
    name: str
    compliant: bool
    score: float
    revised: int


@dataclass(frozen=True, slots=True)
class ScenarioScore:
    """A call's scores by one business scenario, with their reasons by the block they came in."""

    scenario: str
    name: str
    score: float | None
    """The machine's."""
    results: Mapping[str, tuple[RuleResult, ...]]
    manual: float | None = None
    """None: nobody is through with the call, or the server does not tell it."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The interfaces of `appraisecall/`. Every method raises QualityFailure."""

    _operator: Operator

    async def details(
        self,
        uploaded_since: datetime,
        uploaded_until: datetime,
        *,
        page: int = 1,
        limit: int = 100,
        interactions: Sequence[Interaction] = tuple(Interaction),
        statuses: Sequence[int] = EVERY_STATUS,
        since: datetime | None = None,
        until: datetime | None = None,
        agent: str | None = None,
        agent_name: str | None = None,
        keyword: str | None = None,
        shortest_s: int | None = None,
        longest_s: int | None = None,
    ) -> CallPage:
        """Calls with their status; `since` and `until` bound when they began."""
        path = "appraisecall/details"
        answer = await self._operator.fields(
            path,
            {
                "call_types": [int(one) for one in interactions],
                "status": list(statuses),
                "upload_from": seconds_of(uploaded_since),
                "upload_to": seconds_of(uploaded_until),
                "call_from": seconds_of(since),
                "call_to": seconds_of(until),
                "staff_id": agent,
                "staff_name": agent_name,
                "keyword": keyword,
                "duration_min": shortest_s,
                "duration_max": longest_s,
                "page": page,
                "limit": limit,
            },
        )
        calls = [_call(call) for row in answer.each("data") for call in row.each("calls")]
        return CallPage(answer.part("paging").whole("total"), tuple(calls))

    async def detail(self, uuid: str) -> InspectedCall:
        """One call with its transcript."""
        return _call(await self._operator.fields("appraisecall/detail", {"call_uuid": uuid}))

    async def speech_detail(self, uuid: str) -> InspectedCall:
        """One call with its transcript, asked of CC-iSQM [2526]."""
        path = "appraisecall/detail"
        return _call(Fields.of(await self._operator.ask_speech(path, {"call_uuid": uuid}), path))

    async def scores(self, uuid: str) -> tuple[ScenarioScore, ...]:
        """A recording's scores per business scenario, by CC-iSQM [2527]: the table has an object, the
        example a list; both are read."""
        path = "appraisecall/credit"
        answer = await self._operator.ask_speech(path, {"call_uuid": uuid})
        answers = answer if isinstance(answer, list) else [answer]
        return tuple(
            scenario_score(credit) for one in answers for credit in Fields.of(one, path).each("credit")
        )

    async def complain(
        self,
        call: str,
        leader: str,
        reason: str,
        appealed: Mapping[str, Sequence[str]],
        *,
        leader_role: str = "10",
        group: str | None = None,
        interaction: Interaction = Interaction.VOICE,
    ) -> Mapping[str, Any]:
        """Appeal as the agent [2495]: scenario to results appealed against. The page shows two forms of the
        answer, so it is given as it came."""
        answer = await self._operator.fields(
            "appraisecall/complain",
            {
                "callId": call,
                "callGroupId": group or call,
                "isGroup": False,
                "leaderUUID": leader,
                "leaderRole": leader_role,
                "taskDescription": reason,
                "chooseRuleGroupList": [
                    {"ruleGroupId": scenario, "reviseIdList": list(results)}
                    for scenario, results in appealed.items()
                ],
                "callType": str(int(interaction)),
            },
        )
        return answer.content


def scenario_score(row: Fields) -> ScenarioScore:
    """One `credit` of an answer: whatever lists of rules it has, by their names there."""
    setting = row.part("setting")
    blocks = {
        name: tuple(_result(rule) for rule in row.each(name))
        for name, value in row.content.items()
        if isinstance(value, list)
    }
    return ScenarioScore(
        setting.text("group_id"),
        setting.text("group_name"),
        row.number("score"),
        blocks,
        row.number("manuallyScore"),
    )


def _result(row: Fields) -> RuleResult:
    setting = row.part("setting")
    return RuleResult(
        result=row.text("revise_id"),
        name=row.text("name") or setting.text("rule_name") or setting.text("name"),
        compliant=row.flag("valid"),
        score=row.number("score") or 0.0,
        revised=row.whole("revise", -1),
    )


def _call(row: Fields) -> InspectedCall:
    return InspectedCall(
        call=row.id("call_id"),
        uuid=row.text("call_uuid"),
        status=row.whole("status"),
        interaction=row.whole("call_type"),
        began_at=row.moment("call_time"),
        uploaded_at=row.moment("upload_time"),
        duration_s=row.whole("duration"),
        file_name=row.text("file_name"),
        agent=row.text("staff_id"),
        agent_name=row.text("staff_name"),
        left_channel=row.text("left_channel"),
        left_speech_ratio=row.number("left_speech_ratio"),
        left_silence=row.number("left_silence_time"),
        right_speech_ratio=row.number("right_speech_ratio"),
        right_silence=row.number("right_silence_time"),
        violations=row.whole("rule_severity_violation_count"),
        transcript=tuple(
            Spoken(
                segment.text("asr_text"),
                segment.text("speaker"),
                segment.number("start_time"),
                segment.number("end_time"),
            )
            for segment in row.each("segments")
        ),
        machine=row.number("automaticScore"),
        manual=row.number("manuallyScore"),
    )
