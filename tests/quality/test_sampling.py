"""A sample from its beginning to its certificate, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.quality.asking import asked
from tests.quality.disputes import waiting
from tests.quality.standing import DIRECTOR, LEADER, NOW, ONE, TWO, Standing
from tests.storage.works import work_of

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import VdnId
from sottovoce.domain.drawing import Drawing
from sottovoce.domain.frames import Frame
from sottovoce.domain.lots import hashed
from sottovoce.domain.people import SERVER, ReviewId, User
from sottovoce.domain.reviews import Task, TaskOrder, TaskState
from sottovoce.domain.rights import Operation
from sottovoce.domain.sampling import Certificate, Conditions, DrawnCall, Earlier, Quantity
from sottovoce.domain.verifying import untrue
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain
from sottovoce.quality import access, sampling, tasks
from sottovoce.quality.sampling import sha256_of
from sottovoce.storage import audit
from sottovoce.storage.database import transaction
from sottovoce.storage.review import draws, lots
from sottovoce.storage.review import tasks as task_rows
from sottovoce.storage.tables import contacts, sampling_draws

TASK = ReviewId("1772442000000000001")
THREE = Conditions(Quantity.CALLS, 3)
COMMITTED = ["sampling.chain", "sampling.block", "sampling.begin"]


async def draw(
    standing: Standing,
    conditions: Conditions = THREE,
    task: ReviewId = TASK,
    *,
    number: int | None = None,
    vdn: VdnId = ONE,
    calls_from: datetime | None = None,
) -> tuple[tuple[DrawnCall, ...], Certificate]:
    """A sample, begun and kept."""
    office = standing.office
    if number is None:
        _, number = await sampling.begin(office, vdn, DIRECTOR, task)
    async with office.work(vdn, DIRECTOR) as work:
        drawn = await sampling.draw(work, office, number, task, conditions, calls_from, None)
    kept = await found(standing, number)
    assert kept.certificate is not None
    return drawn, from_plain(Certificate, kept.certificate)


async def found(standing: Standing, number: int) -> draws.Draw:
    async with transaction(standing.engine) as connection:
        kept = await draws.find(work_of(connection, ONE), number)
    assert kept is not None
    return kept


async def filled(standing: Standing, agents: Sequence[int]) -> list[int]:
    return [await standing.contact(agent) for agent in agents]


async def test_a_sample_repeats_from_what_is_kept(standing: Standing) -> None:
    contacts = await filled(standing, [101, 102, 103] * 4)
    drawn, certificate = await draw(standing)
    assert drawn == certificate.drawn
    assert len(drawn) == 3
    assert {one.contact for one in drawn} <= set(contacts)
    assert all(one.agent == 101 + contacts.index(one.contact) % 3 for one in drawn)
    assert {one.began_at for one in drawn} == {NOW - timedelta(days=1)}
    kept = await found(standing, certificate.draw)
    assert kept.frame is not None
    assert Frame.unpack(kept.frame).strata[0].tolist() == contacts
    assert untrue(certificate, Frame.unpack(kept.frame)) == []
    assert (certificate.frame.size, certificate.wanted, certificate.conditions) == (12, 3, THREE)
    assert (kept.seed, kept.maker, certificate.maker) == (None, DIRECTOR, DIRECTOR)
    assert [call.call_uuid for call in drawn] == [
        str(UUID(int=contacts.index(one.contact) + 1)) for one in drawn
    ]


async def test_chain_and_block_are_in_the_audit_before_the_draw(standing: Standing) -> None:
    async with standing.office.work(ONE, DIRECTOR) as work:
        await lots.commit(work)
    (chained,) = await audit.read(standing.engine, ONE)
    contacts = await filled(standing, [101] * 5)
    standing.clock.advance(5)
    _, number = await sampling.begin(standing.office, ONE, DIRECTOR, TASK)
    late = await standing.contact()
    standing.clock.advance(5)
    drawn, certificate = await draw(standing, Conditions(Quantity.CALLS, 9), number=number)
    assert {call.contact for call in drawn} == set(contacts), f"{late} came after the draw was begun"
    first, block, begun, made = await audit.read(standing.engine, ONE)
    assert first == chained
    (chain,) = certificate.chains
    assert (first.action, first.target, int(first.actor)) == ("sampling.chain", "1", int(DIRECTOR))
    assert first.detail == {"end": chain.end, "length": 1 << 14, "numbered": 0}
    assert hashed(bytes.fromhex(chain.preimage), 1).hex() == chain.end
    assert (block.action, block.target) == ("sampling.block", "1")
    assert block.detail == {"chain": 1, "place": 1, "after": 0, "until": contacts[-1], "words": ""}
    assert (begun.action, begun.target) == ("sampling.begin", TASK)
    assert begun.detail == {"draw": number, "block": 1}
    assert (made.action, made.target) == ("sampling.draw", TASK)
    assert made.detail == {
        "draw": number,
        "frame_sha256": certificate.frame.sha256,
        "certificate_sha256": sha256_of(certificate),
    }
    assert (chain.committed_at, certificate.begun_at, certificate.drawn_at) == (
        NOW,
        NOW + timedelta(seconds=5),
        NOW + timedelta(seconds=10),
    )


async def test_the_same_contacts_are_the_same_sample(standing: Standing) -> None:
    await filled(standing, [101] * 60)
    samples = {(await draw(standing, Conditions(Quantity.CALLS, 12)))[1].contacts for _ in range(3)}
    assert len(samples) == 1
    fewer = (await draw(standing, Conditions(Quantity.CALLS, 5)))[1].contacts
    assert samples == {fewer + next(iter(samples))[5:]}


async def test_contacts_that_come_later_have_lots_that_nothing_before_tells(standing: Standing) -> None:
    """Each block has the preimage before: what is revealed leads to the earlier ones, and to no later one."""
    revealed = []
    for _ in range(3):
        await filled(standing, [101] * 2)
        revealed.append((await draw(standing))[1].chains[0])
    await draw(standing)
    _, again = await draw(standing)
    assert again.chains[0] == revealed[-1], "nothing came: no block is closed"
    assert [chain.place for chain in revealed] == [1, 2, 3]
    for early, late in pairwise(revealed):
        assert hashed(bytes.fromhex(late.preimage), 1).hex() == early.preimage
    assert [(block.block, block.place, block.after, block.until) for block in again.blocks] == [
        (1, 1, 0, 2),
        (2, 2, 2, 4),
        (3, 3, 4, 6),
    ]


async def test_an_outsiders_words_count_from_the_next_block_on(standing: Standing) -> None:
    await filled(standing, [101] * 4)
    _, before = await draw(standing, Conditions(Quantity.CALLS, 100))
    async with standing.office.work(ONE, DIRECTOR) as work:
        await lots.say(work, "rain on the ninth of May")
    assert (await draw(standing, Conditions(Quantity.CALLS, 100)))[1].contacts == before.contacts
    await filled(standing, [101] * 4)
    _, after = await draw(standing, Conditions(Quantity.CALLS, 100))
    assert [block.words for block in after.blocks] == ["", "rain on the ninth of May"]
    assert ("sampling.words", {"words": "rain on the ninth of May"}) in [
        (row.action, row.detail) for row in await audit.read(standing.engine, ONE)
    ]
    kept = await found(standing, after.draw)
    others = replace(after, blocks=(after.blocks[0], replace(after.blocks[1], words="sun")))
    assert untrue(after, Frame.unpack(kept.frame or b"")) == []
    assert untrue(others, Frame.unpack(kept.frame or b"")) != []


async def test_a_chain_that_is_used_up_is_followed_by_another(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lots, "CHAIN_LENGTH", 2)
    for _ in range(5):
        await filled(standing, [101] * 2)
        _, certificate = await draw(standing, Conditions(Quantity.CALLS, 100))
    assert [(chain.chain, chain.place) for chain in certificate.chains] == [(1, 2), (2, 2), (3, 1)]
    assert [chain.numbered for chain in certificate.chains] == [2, 4, 8]
    kept = await found(standing, certificate.draw)
    assert untrue(certificate, Frame.unpack(kept.frame or b"")) == []


async def test_blocks_closed_at_once_take_turns(standing: Standing) -> None:
    await filled(standing, [101] * 3)

    async def begun(number: int) -> None:
        await standing.contact()
        await sampling.begin(standing.office, ONE, DIRECTOR, ReviewId(str(1772442000000000001 + number)))

    await asyncio.gather(*(begun(number) for number in range(5)))
    async with transaction(standing.engine) as connection:
        blocks = await lots.all_blocks(work_of(connection, ONE))
    assert [block.place for block in blocks] == list(range(1, len(blocks) + 1))
    assert [block.after for block in blocks] == [0, *(block.until for block in blocks[:-1])]


async def test_a_draw_is_used_once_and_for_its_task_alone(standing: Standing) -> None:
    await filled(standing, [101] * 5)
    other = ReviewId("1772442000000000009")
    _, number = await sampling.begin(standing.office, ONE, DIRECTOR, TASK)
    for refused in ({"task": other}, {"vdn": TWO}):
        with pytest.raises(Refused) as declined:
            await draw(standing, number=number, **refused)  # type: ignore[arg-type]
        assert declined.value.code is Code.WRONG_STATE
    await draw(standing, number=number)
    with pytest.raises(Refused) as declined:
        await draw(standing, number=number)
    assert declined.value.code is Code.WRONG_STATE


async def test_what_ends_after_the_beginning_stays_begun(standing: Standing) -> None:
    """No contact qualifies, or the server dies: that it was begun stays on record, and nothing was drawn."""
    await filled(standing, [101] * 5)
    _, number = await sampling.begin(standing.office, ONE, DIRECTOR, TASK)
    with pytest.raises(Refused) as declined:
        await draw(standing, Conditions(Quantity.CALLS, 3, agents=(102,)), number=number)
    assert declined.value.code is Code.NOTHING_QUALIFIES
    kept = await found(standing, number)
    assert (kept.drawn_at, kept.frame, kept.certificate) == (None, None, None)
    assert [entry.action for entry in await audit.read(standing.engine, ONE)] == COMMITTED
    with pytest.raises(RuntimeError):
        await _dies_before_the_commit(standing, number)
    assert (await found(standing, number)).drawn_at is None
    assert [entry.action for entry in await audit.read(standing.engine, ONE)] == COMMITTED


async def _dies_before_the_commit(standing: Standing, number: int) -> None:
    async with standing.office.work(ONE, DIRECTOR) as work:
        assert await sampling.draw(work, standing.office, number, TASK, THREE, None, None)
        raise RuntimeError


async def test_quantities_per_agent_are_of_each_agent(standing: Standing) -> None:
    await filled(standing, [101] * 7 + [102] * 30 + [103])
    drawn, certificate = await draw(standing, Conditions(Quantity.PER_AGENT, 2))
    assert [one.agent for one in drawn] == [101, 101, 102, 102, 103]
    assert certificate.wanted == 5
    drawn, _ = await draw(standing, Conditions(Quantity.PERCENT_PER_AGENT, 10))
    assert [one.agent for one in drawn] == [101, 102, 102, 102, 103]
    drawn, certificate = await draw(standing, Conditions(Quantity.PERCENT_PER_AGENT, 100, cap=19))
    assert len(drawn) == certificate.wanted == 19
    kept = await found(standing, certificate.draw)
    assert kept.frame is not None
    assert {agent: len(some) for agent, some in Frame.unpack(kept.frame).strata.items()} == {
        101: 7,
        102: 30,
        103: 1,
    }


async def test_a_missing_recording_is_passed_over_and_said_so(standing: Standing) -> None:
    here = await filled(standing, [101, 102] * 4)
    gone = [await standing.contact(agent, recording=f"gone-{agent}.wav") for agent in (101, 102, 103)]
    for contact in gone:
        (standing.office.recordings / f"gone-{101 + gone.index(contact)}.wav").unlink()
    drawn, certificate = await draw(standing, Conditions(Quantity.PER_AGENT, 4))
    assert sorted(one.contact for one in drawn) == here
    assert certificate.wanted == 9
    passed = {(one.contact, one.stratum, one.reason) for one in certificate.passed_over}
    assert (gone[2], 103, "recording missing") in passed
    assert passed <= {(contact, 101 + place, "recording missing") for place, contact in enumerate(gone)}
    kept = await found(standing, certificate.draw)
    assert untrue(certificate, Frame.unpack(kept.frame or b"")) == []


async def test_recordings_by_absolute_path_and_texts_without_any_are_there(
    standing: Standing, tmp_path: Path
) -> None:
    recording = tmp_path / "elsewhere.wav"
    recording.touch()
    voice = await standing.contact(recording=str(recording))
    text = await standing.contact(interaction=2, recording="never-looked-for.txt", transcript=[])
    (standing.office.recordings / "never-looked-for.txt").unlink()
    assert [one.contact for one in (await draw(standing))[0]] == [voice]
    drawn, certificate = await draw(standing, Conditions(Quantity.CALLS, 3, interaction=Interaction.TEXT))
    assert ([one.contact for one in drawn], certificate.passed_over) == ([text], ())


async def test_a_sample_without_any_recording_is_none(standing: Standing) -> None:
    for name in ("a.wav", "b.wav"):
        await standing.contact(recording=name)
        (standing.office.recordings / name).unlink()
    with pytest.raises(Refused, match="2 calls looked at") as declined:
        await draw(standing)
    assert declined.value.code is Code.NOTHING_QUALIFIES


async def test_a_contact_that_changed_since_the_frame_is_passed_over(standing: Standing) -> None:
    here = await filled(standing, [101] * 3)
    failed = await standing.contact(status=9)
    drawing = Drawing([(0, 4, iter([*here, failed]))])
    async with standing.office.work(ONE, DIRECTOR) as work:
        known = await sampling._look(work, standing.office, drawing, 0)
    assert sorted(drawing.drawn) == sorted(known) == here
    assert [(one.contact, one.reason) for one in drawing.passed_over] == [
        (failed, "no longer to be inspected")
    ]


async def test_fresh_and_sampled_contacts_are_told_apart(standing: Standing) -> None:
    contacts = await filled(standing, [101] * 6)
    caller = await standing.caller(DIRECTOR)

    async def made(earlier: Earlier, number: int) -> set[int]:
        conditions = Conditions(Quantity.CALLS, number, earlier=earlier)
        task = await asked(tasks.create, standing.office, caller, TaskOrder("t", conditions))
        async with transaction(standing.engine) as connection:
            return set(await draws.items_of(work_of(connection, ONE), task))

    first = await made(Earlier.FRESH, 2)
    second = await made(Earlier.FRESH, 100)
    assert first | second == set(contacts)
    assert len(first) == 2
    assert len(second) == 4
    with pytest.raises(Refused):
        await made(Earlier.FRESH, 1)
    assert await made(Earlier.SAMPLED, 100) == set(contacts)


@pytest.mark.parametrize("ending", [tasks.terminate, tasks.delete])
async def test_what_a_task_released_was_never_sampled(standing: Standing, ending: Any) -> None:
    """834 qualified; a task of 10 was made and terminated before anybody was appointed; 824 qualified."""
    contacts = await filled(standing, [101] * 8)
    caller = await standing.caller(DIRECTOR)

    async def made(earlier: Earlier, number: int = 100) -> tuple[ReviewId, set[int]]:
        order = TaskOrder("t", Conditions(Quantity.CALLS, number, earlier=earlier))
        task = await asked(tasks.create, standing.office, caller, order)
        async with transaction(standing.engine) as connection:
            return task, set(await draws.items_of(work_of(connection, ONE), task))

    await asked(ending, standing.office, caller, (await made(Earlier.ALL, 3))[0])
    with pytest.raises(Refused):
        await made(Earlier.SAMPLED)
    task, sample = await made(Earlier.FRESH)
    assert sample == set(contacts)
    async with standing.office.work(ONE, DIRECTOR) as work:
        (item, *_) = await task_rows.items(work, task)
        await task_rows.change_item(work, item.item, state="done")
    await asked(tasks.terminate, standing.office, caller, task)
    assert (await made(Earlier.SAMPLED))[1] == {item.contact}, "what was done stays sampled"
    assert (await made(Earlier.FRESH))[1] == set(contacts) - {item.contact}


async def test_fresh_samples_drawn_at_once_share_no_contact(standing: Standing) -> None:
    await filled(standing, [101] * 40)
    caller = await standing.caller(DIRECTOR)
    order = TaskOrder("t", Conditions(Quantity.CALLS, 10, earlier=Earlier.FRESH))
    made = await asyncio.gather(*(asked(tasks.create, standing.office, caller, order) for _ in range(4)))
    async with transaction(standing.engine) as connection:
        every = [contact for task in made for contact in await draws.items_of(work_of(connection, ONE), task)]
    assert len(every) == len(set(every)) == 40


async def test_frames_too_large_are_refused(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    from sottovoce.domain import frames

    await filled(standing, [101] * 5)
    monkeypatch.setattr(frames, "LARGEST_FRAME", 4)
    with pytest.raises(Refused, match="too wide: 5 contacts qualify") as declined:
        await draw(standing)
    assert declined.value.code is Code.BAD_PARAMETER


async def test_the_range_of_calls_is_kept(standing: Standing) -> None:
    await standing.contact(began_at=NOW - timedelta(days=9))
    late = await standing.contact(began_at=NOW - timedelta(days=1))
    drawn, certificate = await draw(standing, calls_from=NOW - timedelta(days=2))
    assert [one.contact for one in drawn] == [late]
    assert (certificate.calls_from, certificate.calls_until) == (NOW - timedelta(days=2), None)


async def test_the_certificate_is_kept_as_json_that_comes_back(standing: Standing) -> None:
    await filled(standing, [101] * 3)
    _, certificate = await draw(standing, Conditions(Quantity.PER_AGENT, 2, score_to=None, agents=(101,)))
    async with transaction(standing.engine) as connection:
        kept: Any = (await connection.execute(sa.select(sampling_draws.c.certificate))).scalar_one()
    assert kept["version"] == 2
    assert kept["algorithm"] == "sottovoce-lots-1"
    assert kept["conditions"]["quantity"] == "per_agent"
    assert from_plain(Certificate, kept) == certificate
    with pytest.raises(ValueError, match="version is 3"):
        from_plain(Certificate, {**kept, "version": 3})


class Shopping:
    """Somebody who makes, changes, deletes and terminates tasks to get another sample."""

    def __init__(self, standing: Standing, caller: User) -> None:
        self._office, self._caller, self._engine = standing.office, caller, standing.engine
        self.tasks: list[ReviewId] = []

    async def make(self, order: TaskOrder) -> list[int]:
        """The sample of a new task."""
        self.tasks.append(await asked(tasks.create, self._office, self._caller, order))
        return await self.sample(self.tasks[-1])

    async def sample(self, task: ReviewId) -> list[int]:
        """The contacts of a task, in order."""
        async with transaction(self._engine) as connection:
            return await draws.items_of(work_of(connection, ONE), task)

    async def do(self, what: str, number: int, order: TaskOrder) -> None:
        """One more try; what the task's state does not allow is refused, and nothing happens."""
        if what == "create":
            await self.make(order)
        elif self.tasks:
            task = self.tasks[number % len(self.tasks)]
            with suppress(Refused):
                if what == "update":
                    await asked(tasks.update, self._office, self._caller, task, lambda _: order)
                else:
                    ending = tasks.delete if what == "delete" else tasks.terminate
                    await asked(ending, self._office, self._caller, task)


