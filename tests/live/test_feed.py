"""The long poll: nothing is lost, doubled or reordered (design, decision 17)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.live.picture import Picture

from sottovoce.config import AgentSettings
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.events import AgentReady, AgentSetBusy
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Refused
from sottovoce.live.feed import Feed, Overflowed
from sottovoce.live.handling import Hold, TakeBack
from sottovoce.live.state import LiveSettings

A, I = AgentId(101), AgentId(300)  # noqa: E741
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def feed():
    made = Feed(capacity=3)
    made.open(A)
    return made


def offer(feed, *reasons):
    for reason in reasons:
        feed.offer(AgentSetBusy(A, reason), AT)


async def take(feed, wait=0.0):
    queued = await feed.next(A, wait)
    if queued is not None:
        feed.delivered(A, queued.id)
        return queued.event.reason
    return None


async def test_one_event_per_poll_oldest_first(feed):
    offer(feed, 1, 2, 3)
    assert [await take(feed) for _ in range(4)] == [1, 2, 3, None]


async def test_ids_increase_over_sessions(feed):
    offer(feed, 1)
    first = (await feed.next(A, 0)).id
    feed.open(A)
    offer(feed, 2)
    second = await feed.next(A, 0)
    assert second.id == first + 1
    feed.delivered(A, first)
    assert (await feed.next(A, 0)).id == second.id


async def test_a_hanging_poll_gets_what_comes(feed):
    poll = asyncio.ensure_future(take(feed, 5))
    await asyncio.sleep(0)
    assert feed.polling(A)
    offer(feed, 7)
    assert await poll == 7
    assert not feed.polling(A)


async def test_a_second_poll_ends_the_first_at_once(feed):
    first = asyncio.ensure_future(take(feed, 5))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(take(feed, 5))
    assert await first is None
    offer(feed, 1)
    assert await second == 1


async def test_a_second_poll_that_meets_an_event_on_its_way_to_the_first(feed):
    first = asyncio.ensure_future(take(feed, 5))
    await asyncio.sleep(0)
    offer(feed, 1)
    second = asyncio.ensure_future(take(feed, 0))
    assert {await first, await second} == {None, 1}
    assert await take(feed) is None


async def test_a_poll_whose_client_has_gone_takes_none(feed):
    poll = asyncio.ensure_future(take(feed, 5))
    await asyncio.sleep(0)
    offer(feed, 1)
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    assert await take(feed) == 1


async def test_an_event_leaves_only_when_its_answer_is_written(feed):
    offer(feed, 1, 2)
    queued = await feed.next(A, 0)
    feed.returned(A, queued.id)
    assert (await feed.next(A, 0)).id == queued.id
    feed.delivered(A, queued.id)
    feed.delivered(A, queued.id)
    assert await take(feed) == 2


async def test_while_one_answer_is_written_another_poll_waits_for_its_fate(feed):
    offer(feed, 1, 2)
    writing = await feed.next(A, 0)
    second = asyncio.ensure_future(feed.next(A, 5))
    await asyncio.sleep(0)
    assert not second.done()
    feed.delivered(A, writing.id)
    assert (await second).event.reason == 2


async def test_a_full_queue_drops_its_oldest(feed):
    offer(feed, 1, 2, 3, 4)
    assert [await take(feed) for _ in range(4)] == [2, 3, 4, None]


async def test_a_poll_goes_on_with_the_newest_and_the_loss_is_counted(feed):
    offer(feed, 1, 2, 3, 4, 5)
    assert feed.dropped == 2
    assert (await feed.next(A, 0)).id == 3


async def test_a_reader_is_told_of_the_gap_until_it_took_a_snapshot(feed):
    offer(feed, 1, 2, 3, 4, 5)
    assert await feed.read(A, 0) == Overflowed(2)
    offer(feed, 6)
    assert await feed.read(A, 5) == Overflowed(3)
    assert feed.empty(A) == 6
    assert await feed.read(A, 0) is None
    offer(feed, 7)
    assert (await feed.read(A, 0)).event.reason == 7


async def test_a_reader_that_hangs_while_the_queue_overflows_gets_nothing_past_the_gap(feed):
    reading = asyncio.ensure_future(feed.read(A, 5))
    await asyncio.sleep(0)
    offer(feed, 1, 2, 3, 4)
    assert await reading == Overflowed(1)
    poll = asyncio.ensure_future(feed.next(A, 5))
    await asyncio.sleep(0)
    assert poll.done()  # the event was given back: nobody waits for its fate
    assert poll.result().event.reason == 2


async def test_a_reader_of_an_empty_queue_with_a_gap_is_told_at_once(feed):
    offer(feed, 1, 2, 3, 4)
    assert [await take(feed) for _ in range(3)] == [2, 3, 4]
    reading = asyncio.ensure_future(feed.read(A, 5))
    for _ in range(3):
        await asyncio.sleep(0.001)
    assert reading.done()
    assert reading.result() == Overflowed(1)


async def test_emptying(feed):
    offer(feed, 1, 2)
    assert feed.empty(A) == 2
    assert await take(feed) is None


async def test_after_sign_out_a_hanging_poll_still_gets_the_last_word(feed):
    poll = asyncio.ensure_future(feed.next(A, 5))
    await asyncio.sleep(0)
    offer(feed, 9)
    feed.close(A)
    assert (await poll).event.reason == 9
    with pytest.raises(Refused):
        await feed.next(A, 0)


async def test_after_sign_out_an_empty_poll_ends(feed):
    poll = asyncio.ensure_future(feed.next(A, 5))
    await asyncio.sleep(0)
    feed.close(A)
    assert await poll is None
    feed.offer(AgentReady(A), AT)
    feed.delivered(A, 1)
    feed.returned(A, 1)
    assert feed.empty(A) == 0


async def test_a_snapshot_and_the_events_after_an_overflow_are_a_fresh_snapshot(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(events_limit=10)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, 300, release_phone=False)
    known, overflows = Picture.of(await stage.desk.snapshot(A)), 0

    async def follow():
        nonlocal known, overflows
        await stage.quiet()
        while (told := await stage.desk.feed.read(A, 0)) is not None:
            if isinstance(told, Overflowed):
                known, overflows = Picture.of(await stage.desk.snapshot(A)), overflows + 1
            else:
                known.learn(told.event)
                stage.desk.feed.delivered(A, told.id)

    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    for _ in range(8):  # a client that is away meanwhile
        await stage.desk.ask(Hold(A))
        await stage.desk.ask(TakeBack(A))
    await follow()
    await stage.desk.ask(Hold(A))
    await stage.desk.stop(I, A)
    await follow()
    fresh = Picture.of(await stage.desk.snapshot(A))
    assert overflows == 1
    assert (known.state, known.call, known.held, known.inspectors) == (
        fresh.state,
        fresh.call,
        fresh.held,
        fresh.inspectors,
    )
    assert (fresh.state, fresh.held, fresh.inspectors) == (AgentState.TALKING, True, set())
    await stage.desk.close()
    await stage.tasks.close()
