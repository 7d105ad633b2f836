"""Hearing recordings: on record once with its purpose, within the right, and never a file elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.sounds import stereo, tone, write
from tests.quality.standing import (
    ANN,
    BEN,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    NOW,
    ONE,
    PLAIN,
    SECOND,
    TABLE_LEADER,
    TWO,
    Standing,
)

from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import UNFINISHED
from sottovoce.domain.people import UserId
from sottovoce.domain.playbacks import LASTS, TALK, Playback
from sottovoce.errors import Code, Refused
from sottovoce.quality import playback
from sottovoce.quality.playback import SoundFile
from sottovoce.storage import audit
from sottovoce.storage.review import users
from sottovoce.storage.tables import contacts

FIRST = UUID(int=1)


async def begin(
    standing: Standing, by: UserId = INSPECTOR, contact: UUID = FIRST, vdn: VdnId = ONE, **given: str
) -> Playback:
    wanted = {"purpose": "review", **given}
    caller = await standing.caller(by, vdn)
    made: Playback = await asked(playback.begin, standing.office, caller, contact, **wanted)
    return made


async def sound(standing: Standing, begun: UUID, by: UserId = INSPECTOR, vdn: VdnId = ONE) -> SoundFile:
    caller = await standing.caller(by, vdn)
    found: SoundFile = await asked(playback.sound, standing.office, caller, begun)
    return found


async def waveform(standing: Standing, contact: UUID = FIRST, **given: str) -> SoundFile:
    caller = await standing.caller(INSPECTOR)
    found: SoundFile = await asked(playback.waveform, standing.office, caller, contact, **given)
    return found


async def declined(code: Code, asking: Any, why: str = "") -> None:
    with pytest.raises(Refused) as refusal:
        await asking
    assert (refusal.value.code, why in refusal.value.why) == (code, True), refusal.value


async def played(standing: Standing) -> list[tuple[int, str, dict[str, Any]]]:
    entries = await audit.read(standing.engine, ONE)
    return [
        (int(one.actor), one.target, dict(one.detail)) for one in entries if one.action == "recording.play"
    ]


async def test_a_playback_is_on_record_once_however_often_it_is_read(standing: Standing) -> None:
    contact = await standing.contact()
    wav = write(standing.office.recordings / "call-1.wav", stereo(tone(1), tone(1)))
    begun = await begin(standing, purpose=" complaint 4711 ")
    for _ in range(3):
        found = await sound(standing, begun.playback)
        assert (found.path, found.state.st_size) == (wav.resolve(), wav.stat().st_size)
    told = {
        "contact": contact,
        "track": TALK,
        "purpose": "complaint 4711",
        "playback": str(begun.playback),
    }
    assert await played(standing) == [(int(INSPECTOR), "101", told)]
    await begin(standing)
    assert len(await played(standing)) == 2


async def test_a_playback_is_its_user_s_and_ends(standing: Standing) -> None:
    await standing.contact()
    begun = (await begin(standing)).playback
    for by, vdn in ((SECOND, ONE), (DIRECTOR, ONE), (FOREIGN, TWO)):
        await declined(Code.NOT_FOUND, sound(standing, begun, by, vdn), "no such playback")
    await declined(Code.NOT_FOUND, sound(standing, uuid4()))
    standing.clock.advance(LASTS.total_seconds())
    await sound(standing, begun)
    standing.clock.advance(1)
    await declined(Code.WRONG_STATE, sound(standing, begun), "begin another")


async def test_who_may_hear_whom(standing: Standing) -> None:
    await standing.contact(101)
    await standing.contact(103)
    await standing.contact(201, vdn=TWO)
    for by, number, heard in (
        (DIRECTOR, 2, True),
        (TABLE_LEADER, 1, True),
        (TABLE_LEADER, 2, False),
        (ANN, 1, True),
        (BEN, 1, False),
        (DIRECTOR, 3, False),
        (DIRECTOR, 9, False),
    ):
        asking = begin(standing, by, UUID(int=number))
        if heard:
            await asking
        else:
            await declined(Code.NOT_FOUND, asking, "there is no such call")
    await declined(Code.NO_RIGHT, begin(standing, PLAIN))
    assert len(await played(standing)) == 3


async def test_a_right_that_is_gone_ends_the_playback(standing: Standing) -> None:
    await standing.contact(102)
    begun = (await begin(standing, BEN)).playback
    await sound(standing, begun, BEN)
    async with standing.engine.begin() as connection:
        await users.set_roles(connection, BEN, [], NOW)
    await declined(Code.NO_RIGHT, sound(standing, begun, BEN))


@pytest.mark.parametrize("purpose", ["", "  ", "x" * 257])
async def test_nobody_hears_without_a_purpose(standing: Standing, purpose: str) -> None:
    await standing.contact()
    await declined(Code.BAD_PARAMETER, begin(standing, purpose=purpose), "1 to 256 characters")
    assert await played(standing) == []


async def test_an_inspector_s_track_is_named_by_their_number(standing: Standing) -> None:
    await standing.contact(tracks={"300": "whispered.wav"})
    write(standing.office.recordings / "whispered.wav", tone(1))
    begun = await begin(standing, track="300")
    assert (await sound(standing, begun.playback)).path.name == "whispered.wav"
    for track in ("301", "", "../call-1.wav", "whispered.wav"):
        await declined(Code.NOT_FOUND, begin(standing, track=track), "no such recording")


@pytest.mark.parametrize(
    ("recording", "why"),
    [
        ("../outside.wav", "leads out"),
        ("/etc/passwd", "leads out"),
        ("link.wav", "leads out"),
        ("loop.wav", "cannot be"),
        ("sub", "it is no file"),
        ("gone.wav", "No such file"),
        (None, "no such recording"),
    ],
)
async def test_no_file_elsewhere_and_none_that_is_gone(
    standing: Standing, recording: str | None, why: str
) -> None:
    folder = standing.office.recordings
    outside = folder.parent / "outside.wav"
    outside.write_bytes(b"secret")
    (folder / "link.wav").symlink_to(outside)
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    (folder / "sub").mkdir()
    await standing.contact(recording=None)
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(contacts).values(recording=recording))
    await declined(Code.NOT_FOUND, begin(standing), why)
    await declined(Code.NOT_FOUND, waveform(standing), why)
    assert await played(standing) == []


async def test_what_is_still_recorded_is_not_heard_yet(standing: Standing) -> None:
    await standing.contact()
    wav = standing.office.recordings / "call-1.wav"
    wav.unlink()
    wav.with_name(wav.name + UNFINISHED).touch()
    await declined(Code.WRONG_STATE, begin(standing), "still being recorded")


async def test_peaks_are_made_once_for_all_who_ask_at_once(standing: Standing) -> None:
    await standing.contact(tracks={"300": "whispered.wav"})
    folder = standing.office.recordings
    write(folder / "call-1.wav", stereo(tone(1), tone(2)))
    write(folder / "whispered.wav", tone(1))
    found = await asyncio.gather(*(waveform(standing) for _ in range(3)))
    assert {one.path.name for one in found} == {"call-1.wav.peaks"}
    assert len({one.state.st_ino for one in found}) == 1
    assert found[0].state.st_size == 24 + 100 * 2 * 2
    assert (await waveform(standing, track="300")).state.st_size == 24 + 50 * 2
    assert await played(standing) == [], "nothing was heard"


async def test_what_has_no_peaks_says_why(standing: Standing) -> None:
    await standing.contact()
    (standing.office.recordings / "call-1.wav").write_bytes(b"RIFF")
    await declined(Code.NOT_FOUND, waveform(standing), "no WAV")
