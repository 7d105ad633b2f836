"""Which leg an RTP packet belongs to: a pool of UDP port pairs that many legs share. Pure.

A packet's key is its local port and its source address. A leg has a port to itself until its
source is proven: the negotiated payload type, one SSRC, `PROOF_PACKETS` in a row, from the IP of
the SDP or of the signalling. Where its network is configured as NAT it is that of the signalling, any
port of it, and the SDP's where that is a public one: a stranger's packets win no leg (RTP bleed), but
where a setting takes them from anywhere. Only then may another leg move in. It may latch anew under the
same rules after a re-INVITE that changes the far side, or when its source has been silent. What belongs
to nobody is dropped and counted.

In the steady state all packets of a tick are attributed by one binary search over 64-bit keys.
Unknown sources take a slow path whose work per tick and port is bounded, so that a flood costs a
little time and no leg its audio. Times are seconds on a monotonic clock, handed in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import AddressValueError, IPv4Address

import numpy as np
import numpy.typing as npt

from sottovoce.domain.legs import RemoteMedia
from sottovoce.errors import Code, Refused

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Lengths = npt.NDArray[np.int32]

PROOF_PACKETS = 3
"""In a row: sequence numbers one after the other (RFC 3550 A.1 asks for two)."""
REST_S = 30.0
SILENCE_S = 2.0
"""A source silent for so long may be replaced by another that proves itself."""
LEGS_PER_PORT = 64
UNKNOWN_PER_PORT = 32
UNKNOWN_PER_TICK = 256
"""Packets of unexpected sources looked at in a tick."""
EXPECTED_PER_PORT = 128
EXPECTED_PER_TICK = 1024
"""The same for sources that an SDP names; they come first."""
CANDIDATES_PER_LEG = 4

_NOBODY = -1
_RESTING = -2
_NO_SLOTS: Ints = np.zeros(0, np.int64)


def source_key(host: str, port: int) -> int:
    """The 48-bit number of an IPv4 address and port, as `mmsg.Inbox.sources` reads it."""
    return int.from_bytes(port.to_bytes(2, "big") + IPv4Address(host).packed, "little")


def host_of(key: int) -> str:
    """The host of a source key."""
    return str(IPv4Address((key & 0xFFFF_FFFF_FFFF).to_bytes(6, "little")[2:]))


def port_of(key: int) -> int:
    """The port of a source key."""
    return int.from_bytes((key & 0xFFFF).to_bytes(2, "little"), "big")


def _hosts_of(remote: RemoteMedia) -> frozenset[int]:
    """The hosts, as in source keys, that a leg's RTP may come from.

    A private address in the SDP of a phone behind NAT is one of a network that we do not know: the host
    that has it here is a stranger. A signalling host may be a name, or IPv6: then it admits nothing.
    """
    hosts = set()
    with suppress(AddressValueError):
        hosts.add(source_key(remote.signalling_host or "", 0) >> 16)
    if not hosts or not remote.nat or IPv4Address(remote.host).is_global:
        hosts.add(source_key(remote.host, 0) >> 16)
    return frozenset(hosts)


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports that may be used, both included; `first` 0 lets the system choose, at most `pairs`."""

    first: int = 0
    last: int = 0
    pairs: int = 2048
    begin: int = 0
    """The pair to begin with, counted round."""

    def even_ports(self) -> Iterator[int]:
        """The RTP ports in order; 0 again and again where the system chooses."""
        if not self.first:
            yield from (0 for _ in range(self.pairs))
        else:
            ports = range(self.first + self.first % 2, self.last, 2)
            begin = self.begin % max(1, len(ports))
            yield from ports[begin:]
            yield from ports[:begin]

    @property
    def most_pairs(self) -> int:
        """How many pairs may be open."""
        return self.pairs if not self.first else len(range(self.first + self.first % 2, self.last, 2))


class SourceState(IntEnum):
    """How far a slot's source is known."""

    CLOSED = 0
    UNPROVEN = 1
    PROVEN = 2
    MOVED = 3
    """Proven once, then a re-INVITE named another address: the old source counts until the new is proven."""


@dataclass(slots=True)
class _Candidate:
    """A source on its way to proof."""

    ssrc: int
    next_sequence: int
    in_a_row: int = 1


@dataclass(slots=True)
class _Leg:
    """What the pool knows of an open leg."""

    slot: int
    index: int
    remote: RemoteMedia | None = None
    expected: int | None = None
    hosts: frozenset[int] = frozenset()
    source: int | None = None
    ssrc: int | None = None
    candidates: OrderedDict[int, _Candidate] = field(default_factory=OrderedDict)

    def admits(self, source: int) -> bool:
        """Whether its network may send from there."""
        return self.remote is not None and (self.remote.anywhere or source >> 16 in self.hosts)


