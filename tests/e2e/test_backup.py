"""A server that is backed up while it talks, destroyed, and brought back: its calls are heard again."""

from __future__ import annotations

import shutil
import signal
import stat
import wave
from pathlib import Path

import pytest
from tests.e2e.served import Served, at_work, quality, serving
from tests.e2e.test_review import FAR_AHEAD, LONG_AGO, analysed, talk

from sottovoce.client.ccsqm import Sample

pytestmark = pytest.mark.timeout(400)  # some twenty commands, each a process
CALLS = 2


def sounds(folder: Path) -> dict[str, bytes]:
    """The recordings below a folder, without the waveforms that are drawn from them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.wav"))}


def destroy(served: Served) -> None:
    """Lose the data folder, and what root's PostgreSQL keeps elsewhere."""
    for path in (served.folder / "data", *Path("/tmp").glob(f"sottovoce-*{served.folder.name}*")):
        shutil.rmtree(path, ignore_errors=True)
    assert not (served.folder / "data").exists()


async def test_a_destroyed_server_lives_again() -> None:
    async with serving() as served:
        director, inspector = await quality(served)
        backup = str(served.folder / "backup")
        async with director, inspector:
            await talk(served, CALLS)
            calls = await analysed(director, CALLS)
            task = await director.tasks.create("March", Sample(CALLS - 1))
            key = (await served.command("audit", "key")).split()[-1]
            async with at_work(served) as floor, floor.ann.polling():
                call = await floor.talk()
                said = await served.command("backup", backup)
                assert f"1 VDN, {CALLS} contacts, {CALLS + 1} recordings: {CALLS + 1} copied" in said
                call.hang_up()
            before = sounds(served.folder / "data" / "recordings")
            held = sounds(Path(backup) / "recordings")
            assert len(held) == CALLS + 1, "a track for the whisper"
            assert held.items() <= before.items(), "the call that ran is not in it"

            await served.stop(signal.SIGKILL)
            destroy(served)
            said = await served.command("restore", backup)
            assert f"{CALLS} contacts, {CALLS + 1} recordings (0 there already)" in said
            await served.start()
            listed = (await director.calls.details(LONG_AGO, FAR_AHEAD)).calls
            assert set(calls) < set(listed), "read as before, by the app key of before"
            assert len(listed) == CALLS + 1, "what ran then ended with the server, on record"
            assert sounds(served.folder / "data" / "recordings") == held, "heard as before"
            for path in (served.folder / "data" / "recordings").rglob("*-101-*.wav"):
                with wave.open(str(path)) as recording:
                    assert recording.getnframes() > 4000
            assert (await director.tasks.query(LONG_AGO, FAR_AHEAD)).tasks[0].task == task
            assert "PASS" in await served.command("sampling", "verify", task)
            assert (await served.command("audit", "key")).split()[-1] == key
            said = await served.command("audit", "verify", "--recordings", "--key", key)
            assert "VDN 1: PASS" in said
            assert f"{CALLS + 1} recordings with the very bytes" in said, "the track, too"
            assert "database.restore" in await served.command(
                "audit", "show", "--vdn", "1", "--limit", "10000"
            )
            await talk(served, 1)
            said = await served.command("backup", backup)
            assert f"{CALLS + 2} contacts, {CALLS + 3} recordings: 2 copied, {CALLS + 1} there" in said
            assert "never whole: 1 recording or" in said, "of the call that ran"
            assert await served.stop() == 0
        private = [path for path in Path(backup).rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077]
        assert private == [], "for its owner alone"
