"""A draw under way: from each stratum of a frame, in its order, as many as its quota. Pure.

Who gives the orders is another matter: `domain.lots` today, `domain.shuffling` for certificates of version 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from sottovoce.domain.frames import Frame
from sottovoce.domain.sampling import Conditions, PassedOver, Quantity


def wishes(frame: Frame, conditions: Conditions) -> dict[int, int]:
    """How many each stratum of the frame has to give, where no cap spares an agent."""
    found = {}
    for stratum, contacts in frame.strata.items():
        count = len(contacts)
        if not conditions.by_agent:
            found[stratum] = min(conditions.number, conditions.cap, count)
        elif conditions.quantity is Quantity.PER_AGENT:
            found[stratum] = min(conditions.number, count)
        else:
            found[stratum] = -(-count * conditions.number // 100)
    return found


def most(quota: int) -> int:
    """How many contacts of a stratum are looked at before it gives up."""
    return 10 * quota + 100


class Drawing:
    """A draw under way: it asks which contacts have to be looked at, and is told which are unfit.

    `while candidates := drawing.candidates(): drawing.looked(unfit_among(candidates))`; afterwards
    `drawn` and `passed_over` are complete. A contact whose turn it is but that cannot be inspected is passed
    over, and the next of its stratum's order is drawn instead, after those already drawn. A stratum gives up
    when it has no more, or when 10 · quota + 100 of it have been looked at; the sample is then smaller.
    """

    def __init__(self, strata: Iterable[tuple[int, int, Iterator[int]]]) -> None:
        """Of each stratum its number, its quota, and its contacts in their order."""
        self._strata = [_Stratum(number, quota, order) for number, quota, order in strata if quota]
        self._asked: list[tuple[_Stratum, list[int]]] = []

    @property
    def wanted(self) -> int:
        """How many contacts the sample should have."""
        return sum(stratum.quota for stratum in self._strata)

    def candidates(self) -> list[int]:
        """The contacts whose turn it is. Empty: the draw is done."""
        self._asked = [(stratum, found) for stratum in self._strata if (found := stratum.next())]
        return [contact for _, contacts in self._asked for contact in contacts]

    def looked(self, unfit: Mapping[int, str]) -> None:
        """Take the last candidates, but for those that cannot be inspected: contact → reason."""
        for stratum, contacts in self._asked:
            for contact in contacts:
                if contact in unfit:
                    stratum.passed_over.append(PassedOver(contact, stratum.number, unfit[contact]))
                else:
                    stratum.drawn.append(contact)
        self._asked = []

    @property
    def drawn(self) -> list[int]:
        """The contacts of the sample so far, in order."""
        return [contact for stratum in self._strata for contact in stratum.drawn]

    @property
    def passed_over(self) -> list[PassedOver]:
        """Whose turn it was in vain, in order."""
        return [one for stratum in self._strata for one in stratum.passed_over]


class _Stratum:
    """One stratum's draw."""

    def __init__(self, number: int, quota: int, order: Iterator[int]) -> None:
        self.number, self.quota = number, quota
        self.drawn: list[int] = []
        self.passed_over: list[PassedOver] = []
        self._order = islice(order, most(quota))

    def next(self) -> list[int]:
        """As many of the order as are still to be drawn."""
        return list(islice(self._order, self.quota - len(self.drawn)))
