"""A server in a process of its own for the gateway's measurements: `python -m tests.bench.standing AGENTS`.

Prints one JSON line with its addresses, and ends when its standard input does. Beside the server runs a bare
one: the same HTTP server with nothing behind it, whose figure the others are set against.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop
from argon2 import PasswordHasher

from sottovoce import app, logs
from sottovoce.config import HttpSettings, LogLevel, LogSettings, MediaSettings, Settings, SipSettings
from sottovoce.http.server import Server
from sottovoce.storage.live import directory
from sottovoce.storage.live.passwords import Passwords
from sottovoce.storage.live.seed import AgentSeed, PhoneSeed, Seed, SeedFile, SkillSeed, VdnSeed
from sottovoce.tasks import Tasks

FIRST_AGENT = 1001
PASSWORD = "bench-password"
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""A cheap hash: password hashing has its own price, by design, and is not what is measured here."""
EMPTY = b'{"message":"","retcode":"0"}'


def seed(agents: int) -> SeedFile:
    """One VDN of so many agents with a phone each; the first may inspect."""
    numbers = range(FIRST_AGENT, FIRST_AGENT + agents)
    vdn = VdnSeed(
        vdn=1,
        name="Bench",
        skills=(SkillSeed(skill=1, name="All"),),
        phones=tuple(PhoneSeed(number=f"8{number}", password=PASSWORD) for number in numbers),
        agents=tuple(
            AgentSeed(
                agent=number, name=f"Agent {number}", password=PASSWORD, phone=f"8{number}", skills=(1,)
            )
            for number in numbers
        ),
    )
    return SeedFile(Seed(vdns=(vdn,)), "bench", {})


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Answers everything with the empty answer."""
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", str(len(EMPTY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": EMPTY})


async def stand(agents: int) -> None:
    logs.configure("error", "console")
    with tempfile.TemporaryDirectory(prefix="sottovoce-bench-") as folder:
        Path(folder).chmod(0o711)  # as root, PostgreSQL runs as another user, who must reach it
        settings = Settings(
            data=Path(folder),
            http=HttpSettings(port=0),
            sip=SipSettings(host="127.0.0.1", port=0),
            media=MediaSettings(host="127.0.0.1", workers=1),
            log=LogSettings(level=LogLevel.ERROR),
        )
        async with app.running(settings) as server:
            tasks = Tasks()
            nothing = Server(bare, HttpSettings(port=0), tasks)
            await nothing.start()
            await directory.import_seed(server.database, seed(agents), Passwords(hasher=QUICK), "bench.local")
            await asyncio.sleep(app.READ_EVERY_S * 2)
            print(
                json.dumps({"port": int(server.http_url.rsplit(":", 1)[1]), "bare": nothing.port}), flush=True
            )
            await asyncio.to_thread(sys.stdin.read)
            await nothing.stop()
            await tasks.close()


if __name__ == "__main__":
    uvloop.run(stand(int(sys.argv[1])))