ORDERS = st.builds(
    lambda quantity, number, cap, agents: TaskOrder(
        "t", Conditions(quantity, number, cap, agents=tuple(agents))
    ),
    st.sampled_from(list(Quantity)),
    st.integers(1, 12),
    st.integers(1, 10),
    st.sets(st.sampled_from([101, 102, 103])),
)
TRIES = st.lists(
    st.tuples(st.sampled_from(["create", "update", "delete", "terminate"]), st.integers(0, 9), ORDERS),
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=TRIES, wanted=ORDERS)
def test_no_order_of_tries_gives_a_choice(
    postgres_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
    tries: list[tuple[str, int, TaskOrder]],
    wanted: TaskOrder,
) -> None:
    """Whatever was made, changed, deleted and terminated before: the same order is the same sample."""
    asyncio.run(_no_choice(postgres_dsn, tmp_path_factory.mktemp("recordings"), tries, wanted))


async def _no_choice(
    dsn: str, folder: Path, tries: list[tuple[str, int, TaskOrder]], wanted: TaskOrder
) -> None:
    standing = Standing(dsn, folder)
    try:
        await _twenty_calls(standing, folder)
        shopping = Shopping(standing, await standing.caller(DIRECTOR))
        first = await shopping.make(wanted)
        for what, number, order in tries:
            await shopping.do(what, number, order)
        assert await shopping.make(wanted) == first
        for task in list(shopping.tasks):
            async with transaction(standing.engine) as connection:
                found = await task_rows.find(work_of(connection, ONE), task)
            assert found is not None
            if found.state is TaskState.CREATED:
                again = await shopping.make(TaskOrder("again", found.conditions))
                assert await shopping.sample(task) == again, "nor does it matter what came first"
                await shopping.do("delete", -1, wanted)
                shopping.tasks.pop()
    finally:
        await standing.close()


