"""The draw of certificates of version 1, a shuffle by a seed: kept so that they can still be checked. Pure.

With a frame (`domain.frames`) and 32 random bytes, the seed, the whole draw is decided. Whoever has both
repeats it with SHA-256 and whole numbers alone; this is how, by the name `ALGORITHM`:

**Numbers.** A stream has a label. Its key is SHA-256(ALGORITHM ‖ seed ‖ label), the texts in ASCII. Its block
*i* (0, 1, 2 …) is SHA-256(key ‖ *i* as 8 bytes), which gives four words of 8 bytes; all of it big-endian.
A number below *m* is the stream's next word *w* that is less than 2⁶⁴ − (2⁶⁴ mod *m*), taken mod *m*;
words that are not less are dropped, so that no number is more likely than another.

**Order.** The order of N things is a Fisher-Yates shuffle from the front: for *i* = 0, 1, 2 … swap the thing
at place *i* with the one at place *i* + (the stream's next number below N − *i*). Only the part of it that
is needed is made.

**Quantity `calls`.** One stratum, the whole frame, ascending; its order is that of the stream `calls`. The
first min(number, cap, N) are drawn.

**Quantity `per_agent`, `percent_per_agent`.** A stratum for each agent, ascending; the stream is `agent:` and
the work number in decimal. Its quota is min(number, N), or N · number / 100 rounded up. Where the quotas
add up to T > cap, the cap is spread over them evenly and without favour: put the agents (ascending) into
the order of the stream `cap`, lay their quotas end to end in that order, take *u*, the same stream's next
number below T, and keep the places ⌊(*i* · T + *u*) / cap⌋ for *i* = 0 … cap − 1. An agent gets as many as
places of theirs are kept: their proportionate share, rounded up or down, and by chance in such a way that no
call is more likely drawn than another of the same agent's quota. The sample has the strata in ascending
order of the agent, each in its own order.

**Passing over** is what `domain.drawing.Drawing` says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from sottovoce.domain.drawing import Drawing, wishes
from sottovoce.domain.frames import WHOLE, Contacts, Frame
from sottovoce.domain.sampling import Conditions

ALGORITHM = "sottovoce-sample-1"
_WORDS = 1 << 64


class Stream:
    """Numbers that seed and label decide."""

    def __init__(self, seed: bytes, label: str) -> None:
        self._key = hashlib.sha256(ALGORITHM.encode() + seed + label.encode()).digest()
        self._words = self._all_words()

    def _all_words(self) -> Iterator[int]:
        block = 0
        while True:
            digest = hashlib.sha256(self._key + block.to_bytes(8, "big")).digest()
            for start in (0, 8, 16, 24):
                yield int.from_bytes(digest[start : start + 8], "big")
            block += 1

    def below(self, bound: int) -> int:
        """The next number from 0 to `bound` − 1."""
        fair = _WORDS - _WORDS % bound
        for word in self._words:
            if word < fair:
                return word % bound
        raise AssertionError  # the words never end

    def order(self, count: int) -> Iterator[int]:
        """The places 0 to `count` − 1, shuffled; each is decided when it is asked for."""
        moved: dict[int, int] = {}
        for place in range(count):
            other = place + self.below(count - place)
            here = moved.pop(place, place)
            if other == place:
                yield here
            else:
                yield moved.get(other, other)
                moved[other] = here


def quotas(frame: Frame, seed: bytes, conditions: Conditions) -> dict[int, int]:
    """How many each stratum of the frame has to give."""
    wished = wishes(frame, conditions)
    total = sum(wished.values())
    return (
        wished
        if not conditions.by_agent or total <= conditions.cap
        else _spread(wished, total, conditions.cap, seed)
    )


def _spread(wished: Mapping[int, int], total: int, cap: int, seed: bytes) -> dict[int, int]:
    stream = Stream(seed, "cap")
    agents = list(wished)
    shuffled = [agents[place] for place in stream.order(len(agents))]
    offset = stream.below(total)
    given = {}
    end = kept = 0
    for agent in shuffled:
        end += wished[agent]
        # Kept places below `end`: those i with i · total + offset < end · cap.
        below = max(0, -(-(end * cap - offset) // total))
        given[agent] = below - kept
        kept = below
    return {agent: given[agent] for agent in agents}


def drawing(frame: Frame, seed: bytes, conditions: Conditions) -> Drawing:
    """The draw that seed and frame decide."""
    return Drawing(
        (stratum, quota, _order(frame.strata[stratum], Stream(seed, _label(stratum))))
        for stratum, quota in quotas(frame, seed, conditions).items()
    )


def _order(contacts: Contacts, stream: Stream) -> Iterator[int]:
    for place in stream.order(len(contacts)):
        yield int(contacts[place])


def _label(stratum: int) -> str:
    return "calls" if stratum == WHOLE else f"agent:{stratum}"
