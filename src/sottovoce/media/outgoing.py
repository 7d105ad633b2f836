"""What is sent to the legs: frames gathered into packets of each leg's codec and ptime, headers, keys.

A leg that may not be sent to takes no sequence numbers; its timestamps go on with the ticks, so
that it hears a pause of the right length.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import FRAME, Codes, Samples
from sottovoce.domain.legs import Codec, RemoteMedia
from sottovoce.media import codecs, rtp
from sottovoce.media.dtmf import KeySender

ROW = 512
"""Bytes between packets in the batch."""
_LONGEST = 480

Slots = npt.NDArray[np.intp]
Ints = npt.NDArray[np.int64]
Batch = tuple[Slots, npt.NDArray[np.uint8], npt.NDArray[np.int32]]


def packet_samples(ptime_ms: int) -> int:
    """Samples in a packet: the ptime in whole 10 ms, 10 at least and 60 at most."""
    return 80 * min(max(round(ptime_ms / 10), 1), 6)


class Senders:
    """The outgoing streams of all slots."""

    def __init__(self, capacity: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.ssrc = np.zeros(capacity, np.int64)
        self._sequence = np.zeros(capacity, np.int64)
        self.timestamp = np.zeros(capacity, np.int64)
        """Of the first sample of the next tick."""
        self.packets = np.zeros(capacity, np.int64)
        self.octets = np.zeros(capacity, np.int64)
        self._marker = np.zeros(capacity, np.bool_)
        self._pending = np.zeros((capacity, _LONGEST + FRAME), np.uint8)
        self._fill = np.zeros(capacity, np.int64)
        self._stream: dict[int, tuple[Codec, int]] = {}
        self._keys: dict[int, KeySender] = {}
        self._key_type: dict[int, int] = {}
        self._groups: list[tuple[Codec, int, Slots]] | None = None
        self._batch = np.zeros((2 * capacity, ROW), np.uint8)
        self._lengths = np.zeros(2 * capacity, np.int32)
        self._rows = np.zeros(2 * capacity, np.intp)

    def open(self, slot: int) -> None:
        """New SSRC, sequence and timestamp (RFC 3550 5.1); nothing is sent yet."""
        self.close(slot)
        self.ssrc[slot], self.timestamp[slot] = self._random.integers(0, 1 << 32, 2)
        self._sequence[slot] = self._random.integers(0, 1 << 15)

    def close(self, slot: int) -> None:
        """Zero a slot."""
        for held in (self.ssrc, self._sequence, self.timestamp, self.packets, self.octets, self._fill):
            held[slot] = 0
        self._pending[slot] = 0
        self._marker[slot] = False
        self._keys.pop(slot, None)
        self._key_type.pop(slot, None)
        if self._stream.pop(slot, None) is not None:
            self._groups = None

    def set_remote(self, slot: int, remote: RemoteMedia) -> None:
        """Send as the far side wants it, or nothing where it does not receive."""
        stream = (remote.codec, packet_samples(remote.ptime_ms)) if remote.direction.receives else None
        if remote.dtmf_payload_type is None:
            self._key_type.pop(slot, None)
        else:
            self._key_type[slot] = remote.dtmf_payload_type
        if stream is None or remote.dtmf_payload_type is None:
            self._keys.pop(slot, None)
        if self._stream.get(slot) == stream:
            return
        self._groups = None
        self._fill[slot] = 0
        self._marker[slot] = True
        if stream is None:
            del self._stream[slot]
        else:
            self._stream[slot] = stream

    def sends(self, slot: int) -> bool:
        """Whether the slot is sent to at all."""
        return slot in self._stream

    def add_keys(self, slot: int, digits: str) -> bool:
        """Queue keys as events; False if the far side takes none. BAD_PARAMETER."""
        if slot not in self._key_type or slot not in self._stream:
            return False
        keys = self._keys.get(slot) or KeySender()
        keys.add(digits)
        self._keys[slot] = keys
        self._groups = None
        return True

    def tick(self, mixed: Samples) -> Batch:
        """The packets of this tick: slots [m], rows [m, 512], lengths [m]; good until the next tick."""
        if self._groups is None:
            self._groups = self._grouped()
        count = 0
        for codec, size, slots in self._groups:
            codes = codecs.encode(mixed.take(slots, axis=0), codec)
            if size == FRAME:
                count = self._pack(count, codec, slots, codes, self.timestamp[slots])
            else:
                count = self._pack_others(count, codec, size, slots, codes)
        for slot in list(self._keys):
            count = self._key(count, slot)
        self.timestamp += FRAME
        return self._rows[:count], self._batch[:count], self._lengths[:count]

    def _pack(self, at: int, codec: Codec, slots: Slots, codes: Codes, stamps: Ints) -> int:
        count, size = len(slots), int(codes.shape[1])
        rows = self._batch[at : at + count]
        rtp.build(
            rows,
            payload_type=codec.value,
            marker=self._marker[slots],
            sequence=self._sequence[slots],
            timestamp=stamps,
            ssrc=self.ssrc[slots],
        )
        rows[:, rtp.HEADER : rtp.HEADER + size] = codes
        self._sent(at, slots, size)
        return at + count

    def _sent(self, at: int, slots: Slots, size: int) -> None:
        count = len(slots)
        self._rows[at : at + count] = slots
        self._lengths[at : at + count] = rtp.HEADER + size
        self._sequence[slots] += 1
        self._marker[slots] = False
        self.packets[slots] += 1
        self.octets[slots] += size

    def _pack_others(self, at: int, codec: Codec, size: int, slots: Slots, codes: Codes) -> int:
        """Packets of another size than a tick's: codes wait until there are enough."""
        fill = self._fill[slots]
        where = fill[:, None] + np.arange(FRAME)[None, :]
        self._pending[slots[:, None], where] = codes
        stamps = self.timestamp[slots] - fill
        fill += FRAME
        while (full := np.flatnonzero(fill >= size)).size:
            who = slots[full]
            at = self._pack(at, codec, who, self._pending[who, :size], stamps[full])
            self._pending[who, :-size] = self._pending[who, size:]
            fill[full] -= size
            stamps[full] += size
        self._fill[slots] = fill
        return at

    def _key(self, at: int, slot: int) -> int:
        keys = self._keys[slot]
        packet = keys.next(int(self.timestamp[slot]))
        if keys.done:
            del self._keys[slot]
            self._groups = None
            self._marker[slot] = True
        if packet is None:
            return at
        payload, stamp, marker = packet
        sequence = int(self._sequence[slot])
        data = rtp.packet(self._key_type[slot], sequence, stamp, int(self.ssrc[slot]), payload, marker=marker)
        self._batch[at, : len(data)] = np.frombuffer(data, np.uint8)
        marked = self._marker[slot]
        self._sent(at, np.array([slot]), len(payload))
        self._marker[slot] = marked
        return at + 1

    def _grouped(self) -> list[tuple[Codec, int, Slots]]:
        groups: dict[tuple[Codec, int], list[int]] = {}
        for slot in sorted(self._stream):
            if slot not in self._keys:
                groups.setdefault(self._stream[slot], []).append(slot)
            else:
                self._fill[slot] = 0
        return [(codec, size, np.array(slots, np.intp)) for (codec, size), slots in groups.items()]
