"""The analysis of contacts, and who may see which of them."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.sounds import RATE, line, silence, stereo, write
from tests.quality.standing import (
    ANN,
    BEN,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    NOW,
    ONE,
    PLAIN,
    TABLE_LEADER,
    TWO,
    Standing,
)
from tests.storage.works import work_of

from sottovoce.domain.contacts import Contact, Inspection, Search
from sottovoce.domain.people import UserId
from sottovoce.errors import Code, Refused
from sottovoce.quality import contacts
from sottovoce.quality.recordings import StillRecording
from sottovoce.storage import audit
from sottovoce.storage.review import contacts as rows
from sottovoce.storage.tables import contacts as table


async def kept(standing: Standing, contact: int) -> Contact:
    async with standing.engine.begin() as connection:
        found = await rows.find(work_of(connection, ONE), contact)
    assert found is not None
    return found


async def test_a_known_recording_gives_the_known_ratio(standing: Standing) -> None:
    contact = await standing.contact()
    words = line("customer-1")
    sound = stereo(np.concatenate((silence(3), words, silence(4))), silence(1))
    write(standing.office.recordings / f"call-{1}.wav", sound)
    found = await contacts.analyse(standing.office, ONE, contact)
    assert found == await kept(standing, contact)
    assert (found.status, found.analysed_at) == (Inspection.SUCCESS, NOW)
    assert found.analysis.customer is not None
    assert found.analysis.agent is not None
    assert found.analysis.customer.speech_ratio == pytest.approx(len(words) / len(sound), abs=0.03)
    assert found.analysis.agent.speech_ratio == 0
    assert found.analysis.agent.silence_s == pytest.approx(len(sound) / RATE, abs=0.001)
    assert found.analysis.silence_s == pytest.approx(7, abs=0.5)


@pytest.mark.parametrize(
    ("recording", "why"),
    [
        ("call-1.wav", "no WAV"),
        ("away/x.wav", "cannot be read"),
        (None, "no recording"),
        ("../..", "no file"),
    ],
)
async def test_a_recording_that_cannot_be_used(standing: Standing, recording: str | None, why: str) -> None:
    contact = await standing.contact()
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(table).values(recording=recording))
    found = await contacts.analyse(standing.office, ONE, contact)
    assert found == await kept(standing, contact)
    assert (found.status, found.analysed_at) == (Inspection.BAD_RECORDING, NOW)
    assert why in found.analysis.failure


async def test_a_recording_not_closed_yet_is_tried_again(standing: Standing) -> None:
    contact = await standing.contact(recording=None)
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(table).values(recording="open.wav"))
    part = standing.office.recordings / "open.wav.part"
    part.touch()
    with pytest.raises(StillRecording):
        await contacts.analyse(standing.office, ONE, contact)
    assert (await kept(standing, contact)).status is Inspection.IN_PROGRESS
    part.unlink()
    write(standing.office.recordings / "open.wav", silence(2))
    found = await contacts.analyse(standing.office, ONE, contact)
    assert found is not None
    assert found.status is Inspection.SUCCESS
    assert found.analysis.mixed is not None


async def test_a_recording_without_a_digest_gets_it_with_its_analysis(standing: Standing) -> None:
    """A crash that cut it off, or its age, left it without one. Once taken, it stays."""
    contact = await standing.contact(tracks={"102": "call-1.102.wav", "103": "gone.wav"})
    path = write(standing.office.recordings / "call-1.wav", silence(2))
    track = write(standing.office.recordings / "call-1.102.wav", silence(1))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    found = await contacts.analyse(standing.office, ONE, contact)
    assert found is not None
    assert found.recording_sha256 == digest
    assert found.tracks_sha256 == {"102": hashlib.sha256(track.read_bytes()).hexdigest()}
    write(path, silence(3))
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(table).values(analysed_at=None))
    again = await contacts.analyse(standing.office, ONE, contact)
    assert again is not None
    assert again.recording_sha256 == digest
    told = [one for one in await audit.read(standing.engine, ONE) if one.action == "recording.finished"]
    assert [(one.target, one.detail["sha256"]) for one in told] == [(str(found.uuid), digest)]


async def test_an_analysis_once_done_stays(standing: Standing) -> None:
    contact = await standing.contact()
    write(standing.office.recordings / "call-1.wav", silence(2))
    first = await contacts.analyse(standing.office, ONE, contact)
    (standing.office.recordings / "call-1.wav").unlink()
    assert await contacts.analyse(standing.office, ONE, contact) == first


async def test_unknown_and_foreign_contacts_are_nothing(standing: Standing) -> None:
    contact = await standing.contact()
    assert await contacts.analyse(standing.office, TWO, contact) is None
    assert await contacts.analyse(standing.office, ONE, contact + 1) is None


async def test_an_analysis_that_is_cancelled_ends(standing: Standing) -> None:
    contact = await standing.contact()
    write(standing.office.recordings / "call-1.wav", np.tile(line("agent-1"), 400))
    work = asyncio.ensure_future(contacts.analyse(standing.office, ONE, contact))
    while (await kept(standing, contact)).status is Inspection.WAITING:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    other = await standing.contact()
    write(standing.office.recordings / "call-2.wav", silence(1))
    assert (await contacts.analyse(standing.office, ONE, other)) is not None, "the thread is free again"


REACH: dict[UserId, list[int | None]] = {
    DIRECTOR: [101, 102, 103, None],
    INSPECTOR: [101, 102, 103, None],
    TABLE_LEADER: [101, 102],
    ANN: [101],
}


async def test_how_far_each_role_sees(standing: Standing) -> None:
    for agent in (101, 102, 103, None):
        await standing.contact(agent)
    await standing.contact(201, vdn=TWO)
    for user, agents in REACH.items():
        caller = await standing.caller(user)
        total, found = await asked(contacts.search, standing.office, caller, Search(), page=1, limit=10)
        assert total == len(agents)
        assert {shown.contact.agent for shown in found} == set(agents)
        for number, agent in enumerate((101, 102, 103, None, 201), 1):
            if agent in agents:
                shown = await asked(contacts.show, standing.office, caller, UUID(int=number))
                assert shown.contact.agent == agent
            else:
                with pytest.raises(Refused) as refused:
                    await asked(contacts.show, standing.office, caller, UUID(int=number))
                assert refused.value.code is Code.NOT_FOUND
    foreign = await standing.caller(FOREIGN, TWO)
    assert (await asked(contacts.search, standing.office, foreign, Search(), page=1, limit=10))[0] == 1
    with pytest.raises(Refused) as refused:
        await asked(
            contacts.search, standing.office, await standing.caller(PLAIN), Search(), page=1, limit=10
        )
    assert refused.value.code is Code.NO_RIGHT


async def test_staff_narrows_the_reach_and_never_widens_it(standing: Standing) -> None:
    for agent in (101, 102, 103):
        await standing.contact(agent)

    async def found(user: UserId, staff: UserId) -> list[tuple[str | None, str]]:
        caller = await standing.caller(user)
        _, shown = await asked(
            contacts.search, standing.office, caller, Search(), page=1, limit=10, staff=staff
        )
        return [(one.user, one.name) for one in shown]

    assert await found(DIRECTOR, BEN) == [(BEN, "Ben")]
    assert await found(ANN, BEN) == []
    assert await found(DIRECTOR, INSPECTOR) == []
    assert await found(DIRECTOR, UserId("999")) == []


async def test_what_a_crash_ended_was_as_long_as_its_recording(standing: Standing) -> None:
    """Wherever the folder of recordings lies by then."""
    contact = await standing.contact(reason="interrupted", duration_s=999)
    moved = standing.office.recordings / "elsewhere"
    write(moved / "call-1.wav", silence(2.5))
    office = dataclasses.replace(standing.office, recordings=moved)
    found = await contacts.analyse(office, ONE, contact)
    assert found is not None
    assert (found.duration_ms, found.ended_at - found.began_at) == (2500, timedelta(seconds=2.5))