FRESH_ORDERS = st.builds(
    lambda quantity, number, cap, agents, earlier: TaskOrder(
        "t", Conditions(quantity, number, cap, earlier=earlier, agents=tuple(agents))
    ),
    st.sampled_from(list(Quantity)),
    st.integers(1, 6),
    st.sampled_from([2, 6, 100]),
    st.sampled_from([(), (101,), (102, 103)]),
    st.sampled_from([Earlier.FRESH, Earlier.FRESH, Earlier.FRESH, Earlier.ALL]),
)
FRESH_TRIES = st.lists(
    st.tuples(
        st.sampled_from(["create", "create", "create", "update", "delete", "terminate"]),
        st.integers(0, 9),
        FRESH_ORDERS,
    ),
    min_size=4,
    max_size=10,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=FRESH_TRIES)
def test_samples_of_fresh_calls_are_what_they_would_be_had_nothing_else_been_tried(
    postgres_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
    tries: list[tuple[str, int, TaskOrder]],
) -> None:
    """Whatever was made, changed, deleted and terminated: the tasks that stand, made anew one after the other
    in the order in which they were drawn, have the same samples. So what a maker holds tells nothing of what
    they tried."""
    asyncio.run(_no_choice_of_fresh(postgres_dsn, tmp_path_factory.mktemp("recordings"), tries))


