"""The load: hundreds of phones in one process, each with an IP of its own in 127.0.0.0/8.

A few sockets serve all of them: the source address of each packet is named by IP_PKTINFO (ip(7)),
so that sending takes a handful of `sendmmsg` calls. Started by `legs`; lines of JSON on standard
input say where each leg sends from now on, the first line out says at which addresses they listen.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time

import numpy as np

from sottovoce.domain.legs import Codec
from sottovoce.media.codecs import encode
from sottovoce.media.mmsg import Destinations, Inbox, Outbox
from sottovoce.media.ports_pool import source_key

LEGS_PER_SOCKET = 30
PHASES = 4
TICK_S = 0.02
TONES_HZ = (400, 650, 1100)
"""Customer, agent, inspector: bin centres of a 20 ms frame, harmonically unrelated."""
_IP_PKTINFO = 8
_CONTROL = 32


def host(leg: int) -> str:
    """The address of a leg's phone."""
    return f"127.1.{leg // 250}.{leg % 250 + 1}"


def tone(hertz: int, peak: int = 8000) -> np.ndarray:
    """One frame of a tone that continues seamlessly in the next frame, as PCMU."""
    samples = (peak * np.sin(2 * np.pi * hertz * np.arange(160) / 8000)).astype(np.int16)
    return encode(samples, Codec.PCMU)


class Phones:
    """The legs, and how many packets went and came."""

    def __init__(self, legs: int) -> None:
        self.sockets = []
        for _ in range(-(-legs // LEGS_PER_SOCKET)):
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            opened.bind(("0.0.0.0", 0))
            self.sockets.append(opened)
        self.legs = legs
        self.destinations = Destinations(legs)
        self.inbox = Inbox(2048, 192)
        self.outboxes = [Outbox(legs, self.destinations) for _ in range(PHASES)]
        self.control = np.zeros((legs, _CONTROL), np.uint8)
        for leg in range(legs):
            cmsg = struct.pack(
                "=QiiI4s4s", 28, socket.IPPROTO_IP, _IP_PKTINFO, 0, socket.inet_aton(host(leg)), b""
            )
            self.control[leg, : len(cmsg)] = np.frombuffer(cmsg, np.uint8)
        self.packets = np.zeros((legs, 172), np.uint8)
        self.packets[:, 0] = 0x80
        self.packets[:, 8:12] = np.arange(1, legs + 1, dtype=">u4").view(np.uint8).reshape(-1, 4)
        for leg in range(legs):
            self.packets[leg, 12:] = tone(TONES_HZ[leg % 3])
        self.sequence = 0
        self.sent = self.received = self.audible = 0
        self.plans: list[list[tuple[int, int, int]]] = [[] for _ in range(PHASES)]

    def addresses(self) -> list[tuple[str, int]]:
        return [
            (host(leg), self.sockets[leg // LEGS_PER_SOCKET].getsockname()[1]) for leg in range(self.legs)
        ]

    def aim(self, targets: dict[str, list[object]]) -> None:
        """Have legs send somewhere; legs never aimed send nothing."""
        for leg, (to_host, to_port) in targets.items():
            self.destinations.put(int(leg), source_key(str(to_host), int(str(to_port))))
        lengths = np.full(self.legs, 172)
        for phase, outbox in enumerate(self.outboxes):
            legs = np.flatnonzero(self.destinations.set & (np.arange(self.legs) % PHASES == phase))
            outbox.load(self.packets, lengths, np.arange(self.legs), legs)
            outbox.headers["control"][: len(legs)] = self.control.ctypes.data + legs * _CONTROL
            outbox.headers["controllen"][: len(legs)] = _CONTROL
            edges = np.flatnonzero(np.diff(legs // LEGS_PER_SOCKET, prepend=-1))
            stops = [*edges[1:].tolist(), len(legs)]
            self.plans[phase] = [
                (int(legs[start]) // LEGS_PER_SOCKET, start, stop)
                for start, stop in zip(edges.tolist(), stops, strict=True)
            ]

    def send(self, phase: int) -> None:
        if phase == 0:
            self.sequence += 1
            head = struct.pack(">HI", self.sequence & 0xFFFF, self.sequence * 160 & 0xFFFFFFFF)
            self.packets[:, 2:8] = np.frombuffer(head, np.uint8)
        for index, start, stop in self.plans[phase]:
            self.sent += self.outboxes[phase].send(self.sockets[index], start, stop)

    def receive(self) -> None:
        for opened in self.sockets:
            count = self.inbox.receive(opened, 0, self.inbox.rows)
            self.received += count
            # A frame of silence has one code only.
            payload = self.inbox.packets[:count, 12:172:8]
            self.audible += int(np.count_nonzero((payload != payload[:, :1]).any(axis=1)))


def main(legs: int) -> None:
    phones = Phones(legs)
    print(json.dumps(phones.addresses()), flush=True)
    os.set_blocking(0, False)
    pending = b""
    deadline = time.monotonic()
    while True:
        for phase in range(PHASES):
            phones.send(phase)
            phones.receive()
            deadline += TICK_S / PHASES
            left = deadline - time.monotonic()
            if left > 0:
                time.sleep(left)
        if not select.select([0], [], [], 0)[0]:
            continue
        data = os.read(0, 1 << 16)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            phones.aim(json.loads(line))
            print(json.dumps([phones.sent, phones.received, phones.audible]), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
