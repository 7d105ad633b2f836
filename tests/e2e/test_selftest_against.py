"""`sottovoce selftest --against`: the same walk at a server that runs already, with its own test agents."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from tests.e2e.served import ACCESS_CODE, LOOPBACK, OUTSIDE, SECRET, free_port, serving

from sottovoce.selftest.steps import WALK

pytestmark = pytest.mark.timeout(400)
MEDIA_TIMEOUT_S = 3


def stage_file(folder: Path, sip_port: int) -> Path:
    """Who takes part: agents of `served.SEED`; the customer calls from the trunk's network."""
    path = folder / "stage.yaml"
    seat = 'password: "{0}", phone: "{1}", sip_password: "{0}"'
    path.write_text(
        f'http: "{LOOPBACK}:1"\n'
        f'sip: "{LOOPBACK}:{sip_port}"\n'
        f'access_code: "{ACCESS_CODE}"\n'
        f"inspector: {{agent: 102, {seat.format(SECRET, '8102')}}}\n"
        f"agent: {{agent: 101, {seat.format(SECRET, '8101')}}}\n"
        f"colleague: {{agent: 104, {seat.format(SECRET, '8104')}}}\n"
        f"customer_host: {OUTSIDE}\n"
        f"media_timeout: {MEDIA_TIMEOUT_S}\n"
    )
    return path


async def selftest(url: str, stage: Path) -> tuple[int, str]:
    """Exit code and standard output of the command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sottovoce", "selftest", "--json"),
        *("--against", url, "--stage", str(stage)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_running_server_is_right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOTTOVOCE_MEDIA__TIMEOUT", str(MEDIA_TIMEOUT_S))
    async with serving() as served:
        code, said = await selftest(served.url, stage_file(tmp_path, served.sip_port))
    document = json.loads(said)
    assert (code, document["right"], document["failure"]) == (0, True, None)
    assert [step["name"] for step in document["steps"]] == [step.name for step in WALK]
    assert all(step["right"] and len(step["cells"]) == 12 for step in document["steps"])
    assert document["same_bytes"]["differing"] == 0
    assert document["delays"]["missed"] == 0
    assert all(document[part]["right"] for part in ("same_bytes", "delays", "path", "echo"))


async def test_a_server_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    nowhere = free_port(socket.SOCK_STREAM)
    code, said = await selftest(f"http://{LOOPBACK}:{nowhere}", stage_file(tmp_path, nowhere))
    document = json.loads(said)
    assert (code, document["right"], document["steps"]) == (1, False, [])
    assert document["failure"]
