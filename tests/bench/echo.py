"""The bare echo: the worker's sockets and calls with nothing between.

Every 20 ms it reads with one `recvmmsg` per port and sends every packet back with one `sendmmsg` per port: as
many ports, and the same number of packets through each, as the worker had. Started by `legs`; the
ports are printed as one line of JSON.
"""

from __future__ import annotations

import json
import select
import sys
import time

import numpy as np

from sottovoce.media.mmsg import Destinations, Inbox, Outbox
from sottovoce.media.sockets import bind_pair

ROWS = 8192
TICK_S = 0.02


def main(ports: int) -> None:
    pairs = [bind_pair("127.0.0.1", 0) for _ in range(ports)]
    ready = select.epoll()
    by_descriptor = {}
    for rtp, _ in pairs:
        ready.register(rtp.fileno(), select.EPOLLIN)
        by_descriptor[rtp.fileno()] = rtp
    inbox, destinations = Inbox(ROWS), Destinations(1)
    destinations.start = inbox.addresses.ctypes.data
    outbox = Outbox(ROWS, destinations)
    every_row = np.arange(ROWS)
    print(json.dumps([rtp.getsockname()[1] for rtp, _ in pairs]), flush=True)
    deadline = time.monotonic()
    while not select.select([0], [], [], max(0.0, deadline - time.monotonic()))[0]:
        deadline += TICK_S
        count = 0
        parts = []
        for descriptor, _ in ready.poll(0, ports):
            rtp = by_descriptor[descriptor]
            got = inbox.receive(rtp, count, 1024)
            parts.append((rtp, count, count + got))
            count += got
        if count:
            outbox.load(inbox.packets, inbox.lengths(count), every_row[:count], every_row[:count])
            for rtp, start, stop in parts:
                outbox.send(rtp, start, stop)


if __name__ == "__main__":
    main(int(sys.argv[1]))
