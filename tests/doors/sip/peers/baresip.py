"""baresip (Debian, 1.0) as a phone: its configuration, its process, and what it says.

Its pitfalls: `net_interface` takes an address, not `lo`; the source must be 8 kHz (a WAV by
`aufile`), or the 200 is never sent; it falls silent at the file's end; `aufile` plays nothing, so
what is heard is taken from the filter `sndfile`, which writes it into `snd_path`, and `aubridge`
takes the sound; `stdio` wants a terminal, `cons` takes keys by UDP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from tests.doors.sip.peers.harness import DOMAIN, HOST, LIMIT_S, PASSWORD, free_port

from sottovoce.doors.sip.hops import Transport
from sottovoce.tasks import Tasks

MODULES = ["g711", "aufile", "aubridge", "sndfile"]
SPEAKS_S = 120
"""How long it speaks, and lives."""
CONFIG = """\
poll_method epoll
sip_listen {host}:0
call_local_timeout 60
call_max_calls 4
audio_source aufile,{folder}/speaks.wav
audio_player aubridge,heard
audio_alert aubridge,rings
snd_path {folder}
audio_srate 8000-8000
ausrc_srate 8000
auplay_srate 8000
audio_channels 1-1
rtp_ports 20000-60000
rtp_stats no
net_interface {host}
module_path /usr/lib/baresip/modules
{modules}
module_tmp account.so
module_app menu.so
module_app cons.so
cons_listen {host}:{console}
"""
ACCOUNT = (
    "<sip:{user}@{domain};transport={transport}>;auth_user={user};auth_pass={password};"
    'outbound="sip:{host}:{port};transport={transport}";answermode={answermode};regint=60;'
    "audio_codecs=pcma,pcmu\n"
)


@dataclass
class Baresip:
    """A running baresip."""

    process: asyncio.subprocess.Process
    console: int
    folder: Path
    said: list[str] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(line.decode(errors="replace").rstrip())
            self._more.set()

    async def says(self, text: str) -> None:
        """Wait until it says something that contains `text`."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not any(text in line for line in self.said):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            pytest.fail(f"baresip never said {text!r} but\n" + "\n".join(self.said[-80:]))

    def heard(self) -> list[Path]:
        """What each of its calls heard (WAV, 8 kHz, one channel), whole once the call is over."""
        return sorted(self.folder.glob("dump-*-dec.wav"))

    def types(self, command: str) -> None:
        """Type into its console, which listens on UDP."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(command.encode(), (HOST, self.console))


@asynccontextmanager
async def baresip(
    folder: Path,
    user: str,
    port: int,
    transport: Transport,
    *,
    answermode: str = "auto",
    password: str = PASSWORD,
    domain: str = DOMAIN,
    hz: int = 440,
) -> AsyncIterator[Baresip]:
    """A phone with that account, registered at our `port`, that says a tone of `hz`."""
    second = (8000 * np.sin(np.arange(8000) * 2 * np.pi * hz / 8000)).astype("<i2")
    with wave.open(str(folder / "speaks.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(second.tobytes() * SPEAKS_S)
    console = free_port(Transport.UDP)
    modules = "\n".join(f"module {name}.so" for name in MODULES)
    (folder / "config").write_text(CONFIG.format(host=HOST, folder=folder, modules=modules, console=console))
    account = ACCOUNT.format(
        user=user,
        domain=domain,
        password=password,
        host=HOST,
        port=port,
        transport=transport.name.lower(),
        answermode=answermode,
    )
    (folder / "accounts").write_text(account)
    (folder / "contacts").write_text("")
    process = await asyncio.create_subprocess_exec(
        "baresip",
        "-f",
        str(folder),
        "-s",
        "-t",
        str(SPEAKS_S),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    phone = Baresip(process, console, folder)
    tasks = Tasks()
    tasks.spawn(phone.listen(), name="baresip listens")
    try:
        yield phone
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await tasks.close()