async def _no_choice_of_fresh(dsn: str, folder: Path, tries: list[tuple[str, int, TaskOrder]]) -> None:
    standing = Standing(dsn, folder)
    try:
        await _twenty_calls(standing, folder)
        shopping = Shopping(standing, await standing.caller(DIRECTOR))
        for what, number, order in tries:
            with suppress(Refused):
                await shopping.do(what, number, order)
        stand = await _that_stand(standing, shopping.tasks)
        samples = [await shopping.sample(task.task) for task in stand]
        shopping.tasks = [task.task for task in stand]
        for place in reversed(range(len(stand))):
            await shopping.do("delete", place, TaskOrder("t", THREE))
        assert await _that_stand(standing, shopping.tasks) == [], "the last one first, all of them can go"
        again = [await shopping.make(TaskOrder("t", task.conditions)) for task in stand]
        for task in reversed(shopping.tasks[len(stand) :]):
            await asked(tasks.delete, standing.office, await standing.caller(DIRECTOR), task)
        assert again == samples
    finally:
        await standing.close()


async def _twenty_calls(standing: Standing, folder: Path) -> None:
    async with standing.engine.begin() as connection:
        there = (await connection.execute(sa.select(contacts.c.recording))).scalars().all()
    for recording in there:
        (folder / str(recording)).touch()
    if not there:
        await standing.open()
        await filled(standing, [101, 102, 103, 101] * 5)


