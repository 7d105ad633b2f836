"""The quality client against the site itself, and what it makes of answers in other forms."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.quality.disputes import SCENARIO, violated
from tests.quality.inspected import uuid_of
from tests.quality.standing import (
    ANN,
    DIRECTOR,
    INSPECTOR,
    NOW,
    ONE,
    SECOND,
    TABLE_LEADER,
    Standing,
)

from sottovoce.client.ccsqm import Quality, QualityFailure, Sample
from sottovoce.client.ccsqm.plans import Period
from sottovoce.client.ccsqm.scoring import Scenario, ScoreProfile
from sottovoce.client.ccsqm.vocabulary import (
    Cycle,
    Earlier,
    ItemKind,
    ItemStatus,
    Judgement,
    Per,
)
from sottovoce.domain.contacts import Interaction
from sottovoce.domain.people import Role
from sottovoce.domain.scoring import RuleKind

DAY = timedelta(days=1)
LONG_AGO, FAR = NOW - 100 * DAY, NOW + 100 * DAY


@pytest.fixture
def standing(after_call: Standing) -> Standing:
    return after_call


@pytest.fixture
async def quality(standing: Standing) -> AsyncIterator[Quality]:
    """The director's client."""
    key, secret = standing.keys[ONE]
    transport = httpx.ASGITransport(standing.app)
    async with Quality(
        "http://test/", key, secret, DIRECTOR, clock=standing.clock, transport=transport
    ) as made:
        yield made


async def test_a_task_from_its_making_to_its_end(standing: Standing, quality: Quality) -> None:
    contacts = [await standing.contact(agent, duration_s=60) for agent in (101, 102, 103)]
    task = await quality.tasks.create("March", Sample(10, at_most=10), calls_from=LONG_AGO, calls_until=NOW)
    await quality.tasks.update(task, "March again")
    await quality.tasks.appoint(task, {INSPECTOR: 2, SECOND: None})
    await quality.tasks.take_effect(task, NOW + DAY)
    await quality.tasks.take_effect(task)

    page = await quality.tasks.query(NOW - DAY, NOW + DAY, name="March")
    assert page.total == 1
    [listed] = page.tasks
    assert (listed.task, listed.name, listed.created_at) == (task, "March again", NOW)
    assert (listed.to_inspect, listed.inspected) == (3, 0)
    assert (listed.mine, listed.may_act, listed.interaction) == (True, True, "0")

    inspector = quality.acting_as(INSPECTOR)
    items = await inspector.tasks.items(listed.code, role=Role.INSPECTOR)
    assert (items.total, inspector.user) == (2, INSPECTOR)
    first = items.items[0]
    assert (first.inspector, first.status) == (INSPECTOR, -1)
    assert first.calls[0].duration_s == 60
    assert first.calls[0].began_at == NOW - DAY
    assert first.calls[0].call in [str(contact) for contact in contacts]
    await inspector.tasks.complete(first.item, first.calls[0].call)
    assert (await quality.tasks.items(listed.code, status=1)).total == 1

    await quality.tasks.terminate(task)
    with pytest.raises(QualityFailure, match="0409005") as refusal:
        await quality.tasks.terminate(task)
    assert refusal.value.code == "0409005"


async def test_a_task_is_deleted(standing: Standing, quality: Quality) -> None:
    await standing.contact()
    sample = Sample(1, Per.AGENT, Earlier.UNSAMPLED, shortest_s=1, longest_s=600, agents=[ANN])
    task = await quality.tasks.create("gone", sample)
    await quality.tasks.delete(task)
    assert (await quality.tasks.query(LONG_AGO, FAR)).tasks == ()


async def test_a_plan_is_made_begun_changed_and_deleted(standing: Standing, quality: Quality) -> None:
    sample = Sample(100, per=Per.PERCENT_OF_AGENT, shortest_s=10, at_most=50)
    period = Period(Cycle.WEEKLY, NOW + DAY, ends_at=NOW + 90 * DAY)
    plan = await quality.plans.add("weekly", sample, period, {INSPECTOR: 60, SECOND: 40})
    await quality.plans.begin(plan)
    page = await quality.plans.query()
    assert page.total == 1
    assert (page.plans[0].plan, page.plans[0].name, page.plans[0].running) == (plan, "weekly", True)
    assert (page.plans[0].begins_at, page.plans[0].next_at) == (NOW + DAY, NOW + DAY)
    await quality.plans.update(
        plan, "monthly", Sample(2), Period(Cycle.MONTHLY, NOW + 2 * DAY, runs=3), [INSPECTOR]
    )
    changed = (await quality.plans.query()).plans[0]
    assert (changed.name, changed.runs, changed.runs_done) == ("monthly", 3, 0)
    await quality.plans.stop(plan)
    await quality.plans.delete(plan)
    assert (await quality.plans.query()).plans == ()


