"""A process of its own that runs EmbeddedPostgres, for tests that kill it.

`python own_server.py FOLDER`: prints one line of JSON when the server runs, one after each further
line that it reads, and stops at the end of its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sottovoce import logs
from sottovoce.storage.own import postmaster
from sottovoce.storage.own.embedded import EmbeddedPostgres
from sottovoce.storage.own.placement import CannotStart


async def main(folder: Path) -> int:
    logs.configure()
    server = EmbeddedPostgres(folder)
    try:
        dsn = await server.start()
    except CannotStart as failure:
        print(json.dumps({"failure": str(failure)}), flush=True)
        return 1
    while True:
        placement = server.placement
        running = postmaster.recorded(placement.cluster)
        state = {
            "dsn": dsn,
            "pid": running and running[0],
            "owned": server.owned,
            "home": str(placement.home),
            "cluster": str(placement.cluster),
            "uid": placement.account.uid,
        }
        print(json.dumps(state), flush=True)
        if not await asyncio.to_thread(sys.stdin.readline):
            break
    await server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