async def _that_stand(standing: Standing, made: Sequence[ReviewId]) -> list[Task]:
    async with transaction(standing.engine) as connection:
        found = [await task_rows.find(work_of(connection, ONE), task) for task in made]
    held = [task for task in found if task is not None and task.state is TaskState.CREATED]
    return sorted(held, key=lambda task: task.draw)


@pytest.mark.parametrize("ending", [tasks.terminate, tasks.delete])
async def test_a_task_that_kept_its_calls_from_a_later_sample_goes_after_that_one(
    standing: Standing, ending: Any
) -> None:
    """Hold a task, draw the next, delete the first: once, that was a choice, as often as one liked."""
    await filled(standing, [101] * 6 + [102] * 6)
    shopping = Shopping(standing, await standing.caller(DIRECTOR))
    order = TaskOrder("t", replace(THREE, earlier=Earlier.FRESH))
    first, second, third = [(await shopping.make(order), shopping.tasks[-1])[1] for _ in range(3)]
    director = await standing.caller(DIRECTOR)

    async def end(task: ReviewId) -> None:
        await asked(ending, standing.office, director, task)

    for task, later in ((first, second), (second, third)):
        with pytest.raises(Refused, match=f"task {later}, drawn later, passed over") as refused:
            await end(task)
        assert refused.value.code is Code.WRONG_STATE
        with pytest.raises(Refused, match=f"task {later}"):
            await asked(tasks.update, standing.office, director, task, lambda _: TaskOrder("t", THREE))
    await end(third)
    await end(second)
    await end(first)