async def test_calls_and_their_scores(standing: Standing, quality: Quality) -> None:
    contact = await standing.contact(status=2, duration_s=75)
    await standing.contact(102, status=0)
    [result] = await violated(standing, contact)
    page = await quality.calls.details(LONG_AGO, FAR, statuses=[2], since=LONG_AGO, until=NOW)
    assert page.total == 1
    [call] = page.calls
    assert (call.call, call.agent, call.duration_s) == (str(contact), ANN, 75)
    assert (call.began_at, call.status, call.interaction) == (NOW - DAY, 2, Interaction.VOICE)
    assert (call.machine, call.manual) == (90, None)
    for found in (await quality.calls.detail(call.uuid), await quality.calls.speech_detail(call.uuid)):
        assert (found.uuid, found.began_at) == (call.uuid, NOW - DAY)
    [score] = await quality.calls.scores(call.uuid)
    assert (score.scenario, score.name, score.score) == (SCENARIO, "test3", 90)
    [reason] = score.results["silence_rule"]
    assert (reason.result, reason.compliant, reason.revised) == (result, False, -1)


async def test_an_appeal_is_filed_handed_on_and_rejected(standing: Standing, quality: Quality) -> None:
    contact = await standing.contact(status=2)
    [result] = await violated(standing, contact)
    uuid = await uuid_of(standing, contact)
    agent, leader = quality.acting_as(ANN), quality.acting_as(TABLE_LEADER)
    answer = await agent.calls.complain(uuid, TABLE_LEADER, "unfair", {SCENARIO: [result]})
    assert answer == {"callId": uuid, "available": True}

    page = await quality.items.query(
        kind=ItemKind.APPEAL, status=ItemStatus.REVIEWING, agents=[ANN], since=LONG_AGO, until=FAR
    )
    assert (page.total, page.pages) == (1, 1)
    [listed] = page.items
    assert listed.call_uuids == (uuid,)
    detail = await quality.items.detail(listed.item)
    assert detail.kind == ItemKind.APPEAL
    assert [(hit.result, hit.kind, hit.valid, hit.revised) for hit in detail.hits] == [
        (result, RuleKind.SILENCE, 0, -1)
    ]
    [score] = await quality.items.scores(listed.item)
    assert (score.scenario, score.machine) == (SCENARIO, 90)

    before = await leader.items.history(listed.item)
    assert before.may_handle
    await leader.items.judge(listed.item, Judgement.BACK, "the rule is right", uuid=uuid)
    assert (await quality.items.query(status=ItemStatus.COMPLETED)).total == 1
    assert len((await quality.items.history(listed.item)).nodes) >= 1
    with pytest.raises(QualityFailure, match="0410"):
        await quality.items.reassign(listed.item, INSPECTOR, role=Role.QUALITY_DIRECTOR)


async def test_a_result_is_corrected(standing: Standing, quality: Quality) -> None:
    contact = await standing.contact(status=2)
    [result] = await violated(standing, contact)
    await standing.contact(102)
    task = await quality.tasks.create("one", Sample(2))
    await quality.tasks.appoint(task, {INSPECTOR: None}, take_effect=True)
    inspector = quality.acting_as(INSPECTOR)
    items = (await inspector.tasks.items(task, role=Role.INSPECTOR)).items
    item = next(one for one in items if one.calls[0].call == str(contact))
    uuid = item.calls[0].uuid
    await inspector.tasks.revise(
        item.item, uuid, result, compliant=True, kind=RuleKind.SILENCE, remark="listened again"
    )
    [draft] = await quality.calls.scores(uuid)
    assert draft.results["silence_rule"][0].revised == -1, "it counts when the call is completed"
    await inspector.tasks.complete(item.item, str(contact))
    [score] = await quality.calls.scores(uuid)
    assert (score.results["silence_rule"][0].revised, score.manual) == (1, 100)


async def test_profiles_and_scenarios(quality: Quality) -> None:
    await quality.scores.create(ScoreProfile("strict", base=90, lower=10, upper=95))
    [made] = [one for one in (await quality.scores.query()).profiles if one.name == "strict"]
    assert (made.base, made.lower, made.upper) == (90, 10, 95)
    await quality.scores.modify(ScoreProfile("strict", 80, 10, 95, made.profile))
    await quality.scores.apply(made.profile)
    assert (await quality.scores.query()).using == made.profile

    scenario = await quality.scenarios.create("Sales", LONG_AGO, NOW, ignore_sensitive=True)
    found = await quality.scenarios.find(scenario)
    assert (found.name, found.ignore_sensitive) == ("Sales", True)
    assert (found.calls_from, found.calls_until) == (LONG_AGO, NOW)
    await quality.scenarios.update(
        Scenario(scenario, "Sale", enabled=True, calls_from=NOW, calls_until=FAR, rules=("14161",))
    )
    await quality.scenarios.enable(scenario, False)
    page = await quality.scenarios.query(name="Sale", enabled=False)
    assert page.total == 1
    assert (page.scenarios[0].name, page.scenarios[0].enabled) == ("Sale", False)
    changed = await quality.scenarios.find(scenario)
    assert (changed.calls_from, changed.rules) == (NOW, ("14161",))