@dataclass(frozen=True, slots=True)
class Proof:
    """A slot's source has just been proven; `first` unless it only moved."""

    slot: int
    first: bool


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose each packet is: a slot, or below zero for nobody's.

    `refused` names the slots whose own port got a packet that was dropped, as often as that happened.
    """

    slots: Ints
    proofs: tuple[Proof, ...] = ()
    refused: Ints = field(default_factory=lambda: _NO_SLOTS)


class PortsPool:
    """The port pairs of one worker and the legs on them.

    The owner binds sockets: `choose` says on which port index a new leg goes, or None when the
    owner should bind one more pair and `add` it. Indices count up from 0 and are never reused.
    """

    def __init__(
        self, slots: int, most_ports: int, *, legs_per_port: int = LEGS_PER_PORT, rest_s: float = REST_S
    ) -> None:
        self._most_ports = min(most_ports, 0xFFFF)
        self._legs_per_port = legs_per_port
        self._rest_s = rest_s
        self.ports: list[int] = []
        self._on_port: list[set[int]] = []
        self._rests_until: list[float] = []
        self._alone: Ints = np.full(self._most_ports, _NOBODY, np.int64)
        self._legs: dict[int, _Leg] = {}
        self._resting: dict[int, tuple[float, int]] = {}
        self._state = np.zeros(slots, np.int8)
        self._index = np.zeros(slots, np.int64)
        self._heard = np.zeros(slots, np.float64)
        self._expected: Keys = np.zeros(slots, np.uint64)
        self._keys: Keys = np.zeros(0, np.uint64)
        self._owners: Ints = np.zeros(0, np.int64)
        self._ssrcs: npt.NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._stale = False
        self.dropped = 0
        """Packets that belonged to nobody, and those of sources not proven."""

    # Ports

    def add(self, port: int) -> int:
        """Take in a freshly bound pair; its index. Refused with MEDIA_EXHAUSTED beyond the limit."""
        if self.is_full:
            raise Refused(Code.MEDIA_EXHAUSTED, "no more media ports")
        self.ports.append(port)
        self._on_port.append(set())
        self._rests_until.append(0.0)
        return len(self.ports) - 1

    @property
    def is_full(self) -> bool:
        """Whether no pair may be added."""
        return len(self.ports) >= self._most_ports

    def choose(self, now: float) -> int | None:
        """The fullest port whose legs are all proven and heard, that does not rest and has room."""
        unsure = self._unsure(now)
        best, most = None, -1
        for index, legs in enumerate(self._on_port):
            if most < len(legs) < self._legs_per_port and now >= self._rests_until[index]:
                if unsure[index]:
                    continue
                best, most = index, len(legs)
        return best

    def _unsure(self, now: float) -> npt.NDArray[np.bool_]:
        """Per port index: whether a leg on it may latch onto a source not known yet."""
        ports = np.zeros(len(self.ports), np.bool_)
        ports[self._index[self._latching(now)]] = True
        return ports

    def _latching(self, now: float) -> npt.NDArray[np.bool_]:
        """Per slot: whether it may latch onto a source not known yet."""
        silent = (self._state == SourceState.PROVEN) & (now - self._heard > SILENCE_S)
        latching: npt.NDArray[np.bool_] = (
            silent | (self._state == SourceState.UNPROVEN) | (self._state == SourceState.MOVED)
        )
        return latching

    # Legs

    def open(self, slot: int, index: int, now: float) -> None:
        """Put a leg on a port that `choose` or `add` named."""
        self._legs[slot] = _Leg(slot, index)
        self._on_port[index].add(slot)
        self._state[slot], self._index[slot], self._heard[slot] = SourceState.UNPROVEN, index, now
        self._alone[index] = slot if len(self._on_port[index]) == 1 else _NOBODY

    def expect(self, slot: int, remote: RemoteMedia) -> None:
        """Say where a leg's RTP will come from, at first and after every re-INVITE.

        Refused with BAD_PARAMETER if an address is not a numeric IPv4 one.
        """
        leg = self._legs[slot]
        try:
            expected = source_key(remote.host, remote.port)
        except (AddressValueError, OverflowError):
            raise Refused(Code.BAD_PARAMETER, "RTP is sent to numeric IPv4 addresses only") from None
        hosts = _hosts_of(remote)
        moved = leg.source != expected and (leg.expected, leg.hosts) != (expected, hosts)
        leg.remote, leg.expected, leg.hosts = remote, expected, hosts
        self._expected[slot] = expected
        leg.candidates.clear()
        if self._state[slot] == SourceState.PROVEN and moved:
            self._state[slot] = SourceState.MOVED
        elif self._state[slot] == SourceState.MOVED and leg.source == expected:
            self._state[slot] = SourceState.PROVEN

    def close(self, slot: int, now: float) -> None:
        """End a leg. Its port rests if now free or if the leg was never proven; its source rests anyway."""
        leg = self._legs.pop(slot)
        legs = self._on_port[leg.index]
        legs.discard(slot)
        self._alone[leg.index] = next(iter(legs)) if len(legs) == 1 else _NOBODY
        if leg.source is None or not legs:
            self._rests_until[leg.index] = now + self._rest_s
        if leg.source is not None:
            self._resting.pop(self._full_key(leg), None)
            self._resting[self._full_key(leg)] = (now + self._rest_s, leg.ssrc or 0)
        self._state[slot], self._expected[slot] = SourceState.CLOSED, 0
        self._stale = True

    def state(self, slot: int) -> SourceState:
        """How far the slot's source is known."""
        return SourceState(int(self._state[slot]))

    def index(self, slot: int) -> int:
        """The port index of an open slot."""
        return self._legs[slot].index

    @property
    def indices(self) -> Ints:
        """The port index of every slot; meaningless for closed ones."""
        return self._index

    def destination(self, slot: int) -> int | None:
        """The key of where to send: the SDP's address, or the proven source behind NAT. None: nowhere."""
        leg = self._legs[slot]
        if leg.remote is None or leg.expected is None:
            return None
        if leg.source is not None and (leg.remote.nat or leg.source >> 16 != leg.expected >> 16):
            return leg.source
        if port_of(leg.expected) == 0 or leg.expected >> 16 == 0:
            return None
        return leg.expected

    def rtcp_destination(self, slot: int) -> int | None:
        """Where to send RTCP: the SDP's port for it (RFC 3605), or one above RTP's."""
        key = self.destination(slot)
        if key is None:
            return None
        leg = self._legs[slot]
        named = leg.remote.rtcp_port if leg.remote is not None and key == leg.expected else None
        port = named if named is not None else port_of(key) + 1
        return source_key(host_of(key), port) if 0 < port < 0x10000 else None

    # Packets

    def attribute(
        self, indices: Ints, sources: Keys, packets: Bytes, lengths: Lengths, now: float
    ) -> Attribution:
        """Say whose each of k packets is, from their port indices [k] and source keys [k]."""
        if self._stale or (self._resting and now >= next(iter(self._resting.values()))[0]):
            self._rebuild(now)
        if not len(self._keys):
            slots = np.full(len(indices), _NOBODY, np.int64)
        else:
            keys = sources | (indices.astype(np.uint64) << np.uint64(48))
            at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
            slots = np.where(self._keys[at] == keys, self._owners[at], _NOBODY)
        known = slots >= 0
        self._heard[slots[known]] = now
        if known.all():
            return Attribution(slots)
        unknown = np.flatnonzero(~known & (lengths >= 13))
        if self._resting and len(unknown):
            late = slots[unknown] == _RESTING
            late[late] = self._ssrcs[at[unknown[late]]] == _ssrcs(packets, unknown[late])
            unknown = unknown[~late]
            slots[~known] = _NOBODY
        proofs: list[Proof] = []
        for row in self._worth_a_look(unknown, indices, sources, now):
            self._examine(row, int(indices[row]), int(sources[row]), packets[row], slots, proofs, now)
        lost = slots < 0
        self.dropped += int(np.count_nonzero(lost))
        alone = self._alone[indices[lost]]
        return Attribution(slots, tuple(proofs), alone[alone >= 0])

    def _worth_a_look(self, unknown: Ints, indices: Ints, sources: Keys, now: float) -> Iterator[int]:
        """Rows of unknown sources on ports that wait for one: expected addresses first, then some others."""
        unknown = unknown[self._unsure(now)[indices[unknown]]]
        if not len(unknown):
            return
        expected = self._expected[self._latching(now)]
        hoped = np.isin(sources[unknown], expected)
        yield from _fair(unknown[hoped], indices, EXPECTED_PER_PORT)[:EXPECTED_PER_TICK].tolist()
        yield from _fair(unknown[~hoped], indices, UNKNOWN_PER_PORT)[:UNKNOWN_PER_TICK].tolist()

    def _may_latch(self, leg: _Leg, now: float) -> bool:
        state = self._state[leg.slot]
        if leg.remote is None:
            return False
        return bool(state != SourceState.PROVEN or now - self._heard[leg.slot] > SILENCE_S)

    def _examine(
        self, row: int, index: int, source: int, packet: Bytes, slots: Ints, proofs: list[Proof], now: float
    ) -> None:
        """Count one packet of an unknown source for the leg it may be of; hand it over if that proves it."""
        header = packet[:12].tobytes()
        payload_type, ssrc = header[1] & 0x7F, int.from_bytes(header[8:12], "big")
        leg = self._owner_of(index, source, payload_type, ssrc, now)
        if leg is None or header[0] >> 6 != 2:
            return
        if leg.source == source:
            slots[row] = leg.slot
            return
        sequence = int.from_bytes(header[2:4], "big")
        candidate = leg.candidates.get(source)
        if candidate is None or candidate.ssrc != ssrc:
            while len(leg.candidates) >= CANDIDATES_PER_LEG:
                leg.candidates.pop(next((key for key in leg.candidates if key != leg.expected), source))
            leg.candidates[source] = _Candidate(ssrc, (sequence + 1) & 0xFFFF)
            return
        if sequence == (candidate.next_sequence - 1) & 0xFFFF:
            return
        candidate.in_a_row = candidate.in_a_row + 1 if sequence == candidate.next_sequence else 1
        candidate.next_sequence = (sequence + 1) & 0xFFFF
        if candidate.in_a_row >= PROOF_PACKETS:
            proofs.append(Proof(leg.slot, first=leg.source is None))
            self._latch(leg, source, ssrc, now)
            slots[row] = leg.slot

    def _owner_of(self, index: int, source: int, payload_type: int, ssrc: int, now: float) -> _Leg | None:
        """The one leg that an unknown source may belong to: by address, by SSRC, or as the only one."""
        legs = [
            leg
            for slot in self._on_port[index]
            if (leg := self._legs[slot]).remote is not None
            and leg.remote.may_send(payload_type)
            and leg.admits(source)
            and (leg.source == source or self._may_latch(leg, now))
        ]
        for chosen in (
            [leg for leg in legs if leg.source == source or leg.expected == source],
            [leg for leg in legs if leg.ssrc == ssrc],
            [leg for leg in legs if leg.source is None],
            legs,
        ):
            if len(chosen) == 1:
                return chosen[0]
            if chosen:
                return None
        return None

    def _latch(self, leg: _Leg, source: int, ssrc: int, now: float) -> None:
        leg.source, leg.ssrc = source, ssrc
        leg.candidates.clear()
        self._state[leg.slot] = SourceState.PROVEN
        self._heard[leg.slot] = now
        self._resting.pop(self._full_key(leg), None)
        self._stale = True

    def _full_key(self, leg: _Leg) -> int:
        return leg.index << 48 | (leg.source or 0)

    def _rebuild(self, now: float) -> None:
        """Sort the keys anew after a change; a few hundred microseconds with a thousand legs."""
        self._resting = {key: rest for key, rest in self._resting.items() if rest[0] > now}
        rows = [(key, _RESTING, rest[1]) for key, rest in self._resting.items()]
        rows += [
            (self._full_key(leg), leg.slot, leg.ssrc or 0)
            for leg in self._legs.values()
            if leg.source is not None and self._full_key(leg) not in self._resting
        ]
        keys = np.array([row[0] for row in rows], np.uint64)
        order = np.argsort(keys)
        self._keys = keys[order]
        self._owners = np.array([row[1] for row in rows], np.int64)[order]
        self._ssrcs = np.array([row[2] for row in rows], np.uint32)[order]
        self._stale = False

    # RTCP

    def rtcp_owner(self, index: int, source: int, packet: bytes) -> int | None:
        """The slot that an RTCP packet on a port's odd half belongs to, or None: dropped and counted.

        By the port that belongs to a proven RTP source or the SDP, else by the sender's SSRC. Before the
        first RTP packet only the SDP's port counts: a sign of life of who has nothing to say yet.
        """
        ssrc = int.from_bytes(packet[4:8], "big") if len(packet) >= 8 else -1
        by_ssrc: int | None = None
        for slot in self._on_port[index]:
            leg = self._legs[slot]
            if leg.remote is None or not leg.admits(source):
                continue
            if source == self.rtcp_destination(slot):
                return slot
            if leg.ssrc == ssrc:
                by_ssrc = slot
        if by_ssrc is None:
            self.dropped += 1
        return by_ssrc


def _fair(rows: Ints, indices: Ints, per_port: int) -> Ints:
    """The first few of each port's rows."""
    rows = rows[np.argsort(indices[rows], kind="stable")]
    ports = indices[rows]
    return rows[np.arange(len(ports)) - np.searchsorted(ports, ports) < per_port]


def _ssrcs(packets: Bytes, rows: Ints) -> npt.NDArray[np.uint32]:
    """The SSRC of each of these rows."""
    ssrcs: npt.NDArray[np.uint32] = (
        np.ascontiguousarray(packets[rows, 8:12]).view(">u4")[:, 0].astype(np.uint32)
    )
    return ssrcs