async def test_what_was_inspected_or_has_a_reason_on_record_can_be_ended_at_any_time(
    standing: Standing,
) -> None:
    """Its released calls come first again, and every certificate names it."""
    await filled(standing, [101] * 12)
    shopping = Shopping(standing, await standing.caller(DIRECTOR))
    order = TaskOrder("t", replace(THREE, earlier=Earlier.FRESH))
    samples = [await shopping.make(order) for _ in range(3)]
    first, second, _ = shopping.tasks
    async with standing.office.work(ONE, DIRECTOR) as work:
        (item, *_) = await task_rows.items(work, first)
        await task_rows.change_item(work, item.item, state="done")
    await asked(tasks.terminate, standing.office, await standing.caller(DIRECTOR), first)
    by_command = access.for_the_server(ONE, Operation.TERMINATE_TASK)
    async with standing.office.work(ONE, SERVER) as work:
        with pytest.raises(Refused, match="end that one first"):
            await tasks.terminate(work, by_command, second)
        await tasks.terminate(work, by_command, second, "drawn from the wrong week")
    assert await shopping.make(order) == samples[0][1:] + samples[1][:1]
    async with transaction(standing.engine) as connection:
        used = (await draws.of_task(work_of(connection, ONE), shopping.tasks[-1]))[1]
        certificate = await draws.certificate(work_of(connection, ONE), used or 0)
    assert isinstance(certificate, Certificate)
    assert [one.fate for one in certificate.before] == ["created", "terminated", "terminated"]