# -- the token, and answers in other forms


Answers = Callable[[httpx.Request], httpx.Response]


class Scripted:
    """A server whose tokens are t1, t2 …; it refuses those before `valid_from`."""

    def __init__(self, answer: object = None, *, status: int = 200) -> None:
        self.tokens = 0
        self.valid_from = 1
        self.asked: list[httpx.Request] = []
        self._answer = {"total": 0, "data": []} if answer is None else answer
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("tokenByAkSk"):
            self.tokens += 1
            life = request.headers["X-Token-Expire"]
            token = {"AccessToken": f"t{self.tokens}", "Expires": life}
            return httpx.Response(200, json=token)
        self.asked.append(request)
        if int(request.headers["Authorization"].removeprefix("Bearer t")) < self.valid_from:
            return httpx.Response(401, json={"resultCode": "0400002", "resultDesc": "expired"})
        if isinstance(self._answer, bytes):
            return httpx.Response(self._status, content=self._answer)
        return httpx.Response(self._status, json=self._answer)


def client(script: Scripted, standing: Standing | None = None, **given: int) -> Quality:
    clock = standing.clock if standing else None
    transport = httpx.MockTransport(script)
    return Quality("http://test", "key", "secret", "17", clock=clock, transport=transport, **given)


async def test_a_request_carries_what_the_pages_print() -> None:
    script = Scripted()
    async with client(script) as quality:
        await quality.items.query(since=datetime(2021, 6, 17, tzinfo=UTC))
    [request] = script.asked
    assert request.url.path == "/apiaccess/CCSQM/rest/ccisqm/v1/qualityitem/queryQualityItem"
    assert request.headers["Authorization"] == "Bearer t1"
    assert request.headers["x-app-key"] == "key"
    assert request.headers["x-UserId"] == "17"
    assert request.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert json.loads(request.content) == {
        "fixedColumns": {},
        "startTimeMillis": 1623888000,
        "page": 1,
        "rows": 100,
    }


async def test_a_token_is_renewed_before_it_expires(standing: Standing) -> None:
    script = Scripted()
    async with client(script, standing, token_s=100) as quality:
        for advance, tokens in ((0, 1), (89, 1), (2, 2), (50, 2)):
            standing.clock.advance(advance)
            await quality.items.query()
            assert script.tokens == tokens


async def test_a_token_that_is_refused_is_renewed_once() -> None:
    script = Scripted()
    async with client(script) as quality:
        await quality.items.query()
        script.valid_from = 2
        await quality.items.query()
        assert script.tokens == 2
        script.valid_from = 9
        with pytest.raises(QualityFailure, match="0400002"):
            await quality.items.query()
    assert script.tokens == 3


async def test_a_wrong_secret_is_told(standing: Standing) -> None:
    transport = httpx.ASGITransport(standing.app)
    async with Quality("http://test", standing.keys[ONE][0], "wrong", transport=transport) as quality:
        with pytest.raises(QualityFailure, match="app_secret is wrong"):
            await quality.plans.query()


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (b"<html>", 502, "502"),
        (b"", 200, "200"),
        ([], 200, "200"),
        ({"resultCode": "0410004", "resultDesc": "Not found."}, 200, "0410004"),
        ({"total": {}}, 200, "200"),
        ({"data": {}}, 200, "200"),
        ({"data": [{"id": True}]}, 200, "200"),
        ({}, 500, "500"),
        ({"resultCode": 0, "returnCode": "0409003"}, 200, "0409003"),
    ],
)
async def test_what_is_no_success_is_a_failure(answer: object, status: int, code: str) -> None:
    async with client(Scripted(answer, status=status)) as quality:
        with pytest.raises(QualityFailure) as failure:
            await quality.items.query()
    assert failure.value.code == code


async def test_ids_and_numbers_may_come_as_either() -> None:
    row = {"id": 16239241148860783173, "inspectStatus": "0", "calls": [{"leftSpeechRatio": "0.25"}]}
    async with client(Scripted({"total": "1", "data": [row]})) as quality:
        page = await quality.tasks.items("1")
    assert page.total == 1
    assert page.items[0].item == "16239241148860783173"
    assert page.items[0].status == 0
    assert page.items[0].calls[0].left_speech_ratio == 0.25


async def test_scores_come_as_an_object_too() -> None:
    credit = {"score": 77.5, "rules": [{"valid": False, "score": -3, "revise_id": "dialogRule1"}]}
    async with client(Scripted({"create_time": 1, "credit": [credit]})) as quality:
        [score] = await quality.calls.scores("x")
    assert score.score == 77.5
    assert score.results["rules"][0].score == -3
