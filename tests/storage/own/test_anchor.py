"""The audit's key: made once, never replaced unasked; heads signed at start, at stop, every day, and kept."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.clock import ManualClock
from sottovoce.domain.audit_chain import SignedHead
from sottovoce.domain.directory import VdnId
from sottovoce.storage import audit, heads
from sottovoce.storage.database import transaction
from sottovoce.storage.own import anchor, heads_file
from sottovoce.storage.own.anchor import KEY_FILE, Anchor, KeyRefused
from sottovoce.storage.signatures import SigningKey, is_true
from sottovoce.tasks import Tasks

ONE, TWO = VdnId(1), VdnId(2)
NOW = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)


async def signed(engine: AsyncEngine, vdn: VdnId = ONE) -> list[SignedHead]:
    async with transaction(engine) as connection:
        return await heads.signed(connection, vdn)


async def test_the_key_is_made_at_the_first_start_for_its_owner_alone(
    two_vdns: AsyncEngine, tmp_path: Path
) -> None:
    first = await anchor.key_of(two_vdns, tmp_path / "new")
    tmp_path = tmp_path / "new"
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    assert (await anchor.key_of(two_vdns, tmp_path)).public == first.public


async def test_a_lost_or_another_key_is_refused(two_vdns: AsyncEngine, tmp_path: Path) -> None:
    signs = await Anchor.open(two_vdns, tmp_path, ManualClock(NOW), None)
    await signs.sign([ONE], "start")
    held = (tmp_path / KEY_FILE).read_bytes()
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(KeyRefused, match="is missing: bring the file back"):
        await anchor.key_of(two_vdns, tmp_path)
    assert not list(tmp_path.iterdir()), "no key is made silently"
    (tmp_path / KEY_FILE).write_bytes(SigningKey.generate().pem())
    with pytest.raises(KeyRefused, match="has the public key"):
        await anchor.key_of(two_vdns, tmp_path)
    (tmp_path / KEY_FILE).write_bytes(b"no key")
    with pytest.raises(KeyRefused, match="no private key"):
        await anchor.key_of(two_vdns, tmp_path)
    (tmp_path / KEY_FILE).write_bytes(held)
    await anchor.key_of(two_vdns, tmp_path)


async def test_another_key_on_record(two_vdns: AsyncEngine, tmp_path: Path) -> None:
    former = await anchor.key_of(two_vdns, tmp_path)
    made = await anchor.renew(two_vdns, tmp_path, NOW, [ONE, TWO])
    assert (await anchor.key_of(two_vdns, tmp_path)).public == made.public
    kept = SigningKey.read((tmp_path / f"{KEY_FILE}.{former.public[:16]}").read_bytes())
    assert kept.public == former.public
    for vdn in (ONE, TWO):
        last = (await audit.read(two_vdns, vdn))[-1]
        assert (last.action, last.detail) == ("audit.key", {"public": made.public, "before": former.public})
        [one] = await signed(two_vdns, vdn)
        assert (one.signature.key, one.signature.occasion) == (made.public, "key")
        assert is_true(vdn, one.head, one.signature)
    (tmp_path / KEY_FILE).write_bytes(b"no key")
    await anchor.renew(two_vdns, tmp_path, NOW, [ONE])
    assert (tmp_path / f"{KEY_FILE}.unreadable").exists()


async def test_heads_are_signed_at_start_every_day_and_at_stop(two_vdns: AsyncEngine, tmp_path: Path) -> None:
    clock, file = ManualClock(NOW), tmp_path / "elsewhere.jsonl"
    signs = await Anchor.open(two_vdns, tmp_path, clock, file)
    await signs.end()
    assert await signed(two_vdns) == [], "nothing began"
    vdns, tasks = [ONE], Tasks()
    await signs.begin(vdns, tasks)
    assert await signs.sign_due() == []
    vdns.append(TWO)
    assert [one.vdn for one in await signs.sign_due()] == [TWO]
    clock.advance(timedelta(minutes=11).total_seconds())
    assert [one.vdn for one in await signs.sign_due()] == [ONE, TWO]
    assert await signs.sign_due() == []
    clock.advance(60)
    await signs.end()
    await tasks.close()
    made = [*await signed(two_vdns, ONE), *await signed(two_vdns, TWO)]
    assert [(one.vdn, one.signature.occasion) for one in made] == [
        (ONE, "start"),
        (ONE, "day"),
        (ONE, "stop"),
        (TWO, "day"),
        (TWO, "day"),
        (TWO, "stop"),
    ]
    assert all(is_true(one.vdn, one.head, one.signature) for one in made)
    kept = heads_file.kept(file)
    assert sorted(kept, key=lambda one: (one.vdn, one.signature.at)) == made


async def test_a_file_that_cannot_be_written_keeps_nothing_from_being_signed(
    two_vdns: AsyncEngine, tmp_path: Path
) -> None:
    signs = await Anchor.open(two_vdns, tmp_path, ManualClock(NOW), tmp_path / "away" / "heads")
    await signs.sign([ONE], "start")
    assert len(await signed(two_vdns)) == 1
    (tmp_path / "away").mkdir()
    await signs.sign([TWO], "start")
    found = heads_file.kept(tmp_path / "away" / "heads")
    assert [one.vdn for one in found] == [ONE, TWO], "what was not kept comes with the next"


async def test_a_file_that_hangs_holds_nothing_up(two_vdns: AsyncEngine, tmp_path: Path) -> None:
    file = tmp_path / "heads"
    os.mkfifo(file)  # opening it hangs like a mount whose machine is gone
    clock, tasks = ManualClock(NOW), Tasks()
    signs = await Anchor.open(two_vdns, tmp_path, clock, file)
    await signs.begin([ONE], tasks)
    clock.advance(1)
    await signs.end()
    await tasks.close()
    assert [one.signature.occasion for one in await signed(two_vdns)] == ["start", "stop"]
    waiting = [thread for thread in threading.enumerate() if thread.name == "audit heads"]
    assert len(waiting) == 1, "a thread that hangs is never joined by another"
    line = await asyncio.to_thread(_read_from, file)
    assert '"occasion":"start"' in line
    assert '"occasion":"stop"' not in line, "it comes with the next heads"
    waiting[0].join()


def _read_from(fifo: Path) -> str:
    with fifo.open() as file:
        return file.readline()


def test_a_line_that_is_no_head_is_named(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    for text in ("{}\n", "nothing\n", '{"vdn": 1}\n'):
        file.write_text(text)
        with pytest.raises(ValueError, match="line 1 is no signed head"):
            heads_file.kept(file)
