"""A sample from its seed to its certificate, on PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.standing import DIRECTOR, NOW, ONE, TWO, Standing
from tests.storage.works import work_of

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import VdnId
from sottovoce.domain.drawing import Drawing
from sottovoce.domain.frames import Frame
from sottovoce.domain.people import ReviewId
from sottovoce.domain.reviews import TaskOrder
from sottovoce.domain.sampling import Certificate, Conditions, Drawn, Earlier, Quantity
from sottovoce.domain.verifying import untrue
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain
from sottovoce.quality import sampling, tasks
from sottovoce.quality.sampling import sha256_of
from sottovoce.storage import audit
from sottovoce.storage.database import transaction
from sottovoce.storage.review import draws
from sottovoce.storage.review import tasks as task_rows
from sottovoce.storage.tables import sampling_draws

TASK = ReviewId("1772442000000000001")
THREE = Conditions(Quantity.CALLS, 3)


async def draw(
    standing: Standing,
    conditions: Conditions = THREE,
    task: ReviewId = TASK,
    *,
    number: int | None = None,
    vdn: VdnId = ONE,
    calls_from: datetime | None = None,
) -> tuple[list[Drawn], Certificate]:
    """A sample, committed and kept."""
    office = standing.office
    if number is None:
        _, number = await sampling.commit_seed(office, vdn, DIRECTOR, task)
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
    assert [one.place for one in drawn] == [0, 1, 2]
    assert [one.contact for one in drawn] == list(certificate.drawn)
    assert {one.contact for one in drawn} <= set(contacts)
    assert all(one.agent == 101 + contacts.index(one.contact) % 3 for one in drawn)
    assert {one.began_at for one in drawn} == {NOW - timedelta(days=1)}
    kept = await found(standing, certificate.draw)
    assert kept.frame is not None
    assert Frame.unpack(kept.frame).strata[0].tolist() == contacts
    assert untrue(certificate, Frame.unpack(kept.frame)) == []
    assert (certificate.frame.size, certificate.wanted, certificate.conditions) == (12, 3, THREE)
    assert kept.seed.hex() == certificate.seed


async def test_the_seed_is_committed_in_the_audit_before_the_draw(standing: Standing) -> None:
    await filled(standing, [101] * 5)
    _, number = await sampling.commit_seed(standing.office, ONE, DIRECTOR, TASK)
    (committed,) = await audit.read(standing.engine, ONE)
    standing.clock.advance(5)
    _, certificate = await draw(standing, number=number)
    first, second = await audit.read(standing.engine, ONE)
    assert first == committed
    assert (first.action, first.target, int(first.actor)) == ("sampling.commit", TASK, int(DIRECTOR))
    seed = bytes.fromhex(certificate.seed)
    assert first.detail == {"draw": number, "seed_sha256": hashlib.sha256(seed).hexdigest()}
    assert (second.action, second.target) == ("sampling.draw", TASK)
    assert second.detail == {
        "draw": number,
        "frame_sha256": certificate.frame.sha256,
        "certificate_sha256": sha256_of(certificate),
    }
    assert (certificate.committed_at, certificate.drawn_at) == (NOW, NOW + timedelta(seconds=5))


async def test_two_seeds_are_two_samples(standing: Standing) -> None:
    await filled(standing, [101] * 60)
    samples = {(await draw(standing, Conditions(Quantity.CALLS, 12)))[1].drawn for _ in range(2)}
    assert len(samples) == 2


async def test_a_draw_is_used_once_and_for_its_task_alone(standing: Standing) -> None:
    await filled(standing, [101] * 5)
    other = ReviewId("1772442000000000009")
    _, number = await sampling.commit_seed(standing.office, ONE, DIRECTOR, TASK)
    for refused in ({"task": other}, {"vdn": TWO}):
        with pytest.raises(Refused) as declined:
            await draw(standing, number=number, **refused)  # type: ignore[arg-type]
        assert declined.value.code is Code.WRONG_STATE
    await draw(standing, number=number)
    with pytest.raises(Refused) as declined:
        await draw(standing, number=number)
    assert declined.value.code is Code.WRONG_STATE


async def test_what_ends_after_the_commitment_leaves_the_commitment_alone(standing: Standing) -> None:
    """No contact qualifies, or the server dies: the seed stays visible, and nothing was drawn with it."""
    _, number = await sampling.commit_seed(standing.office, ONE, DIRECTOR, TASK)
    with pytest.raises(Refused) as declined:
        await draw(standing, number=number)
    assert declined.value.code is Code.NOTHING_QUALIFIES
    kept = await found(standing, number)
    assert (kept.drawn_at, kept.frame, kept.certificate) == (None, None, None)
    assert [entry.action for entry in await audit.read(standing.engine, ONE)] == ["sampling.commit"]
    await filled(standing, [101] * 5)
    with pytest.raises(RuntimeError):
        await _dies_before_the_commit(standing, number)
    assert (await found(standing, number)).drawn_at is None
    assert [entry.action for entry in await audit.read(standing.engine, ONE)] == ["sampling.commit"]


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
    with pytest.raises(Refused, match="of the 2 calls looked at") as declined:
        await draw(standing)
    assert declined.value.code is Code.NOTHING_QUALIFIES


async def test_a_contact_that_changed_since_the_frame_is_passed_over(standing: Standing) -> None:
    here = await filled(standing, [101] * 3)
    failed = await standing.contact(status=9)
    frame = Frame.of({0: np.array([*here, failed])})
    drawing = Drawing(frame, bytes(32), Conditions(Quantity.CALLS, 4))
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
    assert kept["version"] == 1
    assert kept["algorithm"] == "sottovoce-sample-1"
    assert kept["conditions"]["quantity"] == "per_agent"
    assert from_plain(Certificate, kept) == certificate
    with pytest.raises(ValueError, match="version is 2"):
        from_plain(Certificate, {**kept, "version": 2})
