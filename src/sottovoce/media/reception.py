"""The way of received packets: header, payload type, stream, decoding, into the jitter buffer.

A batch is worked on as whole arrays; only slots with several packets in it cost further rounds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.legs import Codec, RemoteMedia
from sottovoce.media import codecs, rtp
from sottovoce.media.dtmf import KeyReader
from sottovoce.media.jitter import LONGEST, JitterBank

ROUNDS = 16
"""Packets of one slot that are taken from one batch; more than a stalled sender's backlog is a flood."""
_GRAIN = 8
_NO_TYPE = 255
_AUDIO = np.isin(np.arange(128), list(codecs.PAYLOAD_TYPES))
"""Whether a payload type is a codec's."""

Slots = npt.NDArray[np.intp]
Ints = npt.NDArray[np.int64]


class Reception:
    """What each slot may send, and the batch's way into `buffers`."""

    def __init__(self, capacity: int, buffers: JitterBank) -> None:
        self._buffers = buffers
        self._listening = np.zeros(capacity, np.bool_)
        self._key_type = np.full(capacity, _NO_TYPE, np.uint8)
        self._readers: dict[int, KeyReader] = {}
        self._pressed: list[tuple[int, str]] = []
        self._turn = np.zeros(capacity, np.int64)
        self.heard = np.full(capacity, np.nan)
        """When something good last came, or NaN: from the next check on."""
        self.told = np.zeros(capacity, np.bool_)
        """Whether its silence was told already."""

    def reset(self, slot: int) -> None:
        """Zero a slot."""
        self._listening[slot] = False
        self._key_type[slot] = _NO_TYPE
        self._readers.pop(slot, None)
        self._pressed = [pressed for pressed in self._pressed if pressed[0] != slot]
        self.heard[slot] = np.nan
        self.told[slot] = False

    def set_remote(self, slot: int, remote: RemoteMedia) -> None:
        """Take what the far side may send: G.711 of both laws, comfort noise, the negotiated events."""
        self._listening[slot] = remote.direction.sends
        kind = remote.dtmf_payload_type
        self._key_type[slot] = _NO_TYPE if kind is None else kind
        self.heard[slot] = np.nan
        self.told[slot] = False

    def keys(self, now: float) -> list[tuple[int, str]]:
        """(slot, digit) of the keys pressed since the last call."""
        for slot in [slot for slot, reader in self._readers.items() if reader.busy]:
            self._pressed += [(slot, digit) for digit in self._readers[slot].quiet(now)]
        pressed, self._pressed = self._pressed, []
        return pressed

    def receive(
        self,
        slots: Slots,
        packets: npt.NDArray[np.uint8],
        lengths: npt.NDArray[np.int32],
        now: float | npt.NDArray[np.float64],
    ) -> None:
        """Take a batch, as `Mixer.receive` says."""
        if not len(slots):
            return
        packets = np.ascontiguousarray(packets)
        headers = rtp.parse(packets, lengths.astype(np.int64))
        times = np.broadcast_to(np.asarray(now, np.float64), len(slots))
        kind, size = headers.payload_type, headers.size
        audio = _AUDIO[kind] & (size > 0) & (size <= LONGEST) & (size % _GRAIN == 0)
        other = (kind == rtp.COMFORT_NOISE) | (kind == self._key_type[slots])
        good = headers.valid & (audio | other) & self._listening[slots]
        if not good.all():
            np.add.at(self._buffers.dropped, slots[~good], 1)
        left = np.flatnonzero(good)
        for _ in range(ROUNDS):
            if not left.size:
                return
            # The first packet of each slot: of equal indices the last assignment stands.
            self._turn[slots[left[::-1]]] = left[::-1]
            first = self._turn[slots[left]] == left
            self._take(left[first], slots, packets, headers, audio, times)
            left = left[~first]
        np.add.at(self._buffers.dropped, slots[left], 1)

    def _take(
        self,
        rows: Slots,
        slots: Slots,
        packets: npt.NDArray[np.uint8],
        headers: rtp.Headers,
        audio: npt.NDArray[np.bool_],
        times: npt.NDArray[np.float64],
    ) -> None:
        """One packet for each slot."""
        who = slots[rows]
        size = np.where(audio[rows], headers.size[rows], 0)
        good, written, stamps = self._buffers.place(
            who, headers.sequence[rows], headers.timestamp[rows], headers.ssrc[rows], size, times[rows]
        )
        self.heard[who[good]] = times[rows[good]]
        if not audio[rows].all():
            self._other(rows[good & ~audio[rows]], slots, packets, headers, times)
        kind = headers.payload_type[rows]
        start = headers.start[rows]
        for samples in _different(size[written]):
            for codec in Codec:
                which = np.flatnonzero(written & (size == samples) & (kind == codec.value))
                if which.size:
                    codes = rtp.payloads(packets, rows[which], start[which], samples)
                    self._buffers.write(who[which], stamps[which], codecs.decode(codes, codec))

    def _other(
        self,
        rows: Slots,
        slots: Slots,
        packets: npt.NDArray[np.uint8],
        headers: rtp.Headers,
        times: npt.NDArray[np.float64],
    ) -> None:
        """Comfort noise and keys."""
        noise = headers.payload_type[rows] == rtp.COMFORT_NOISE
        self._buffers.comfort[slots[rows[noise]]] = True
        for row in rows[~noise].tolist():
            slot = int(slots[row])
            reader = self._readers.setdefault(slot, KeyReader())
            start = int(headers.start[row])
            payload = packets[row, start : start + min(int(headers.size[row]), 16)].tobytes()
            for digit in reader.read(payload, int(headers.timestamp[row]), float(times[row])):
                self._pressed.append((slot, digit))


def _different(values: Ints) -> list[int]:
    """The values that occur; nearly always one."""
    if values.size and (values == values[0]).all():
        return [int(values[0])]
    found: list[int] = np.unique(values).tolist()
    return found