async def test_what_no_later_sample_could_have_taken_can_be_ended(standing: Standing) -> None:
    """Other agents, another time, another person: those samples are the same without it."""
    await filled(standing, [101] * 4 + [102] * 4)
    old = await standing.contact(101, began_at=NOW - timedelta(days=9))
    shopping = Shopping(standing, await standing.caller(DIRECTOR))
    fresh = replace(THREE, earlier=Earlier.FRESH)
    ann = TaskOrder("Ann", replace(fresh, agents=(101,)), calls_from=NOW - timedelta(days=2))
    assert old not in await shopping.make(ann)
    await shopping.make(TaskOrder("Ben", replace(fresh, agents=(102,))))
    await shopping.make(replace(ann, calls_from=None, calls_until=NOW - timedelta(days=2)))
    leader = Shopping(standing, await standing.caller(LEADER))
    await leader.make(TaskOrder("Leo", fresh))
    await asked(tasks.delete, standing.office, await standing.caller(DIRECTOR), shopping.tasks[0])


async def test_a_sample_that_is_drawn_as_another_ends_is_not_missed(standing: Standing) -> None:
    await filled(standing, [101] * 12)
    shopping = Shopping(standing, await standing.caller(DIRECTOR))
    order = TaskOrder("t", replace(THREE, earlier=Earlier.FRESH))
    await shopping.make(order)
    task, number = await sampling.begin(standing.office, ONE, DIRECTOR)
    async with standing.office.work(ONE, DIRECTOR) as work:
        await tasks.make(work, standing.office, task=task, draw=number, order=order, created_by=DIRECTOR)
        director = await standing.caller(DIRECTOR)
        deleting = asyncio.create_task(asked(tasks.delete, standing.office, director, shopping.tasks[0]))
        while not deleting.done() and not await waiting(standing):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with pytest.raises(Refused, match=f"task {task}, drawn later"):
        await deleting


