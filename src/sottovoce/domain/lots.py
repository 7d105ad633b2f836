"""Every contact's lot: decided before anybody can know it, and the same in every draw. Pure.

A sample takes the contacts with the lowest lots, so that whoever draws again from the same contacts under the
same conditions gets the same sample. Whoever has a frame (`domain.frames`), the blocks that it touches and
what was revealed of their chain repeats the draw; this is how, by the name `ALGORITHM`. All numbers are
big-endian, all hashes SHA-256.

**Chain.** h[0] is 32 random bytes, h[i + 1] = SHA-256(h[i]). The end h[N] is made public first.

**Blocks.** Contacts are numbered as they are put on record. A block is the contacts after the last one of the
block before, up to its own last one. The block at place *k* (1, 2, 3 …) of a chain has the preimage h[N − k]:
hashed *k* times it gives the end, and the preimage of a later block gives those of all earlier ones. A chain
that is used up is followed by another. The key of a block is SHA-256(preimage ‖ words), the words being an
outsider's, in UTF-8 (empty where nobody gave any).

**Lots.** AES-256 under the key of its block, of the contact's number as 16 bytes, gives 16 bytes: the first 8
are the contact's lot, the last 8 its offset.

**Order.** Contacts of a stratum ascend by (lot, number).

**Quantity `calls`.** One stratum, the whole frame. The first min(number, cap, N) are drawn.

**Quantity `per_agent`, `percent_per_agent`.** A stratum for each agent. Its quota *q* is min(number, N), or
N · number / 100 rounded up. Where the quotas add up to more than the cap, the place *r* (0, 1, 2 …, q − 1) of
an agent's order gets the position ⌊(*r* · 2⁶⁴ + *u*) / *q*⌋, *u* being the offset of the agent's first
contact; the cap goes to the lowest by (position, agent). So each agent gets about their proportionate share,
and a larger cap takes all that a smaller one took. The sample has the strata in ascending order of the agent.

**Passing over** is what `domain.drawing.Drawing` says.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from sottovoce.domain.drawing import Drawing, most, wishes
from sottovoce.domain.frames import Contacts, Frame
from sottovoce.domain.sampling import Conditions

ALGORITHM = "sottovoce-lots-1"
PREIMAGE_BYTES = 32
LONGEST_CHAIN = 1 << 20
"""Hashing one takes a second; what says that it is longer is not read."""
Lots = NDArray[np.uint64]
_PIECE = 1 << 16
"""Contacts; two megabytes of cipher text stay near a core."""


def hashed(preimage: bytes, times: int) -> bytes:
    """The link of the chain that many hashes later."""
    for _ in range(times):
        preimage = hashlib.sha256(preimage).digest()
    return preimage


@dataclass(frozen=True, slots=True)
class Keyed:
    """The contacts `after` < number ≤ `until`, and the key of their lots."""

    after: int
    until: int
    key: bytes

    @classmethod
    def of(cls, after: int, until: int, preimage: bytes, words: str) -> Keyed:
        """A block whose preimage is known."""
        return cls(after, until, hashlib.sha256(preimage + words.encode()).digest())


def lot_and_offset(block: Keyed, contact: int) -> tuple[int, int]:
    """The two numbers of a contact of the block."""
    cipher = Cipher(algorithms.AES(block.key), modes.ECB()).encryptor()  # noqa: S305  one block each
    made = cipher.update(contact.to_bytes(16, "big"))
    return int.from_bytes(made[:8], "big"), int.from_bytes(made[8:], "big")


def lots_of(contacts: Contacts, blocks: Sequence[Keyed]) -> Lots:
    """The lots of contacts in any order; blocks ascend. ValueError where a contact is in none of them."""
    found = np.empty(len(contacts), np.uint64)
    for block, mine in _by_block(contacts, np.array([block.until for block in blocks], np.int64)):
        some = contacts[mine]
        if block == len(blocks) or int(some.min()) <= blocks[block].after:
            raise ValueError("a contact is in no block")
        found[mine] = _encrypted(blocks[block].key, some)
    return found


def _by_block(contacts: Contacts, untils: Contacts) -> Iterator[tuple[int, slice | NDArray[np.int64]]]:
    """Where the contacts of each block are that has some; behind the last block, one more."""
    order = None
    if bool((contacts[1:] > contacts[:-1]).all()):
        ends = np.append(np.searchsorted(contacts, untils, side="right"), len(contacts))
    else:
        which = np.searchsorted(untils, contacts)
        ends = np.cumsum(np.bincount(which, minlength=len(untils) + 1))
        # Sorting 16 bits is counting, ten times as fast as sorting.
        order = np.argsort(which.astype(np.uint16 if len(untils) < 1 << 16 else np.int64), kind="stable")
    start = 0
    for block, end in enumerate(ends.tolist()):
        if end > start:
            yield block, slice(start, end) if order is None else order[start:end]
        start = end


def _encrypted(key: bytes, contacts: Contacts) -> Lots:
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  one block each
    size = min(_PIECE, len(contacts))
    plain = np.zeros((size, 2), ">u8")
    made = np.zeros((size + 1) * 2, ">u8")
    found = np.empty(len(contacts), np.uint64)
    for start in range(0, len(contacts), _PIECE):
        piece = contacts[start : start + _PIECE]
        plain[: len(piece), 1] = piece
        cipher.update_into(plain[: len(piece)].view(np.uint8).data, made.view(np.uint8).data)
        found[start : start + len(piece)] = made[: 2 * len(piece) : 2]
    return found


def drawing(frame: Frame, blocks: Sequence[Keyed], conditions: Conditions) -> Drawing:
    """The draw from a frame, whose contacts are all in the blocks. ValueError where one is not."""
    strata = frame.strata
    parts = list(strata.values())
    every = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int64), *parts])
    ends = np.cumsum([len(contacts) for contacts in strata.values()])
    lots = dict(zip(strata, np.split(lots_of(every, blocks), ends[:-1]), strict=True)) if strata else {}
    quotas = wishes(frame, conditions)
    if conditions.by_agent and sum(quotas.values()) > conditions.cap:
        quotas = _spread(quotas, conditions.cap, strata, lots, blocks)
    return Drawing(
        (stratum, quota, _order(strata[stratum], lots[stratum], quota)) for stratum, quota in quotas.items()
    )


def _order(contacts: Contacts, lots: Lots, quota: int) -> Iterator[int]:
    """The beginning of the order that the draw can need."""
    count = min(len(contacts), most(quota))
    if count < len(contacts):
        few = np.flatnonzero(lots <= np.partition(lots, count - 1)[count - 1])
        contacts, lots = contacts[few], lots[few]
    return iter(contacts[np.lexsort((contacts, lots))][:count].tolist())


def _spread(
    wished: Mapping[int, int],
    cap: int,
    strata: Mapping[int, Contacts],
    lots: Mapping[int, Lots],
    blocks: Sequence[Keyed],
) -> dict[int, int]:
    ends = [block.until for block in blocks]
    given = dict.fromkeys(wished, 0)
    waiting = []
    for agent, quota in wished.items():
        first = int(strata[agent][int(np.argmin(lots[agent]))])
        _, offset = lot_and_offset(blocks[int(np.searchsorted(ends, first))], first)
        waiting.append((offset // quota, agent, offset))
    heapq.heapify(waiting)
    for _ in range(cap):
        _, agent, offset = waiting[0]
        given[agent] += 1
        if given[agent] < wished[agent]:
            position = ((given[agent] << 64) + offset) // wished[agent]
            heapq.heapreplace(waiting, (position, agent, offset))
        else:
            heapq.heappop(waiting)
    return given
