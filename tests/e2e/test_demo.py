"""The demo as a process: it proves itself, its lines work as printed, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

pytestmark = pytest.mark.timeout(300)
_MAIN = (
    "import sys; from sottovoce.demo.run import main; sys.exit(main(agents=2, prove=sys.argv[1] == 'prove'))"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """The demo's temporary folder: reachable for the user that PostgreSQL runs as when we are root."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


async def start(folder: Path, how: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _MAIN,
        how,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
    )


async def lines_until(process: asyncio.subprocess.Process, pattern: str) -> list[str]:
    """What it prints, up to a line that matches."""
    assert process.stdout is not None
    found: list[str] = []
    async with asyncio.timeout(120):
        while line := (await process.stdout.readline()).decode():
            found.append(line.rstrip())
            if re.search(pattern, line):
                return found
    raise AssertionError(f"the demo ended before {pattern!r}: {found}")


def to_paste(printed: list[str]) -> list[str]:
    """The lines of the file that is named, which is for its owner alone."""
    [file] = [Path(line.split()[1]) for line in printed if line.startswith("    cat ")]
    assert file.parent.stat().st_mode & 0o077 == 0
    return file.read_text().splitlines()


async def test_demo_proves_itself(folder: Path) -> None:
    process = await start(folder, "prove")
    assert process.stdout is not None
    output = (await process.stdout.read()).decode()
    assert await process.wait() == 0, output
    assert "everything was heard as it should be" in output
    assert "agent hears customer, inspector" in output
    assert "{'resultCode': '0409000', 'resultDesc': 'Operation successful.'}   right" in output
    assert list(folder.iterdir()) == []


async def test_lines_work_as_printed_and_nothing_is_left(folder: Path) -> None:
    process = await start(folder, "show")
    printed = await lines_until(process, "agent 101 talking with")
    commands = [shlex.split(line) for line in to_paste(printed) if line.startswith(("curl ", "GUID="))]
    async with httpx.AsyncClient(trust_env=False) as client:
        guid = await sign_in(client, commands[0])
        for command in commands[1:4]:
            url = httpx.URL(command[-1])
            answer = await client.request(command[command.index("-X") + 1], url, headers={"Guid": guid})
            assert answer.json()["retcode"] == "0", command
    await lines_until(process, "inspector 301 listens")
    await ends(process, folder, signal.SIGINT)
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url.copy_with(path="/", query=None))


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_a_review_task_by_pasted_lines(folder: Path) -> None:
    process = await start(folder, "show")
    lines = to_paste(await lines_until(process, r"afterwards: contacts .* plan ran 1"))
    begin = lines.index("# a token for the app key")
    pasted = [line for line in lines[begin:] if line and not line.startswith("#")]
    shell = await asyncio.create_subprocess_exec(
        "sh", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await shell.communicate("".join(f"{line}; echo\n" for line in pasted).encode())
    lines = [line for line in output.decode().splitlines() if line]
    token, task, appointed, item, completed, terminated = lines
    assert len(token) > 20
    assert re.fullmatch(r"[0-9]{18,20}", task)
    assert re.fullmatch(r"[0-9]{18,20} [0-9]+", item)
    done = '{"resultCode":"0409000","resultDesc":"Operation successful."}'
    assert [appointed, completed, terminated] == [done] * 3
    await lines_until(process, r"review tasks 2, inspected 1 of 4")
    await ends(process, folder, signal.SIGTERM)


async def ends(process: asyncio.subprocess.Process, folder: Path, number: signal.Signals) -> None:
    """It is told to end, and leaves neither a process nor a file."""
    family = psutil.Process(process.pid).children(recursive=True)
    assert family
    process.send_signal(number)
    assert process.stdout is not None
    await process.stdout.read()
    assert await process.wait() == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert list(folder.iterdir()) == []


async def sign_in(client: httpx.AsyncClient, words: list[str]) -> str:
    """What the first line does with curl and sed."""
    joined = words[0].removeprefix("GUID=$(") if words[0] != "GUID=$(curl" else "curl"
    assert joined == "curl"
    url = next(word for word in words if "/forcelogin" in word)
    body = words[words.index("-d") + 1]
    answer = await client.put(url, content=body, headers={"Content-Type": "application/json"})
    return answer.headers["Set-GUID"].removeprefix("JSESSIONID=")