async def test_52_tries_choose_nothing(standing: Standing) -> None:
    """Once, 52 rounds of create, look, delete gave an agent 3 of 20, and no word of the others."""
    await filled(standing, [101] * 10 + [102] * 190)
    caller = await standing.caller(DIRECTOR)
    samples = set()
    for _ in range(52):
        shopping = Shopping(standing, caller)
        samples.add(tuple(await shopping.make(TaskOrder("t", Conditions(Quantity.CALLS, 20)))))
        await shopping.do("delete", 0, TaskOrder("t", THREE))
    assert len(samples) == 1
    _, certificate = await draw(standing, Conditions(Quantity.CALLS, 20))
    assert certificate.contacts in samples
    assert (certificate.before_in_all, {one.fate for one in certificate.before}) == (52, {"deleted"})


async def test_what_holds_calls_back_from_fresh_samples_is_on_record(standing: Standing) -> None:
    """A sample of fresh calls takes the next of the same order, and released ones come first again."""
    await filled(standing, [101] * 12)
    shopping = Shopping(standing, await standing.caller(DIRECTOR))
    order = TaskOrder("t", replace(THREE, earlier=Earlier.FRESH))
    whole = await shopping.make(TaskOrder("all", Conditions(Quantity.CALLS, 12)))
    await shopping.do("delete", 0, order)
    first, second = await shopping.make(order), await shopping.make(order)
    assert first + second == whole[:6]
    await shopping.do("delete", 2, order)
    await shopping.do("delete", 1, order)
    assert await shopping.make(order) == first
    async with transaction(standing.engine) as connection:
        used = (await draws.of_task(work_of(connection, ONE), shopping.tasks[3]))[1]
        certificate = await draws.certificate(work_of(connection, ONE), used or 0)
    assert isinstance(certificate, Certificate)
    assert [(one.task, one.sample, one.fate) for one in certificate.before] == [
        (shopping.tasks[2], 3, "deleted"),
        (shopping.tasks[1], 3, "deleted"),
        (shopping.tasks[0], 12, "deleted"),
    ]


async def test_another_cap_that_nothing_reaches_draws_nothing(standing: Standing) -> None:
    """`maxNum` absent, then 9999: once, that drew anew and took the inspectors away."""
    await filled(standing, [101] * 6)
    caller = await standing.caller(DIRECTOR)
    for conditions in (Conditions(Quantity.CALLS, 4), Conditions(Quantity.PER_AGENT, 4)):
        task = await asked(tasks.create, standing.office, caller, TaskOrder("t", conditions))
        await standing.contact()
        async with transaction(standing.engine) as connection:
            before = await task_rows.find(work_of(connection, ONE), task)
        for cap, same in ((9999, True), (4, True), (3, False)):
            wanted = replace(conditions, cap=cap)
            await asked(
                tasks.update,
                standing.office,
                caller,
                task,
                lambda held, wanted=wanted: replace(held, conditions=wanted),
            )
            async with transaction(standing.engine) as connection:
                after = await task_rows.find(work_of(connection, ONE), task)
            assert before is not None
            assert after is not None
            assert (after.draw == before.draw, after.conditions) == (same, wanted)
            before = after
